"""Budget adjustments as PromQL: a period's sums without the tiles of some stretches of time.

A stretch that lies wholly within the period is subtracted: its tiles are summed where they lie, by `@`. While the period
leaves it behind, nothing before it counts any more, and all that counts is what came after it: a range that ends a period
after the stretch begins at its end, and no tile of the future is there yet. So no tile of a stretch is ever counted, and
every other one is, at any moment. A subquery over masked tiles would say the same, at a hundred times the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.ir import Adjustment, Window
from slo_compiler.promql.build import recorded
from slo_compiler.units import Duration

# A range that is so much shorter begins just after the moment that it would begin at: on Prometheus 2, where ranges are
# closed on the left, a tile at that moment is not in it, as on 3.
_MOMENT = Decimal("0.001")


class Stretch(NamedTuple):
    """Tiles in (begin, end], in seconds since 1970."""

    begin: int
    end: int

    def holds(self, time: float) -> bool:
        """Whether a tile of that time is one of these."""
        return self.begin < time <= self.end


def stretches(adjustments: Sequence[Adjustment], reach: int) -> tuple[Stretch, ...]:
    """The tiles that may hold events of the adjustments; what meets is one stretch.

    Args:
        adjustments: ascending, none in another.
        reach: seconds that a tile looks back.
    """
    found: list[Stretch] = []
    for item in adjustments:
        end = item.end + reach
        if found and item.begin <= found[-1].end:
            found[-1] = Stretch(found[-1].begin, end)
        else:
            found.append(Stretch(item.begin, end))
    return tuple(found)


def adjusted(function: str, tiles: str, seen: str, slo_id: str, left_out: Sequence[Stretch], period: Window) -> str:
    """A sum or a count over the period without some stretches; 0 where nothing else was seen.

    Args:
        function: `sum_over_time` or `count_over_time`.
        tiles: the recorded name of what is summed or counted.
        seen: the recorded name of the result over the whole period.
    """
    whole, span = recorded(seen, slo_id), period.range.whole_seconds
    nothing = f"0 * {whole}"
    base, less = whole, ""
    after = []
    for item in left_out:
        first, last = item.begin + span, item.end + span
        leaving = f"vector(time()) > {first} < {last}"
        base += f"\nunless on () {leaving}"
        after.append(f"{function}({_range(tiles, slo_id, span)} @ {last})\nand on () {leaving}")
        inside = f"{function}({_range(tiles, slo_id, item.end - item.begin)} @ {item.end})"
        less += f"\n- ({inside}\nand on () vector(time()) <= {first}\nor {nothing})"
    counted = "\nor ".join((base, *after, nothing))
    return f"clamp_min(({counted}){less}, 0)"


def _range(tiles: str, slo_id: str, seconds: int) -> str:
    return recorded(tiles, slo_id, Duration(seconds - _MOMENT).promql)
