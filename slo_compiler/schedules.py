"""When the windows of a schedule are open, by dates and the rule of its zone: what the PromQL of it must say.

Zones are taken by the rule that holds from now on, in whatever year: the rules hold no history, and neither do tests that
begin in 1970.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterator, Sequence

from slo_compiler.ir_schedules import Changeover, Schedule, Zone

_DAY = 86400
_EPOCH = datetime.date(1970, 1, 1)
_SEARCHED_DAYS = 60


def windows_between(schedule: Schedule, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The begins and ends of the windows that are open at some time in [begin, end), in seconds since 1970."""
    length = schedule.duration.whole_seconds
    first = (begin - length) // _DAY - 1
    for day in range(first, end // _DAY + 2):
        date = _EPOCH + datetime.timedelta(days=day)
        if not _fits(schedule, date):
            continue
        for time in schedule.times:
            start = moment_of(schedule.zone, day * _DAY + time, date.year)
            if start < end and start + length > begin:
                yield start, start + length


def is_open_at(schedule: Schedule, moment: int) -> bool:
    """Whether a window is open at a moment: from its begin on, and no longer at its end."""
    return any(True for _ in windows_between(schedule, moment, moment + 1))


def free_from(schedules: Sequence[Schedule], seconds: int) -> int | None:
    """The first moment from 1970 on after which no window is open for so long; None where there is none in two months."""
    limit = _SEARCHED_DAYS * _DAY
    taken = sorted(window for item in schedules for window in windows_between(item, 0, limit))
    begin = 0
    for start, end in taken:
        if start - begin >= seconds:
            break
        begin = max(begin, end)
    return begin if begin + seconds <= limit else None


def moment_of(zone: Zone, local: int, year: int) -> int:
    """The moment at which a zone's clock shows a time: the first of two, and for a skipped time by the offset before."""
    if zone.summer is None:
        return local - zone.standard
    larger, smaller = max(zone.standard, zone.summer), min(zone.standard, zone.summer)
    early = local - larger
    return early if _offset_at(zone, early, year) == larger else local - smaller


def _offset_at(zone: Zone, moment: int, year: int) -> int:
    assert zone.summer is not None  # the zone has it
    assert zone.begins is not None
    assert zone.ends is not None
    begins = _change(zone.begins, year) - zone.standard
    ends = _change(zone.ends, year) - zone.summer
    in_summer = begins <= moment < ends if begins < ends else not ends <= moment < begins
    return zone.summer if in_summer else zone.standard


def _change(change: Changeover, year: int) -> int:
    """The local time of a change, in seconds since 1970."""
    last = calendar.monthrange(year, change.month)[1]
    days = [
        day for day in range(1, last + 1) if datetime.date(year, change.month, day).isoweekday() % 7 == change.weekday
    ]
    day = days[-1] if change.week == 5 else days[change.week - 1]
    return (datetime.date(year, change.month, day) - _EPOCH).days * _DAY + change.seconds


def _fits(schedule: Schedule, date: datetime.date) -> bool:
    by_day, by_weekday = date.day in schedule.month_days, date.isoweekday() % 7 in schedule.weekdays
    fits = by_day or by_weekday if schedule.either else by_day and by_weekday
    return fits and date.month in schedule.months
