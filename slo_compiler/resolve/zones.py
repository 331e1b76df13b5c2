"""Time zones by name to the rule that holds from now on: the POSIX text at the end of a zone's compiled file."""

from __future__ import annotations

import re
from functools import cache

from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.ir_exemptions import Changeover, Zone
from slo_compiler.resources import zone_bytes, zone_names

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)"
_TIME = r"[+-]?[0-9]{1,3}(?::[0-9]{2}(?::[0-9]{2})?)?"
_RULE = rf"M([0-9]{{1,2}})\.([1-5])\.([0-6])(?:/({_TIME}))?"
_PLAIN = re.compile(rf"{_NAME}({_TIME})")
_CHANGING = re.compile(rf"{_NAME}({_TIME}){_NAME}({_TIME})?,{_RULE},{_RULE}")
_TWO_O_CLOCK = "2"


class UnknownZone(ValueError):
    """There is no such zone, or its rule cannot be written as PromQL; the message says why, the hint what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@cache
def find_zone(name: str) -> Zone:
    """The zone of that name in the IANA database.

    Raises:
        UnknownZone: there is none, or its clocks follow no rule of months, weeks and weekdays.
    """
    known = zone_names()
    if name not in known:
        raise UnknownZone(f"unknown time zone {name!r}", did_you_mean(name, known, otherwise="such as"))
    return read_rule(name, zone_bytes(name).rstrip(b"\n").rpartition(b"\n")[2].decode("ascii"))


def read_rule(name: str, text: str) -> Zone:
    """Reads `CET-1CEST,M3.5.0,M10.5.0/3`, in which offsets count west of UTC.

    Raises:
        UnknownZone: the rule is by days of the year, or both changes lie in one month.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return Zone(name, -_seconds(plain[1]))
    match = _CHANGING.fullmatch(text)
    if match is None or match[3] == match[7]:
        message = f"the clocks of {name} follow the rule {text!r}, which PromQL's calendar cannot tell"
        raise UnknownZone(message, "timeZone: UTC, with the cron in that time")
    standard = -_seconds(match[1])
    summer = -_seconds(match[2]) if match[2] is not None else standard + 3600
    begins, ends = (
        Changeover(int(match[at]), int(match[at + 1]), int(match[at + 2]), _seconds(match[at + 3] or _TWO_O_CLOCK))
        for at in (3, 7)
    )
    return Zone(name, standard, summer, begins, ends)


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)
