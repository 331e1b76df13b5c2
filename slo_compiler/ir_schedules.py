"""The resolved form of schedules: windows of local time, and the rules by which clocks change.

Seconds are whole; nothing here holds a date, so that what follows from it is the same in every year.
"""

from typing import NamedTuple

from slo_compiler.units import Duration


class Changeover(NamedTuple):
    """The moment of each year at which a zone's clocks change: POSIX `M<month>.<week>.<weekday>/<time>`.

    Attributes:
        week: 1 to 4; 5 is the last of the month.
        weekday: 0 is Sunday.
        seconds: of the local clock before the change, after that day's midnight; below 0 or over a day are other days.
    """

    month: int
    week: int
    weekday: int
    seconds: int


class Zone(NamedTuple):
    """A time zone: seconds east of UTC, and where its clocks change, both offsets and the two changes.

    Attributes:
        standard: in standard time.
        summer: in daylight saving time, less than `standard` where that is how a zone says it; None without any.
        begins, ends: the changes to daylight saving time and back.
    """

    name: str
    standard: int
    summer: int | None = None
    begins: Changeover | None = None
    ends: Changeover | None = None


UTC = Zone("UTC", 0)


class Schedule(NamedTuple):
    """Windows that begin at local times of certain dates.

    A time that the clocks skip is taken by the offset before the change; one that they show twice is the first.

    Attributes:
        cron: as the spec writes it.
        times: seconds after local midnight, ascending.
        month_days, months, weekdays: ascending; 0 is Sunday.
        either: a date fits if its day of month or its weekday does, as cron has it where both are restricted.
        duration: of each window.
    """

    cron: str
    times: tuple[int, ...]
    month_days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    duration: Duration
    zone: Zone
