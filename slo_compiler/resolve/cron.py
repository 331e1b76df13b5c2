"""Five cron fields to the times and dates that they mean."""

from __future__ import annotations

import re
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]{1,2}))?")


class NotCron(ValueError):
    """The text is no cron expression; the message says which part."""


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    words_from: int = 0


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of week", 0, 7, _WEEKDAYS, 0),
)


class Cron(NamedTuple):
    """What a cron expression means; see `ir_exemptions.Schedule` for its parts."""

    times: tuple[int, ...]
    month_days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool


def read_cron(text: str) -> Cron:
    """Reads `0 3 * * 0`, `*/30 1-4 1,15 jan-mar mon`: minute, hour, day of month, month, day of week.

    Lists, ranges, steps and the first three letters of months and days, as in crontab(5): where both the day of month and
    the day of week are restricted, which a field that begins with `*` is not, either of them is enough. 7 is Sunday, too.

    Raises:
        NotCron: a field is missing, too many, or none, or no date of any year fits.
    """
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise NotCron(
            f"{text!r} has {len(parts)} fields, and cron has 5: minute, hour, day of month, month, day of week"
        )
    minutes, hours, days, months, weekdays = (_values(part, field) for part, field in zip(parts, _FIELDS, strict=True))
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    if not either and not any(day <= _LONGEST_MONTHS[month - 1] for day in days for month in months):
        raise NotCron(f"{text!r} never comes: no month of it has such a day")
    times = tuple(hour * 3600 + minute * 60 for hour in hours for minute in minutes)
    return Cron(times, days, months, tuple(sorted({day % 7 for day in weekdays})), either)


def _values(text: str, field: _Field) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise NotCron(f"{part!r} is no {field.name} of cron")
        low = field.low if match[1] else _value(match[2], field)
        high = _value(match[3], field) if match[3] else field.high if match[1] or match[4] else low
        step = int(match[4]) if match[4] else 1
        if step == 0 or high < low:
            raise NotCron(
                f"{part!r} is no {field.name} of cron: " + ("its step is 0" if step == 0 else "it runs backwards")
            )
        found.update(range(low, high + 1, step))
    return tuple(sorted(found))


def _value(text: str, field: _Field) -> int:
    if text[:3] in field.words and (len(text) == 3):
        return field.words.index(text) + field.words_from
    if not text.isdigit() or not field.low <= int(text) <= field.high:
        raise NotCron(f"{text!r} is no {field.name}: it lies in {field.low} to {field.high}")
    return int(text)
