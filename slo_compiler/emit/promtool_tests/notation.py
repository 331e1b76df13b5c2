"""Input series and assertions in promtool's notation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any

from slo_compiler.emit.base import Document
from slo_compiler.ir import Matcher, Selector
from slo_compiler.promql.build import string
from slo_compiler.units import Duration

# What a slot of a series holds: a number, no scrape, or a staleness marker.
GAP = "_"
STALE = "stale"
Slot = float | str

Labels = tuple[tuple[str, str], ...]


def values(slots: Sequence[Slot]) -> str:
    """The slots as promtool reads them: `_x3 0 7x9`, runs of equal slots joined."""
    return _joined(tuple(slots))


# Specs of one policy draw the same courses under other names.
@lru_cache(maxsize=2048)
def _joined(slots: tuple[Slot, ...]) -> str:
    parts = []
    for token, run in groupby(map(_token, slots)):
        count = len(list(run))
        if count == 1:
            parts.append(token)
        elif token == GAP:
            parts.append(f"_x{count}")
        elif token == STALE:
            parts.extend([token] * count)
        else:
            parts.append(f"{token}x{count - 1}")  # promtool's `7x9` is ten sevens
    return " ".join(parts)


def ramp(start: float, per_slot: float, last: int) -> str:
    """A counter that rises evenly, in slots 0 to `last`."""
    return f"{number(start)}+{number(per_slot)}x{last}"


def _token(slot: Slot) -> str:
    if isinstance(slot, str):
        return slot
    return number(slot)


def number(value: float) -> str:
    """A number as promtool reads and prints it."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def series_name(name: str, labels: Labels | Mapping[str, str]) -> str:
    """`metric{label="value",...}` with its labels sorted."""
    pairs = sorted(dict(labels).items())
    return name + "{" + ",".join(f"{label}={string(value)}" for label, value in pairs) + "}"


def input_series(name: str, labels: Labels | Mapping[str, str], slots: Sequence[Slot]) -> Document:
    """A series to read."""
    return {"series": series_name(name, labels), "values": values(slots)}


def raw_input(series: str, text: str) -> Document:
    """A series whose values are already in promtool's notation."""
    return {"series": series, "values": text}


def slots_of(step: int) -> int:
    """Slots of a step in seconds: three, or four where a third of it is no whole number of milliseconds."""
    return 3 if step % 3 == 0 else 4


def slot_of(step: int) -> Duration:
    """How long such a slot is."""
    return Duration(Decimal(step) / slots_of(step))


def at(seconds: float) -> str:
    """A time of the test."""
    return Duration.of(int(seconds)).promql


def expect(seconds: float, expression: str, samples: Iterable[tuple[str, float]]) -> Document:
    """An assertion on an instant query: exactly these samples, with `{label="value"}` texts."""
    return {
        "expr": expression,
        "eval_time": at(seconds),
        "exp_samples": [{"labels": labels, "value": _plain_number(value)} for labels, value in samples],
    }


# Odd scales keep halves halves, so even ones follow.
_SCALES = (1000, 1009, 1013, 1021, 1031, 1033, 1039, *range(1002, 1200, 2))


def _margin(samples: Sequence[tuple[str, float]], scale: int) -> float:
    """How far the scaled value that is nearest to a half is from it: at a half, rounding would tell nothing."""
    return min((abs(abs(value * scale) % 1 - 0.5) for _, value in samples), default=1.0)


def expect_scaled(seconds: float, expression: str, samples: Iterable[tuple[str, float]]) -> Document:
    """An assertion on values that are not whole: both sides in thousandths, since promtool compares bit by bit."""
    found = list(samples)
    scale = next((scale for scale in _SCALES if _margin(found, scale) > 0.001), None)
    if scale is None:
        scale = max(_SCALES, key=lambda scale: _margin(found, scale))
    return expect(
        seconds, f"round({expression} * {scale})", [(labels, _round(value * scale)) for labels, value in found]
    )


def _round(value: float) -> float:
    rounded = float(round(value))
    return 0.0 if rounded == 0 else rounded


def _plain_number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def firing(seconds: float, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Document:
    """An assertion on one firing alert with all its labels and its finished texts."""
    alert = {"exp_labels": dict(labels), "exp_annotations": dict(annotations)}
    return {"eval_time": at(seconds), "alertname": name, "exp_alerts": [alert]}


def group(
    name: str,
    interval: str,
    series: Sequence[Document],
    checks: Sequence[Document],
    alerts: Sequence[Document] = (),
) -> Document:
    """A test group."""
    found: dict[str, Any] = {"name": name, "interval": interval, "input_series": list(series)}
    if alerts:
        found["alert_rule_test"] = list(alerts)
    found["promql_expr_test"] = list(checks)
    return found


def with_matcher(item: Selector, *more: Matcher) -> Selector:
    """A selector with further matchers."""
    return Selector(item.name, (*item.matchers, *more))
