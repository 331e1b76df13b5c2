"""A schedule in a time zone as PromQL that holds in every year: 1 while a window is open, 0 otherwise.

PromQL's calendar knows UTC only. A zone's clock is `time()` plus an offset, and which of its two offsets holds at a
moment follows from a clock that is shifted so that the change falls on midnight: then month, day and weekday decide. A
window is open if the last start before now is less than its duration ago, on a date that fits, by whichever offset held
then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from slo_compiler.ir_exemptions import Changeover, Schedule, Zone

_DAY = 86400


def is_open(schedule: Schedule) -> str:
    """An instant vector of one element, 1 or 0."""
    windows = []
    days = -(-schedule.duration.whole_seconds // _DAY)
    for time in schedule.times:
        for day in range(days):
            windows += [_began(schedule, time, day, offset) for offset in _offsets(schedule.zone)]
    return "\n+ ".join(windows) + "\n> bool 0"


def starts_a_day(schedule: Schedule) -> int:
    """How many start times the expression looks at: those of a day, on each day that a window may reach over."""
    return len(schedule.times) * -(-schedule.duration.whole_seconds // _DAY)


class _Offset(NamedTuple):
    """An offset that a start may have had, and whether that is so in daylight saving time; None where there is one only."""

    seconds: int
    in_summer: bool | None = None


def _offsets(zone: Zone) -> list[_Offset]:
    """A skipped time is read by the smaller offset, which holds before the clocks jump; one that comes twice by the larger."""
    if zone.summer is None:
        return [_Offset(zone.standard)]
    offsets = [_Offset(zone.standard, in_summer=False), _Offset(zone.summer, in_summer=True)]
    return sorted(offsets, reverse=True)


def _began(schedule: Schedule, time: int, day: int, offset: _Offset) -> str:
    """Whether a window that began at a local time, so many whole days ago, by an offset is open."""
    passed = f"(time() + {(offset.seconds - time) % _DAY}) % {_DAY}"
    left = schedule.duration.whole_seconds - day * _DAY
    factors = [f"({passed} < bool {left})" if left < _DAY else ""]
    # This clock shows the start's date as long as the window is open.
    shift = offset.seconds - time - day * _DAY
    factors.append(_date_fits(schedule, _clock(shift)))
    if offset.in_summer is not None:
        factors.append(_is_summer(schedule.zone, shift, time, wanted=offset.in_summer))
    return " * ".join(factor for factor in factors if factor) or "vector(1)"


def _clock(shift: int) -> str:
    """A clock for the functions of the calendar: UTC and so many seconds."""
    if shift == 0:
        return "vector(time())"
    return f"vector(time() {'+' if shift > 0 else '-'} {abs(shift)})"


def _date_fits(schedule: Schedule, clock: str) -> str:
    days = _one_of("day_of_month", schedule.month_days, range(1, 32), clock)
    weekdays = _one_of("day_of_week", schedule.weekdays, range(7), clock)
    months = _one_of("month", schedule.months, range(1, 13), clock)
    if schedule.either:
        either = f"clamp_max({days} + {weekdays}, 1)" if days and weekdays else ""
        found = [months, either]
    else:
        found = [months, days, weekdays]
    # Something that is a vector, even where every date fits.
    return " * ".join(part for part in found if part) or f"(month({clock}) > bool 0)"


def _one_of(function: str, values: Sequence[int], all_values: range, clock: str) -> str:
    """Whether a part of the date is one of the values; empty where it always is."""
    if len(values) == len(all_values):
        return ""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    part = f"{function}({clock})"
    texts = []
    for low, high in runs:
        bounds = [f"({part} >= bool {low})" if low > all_values[0] else "", ""]
        bounds[1] = f"({part} <= bool {high})" if high < all_values[-1] else ""
        texts.append(f"({part} == bool {low})" if low == high else " * ".join(bound for bound in bounds if bound))
    return texts[0] if len(texts) == 1 else f"({' + '.join(texts)})"


def _is_summer(zone: Zone, date: int, time: int, *, wanted: bool) -> str:
    """Whether daylight saving time holds at the start of a window, or does not, judged by the larger offset.

    Args:
        date: the shift of a clock that shows the date of the start.
        time: the start's seconds after midnight.
    """
    assert zone.summer is not None  # the zone has it
    assert zone.begins is not None
    assert zone.ends is not None
    larger = max(zone.standard, zone.summer)
    # At the start, a clock that is shifted so that the change falls on midnight is whole days from the date, and the rest.
    begins = _clock(date + (time + zone.standard - larger - zone.begins.seconds) // _DAY * _DAY)
    ends = _clock(date + (time + zone.summer - larger - zone.ends.seconds) // _DAY * _DAY)
    if zone.begins.month < zone.ends.month:
        inside, is_summer = _between(zone.begins, begins, zone.ends, ends), True
    else:
        inside, is_summer = _between(zone.ends, ends, zone.begins, begins), False
    return inside if is_summer == wanted else f"(1 - {inside})"


def _between(first: Changeover, after: str, second: Changeover, before: str) -> str:
    """Whether the year's first change has been and its second has not, each by its own shifted clock.

    The two clocks are hours apart, and at the turn of the year in different years: the second says itself that its year
    has come near the first change.
    """
    near = max(first.month - 1, 2)
    been = (
        f"((month({after}) > bool {first.month}) + (month({after}) == bool {first.month})"
        f" * {_day_reached(first, after)})"
    )
    not_been = (
        f"((month({before}) >= bool {near}) * (month({before}) < bool {second.month})"
        f" + (month({before}) == bool {second.month}) * (1 - {_day_reached(second, before)}))"
    )
    return f"{been} * {not_been}"


def _day_reached(change: Changeover, clock: str) -> str:
    """Whether, within the month, the day of the change has come: by the date of the last such weekday until today."""
    last = f"day_of_month({clock}) - (day_of_week({clock}) + {7 - change.weekday}) % 7"
    if change.week == 5:
        return f"({last} > bool days_in_month({clock}) - 7)"
    return f"({last} > bool {7 * (change.week - 1)})"
