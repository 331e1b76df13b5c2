"""What happens in a simulation: shares of bad events for a time each, at a traffic; and how people write them."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from slo_compiler.units import Duration, decimal_text

_RATE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)/([smhd])")
_SECONDS_OF = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Phase(NamedTuple):
    """For so long, this share of all events is bad."""

    bad_ratio: Decimal
    duration: Duration


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a second, a minute, an hour or a day: `5/s`, `20/h`."""

    requests: Decimal
    unit: str

    @staticmethod
    def parse(text: str) -> Rate:
        """Reads `5/s`, `0.5/m`, `20/h`, `300/d`.

        Raises:
            ValueError: the text is no such rate, or is zero.
        """
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no rate")
        if not Decimal(match[1]):
            raise ValueError(f"{text!r} is zero")
        return Rate(Decimal(match[1]), match[2])

    @property
    def per_second(self) -> Fraction:
        """Requests per second, exact."""
        return Fraction(self.requests) / _SECONDS_OF[self.unit]

    def __str__(self) -> str:
        return f"{decimal_text(self.requests)}/{self.unit}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """An incident after a long time without a bad event, at steady traffic, and none after it.

    Attributes:
        phases: one after the other.
        rate: the traffic; None takes what the spec expects.
        already_spent: the share of the period's budget that was spent before, and stays in the period throughout.
    """

    phases: tuple[Phase, ...]
    rate: Rate | None = None
    already_spent: Decimal = Decimal(0)

    @property
    def duration(self) -> Duration:
        """From the first bad event to the last."""
        return Duration(sum((phase.duration.seconds for phase in self.phases), Decimal(0)))


class Course:
    """The bad events of a scenario over time, exact.

    Traffic is steady, so they are counted in seconds of total failure: half of all events bad for 10 s are 5 s. To stay
    in whole numbers these are given in parts of which `scale` make a second.
    """

    def __init__(self, phases: tuple[Phase, ...]) -> None:
        shares = [Fraction(phase.bad_ratio) for phase in phases]
        durations = [Fraction(phase.duration.seconds) for phase in phases]
        by_share = math.lcm(*(share.denominator for share in shares))
        self._by_time = math.lcm(*(duration.denominator for duration in durations))
        self.scale = by_share * self._by_time
        self._phases: list[tuple[int, int, int]] = []
        start = 0
        for share, duration in zip(shares, durations, strict=True):
            end = start + int(duration * self._by_time)
            self._phases.append((int(share * by_share), start, end))
            start = end
        self._tiles: dict[tuple[int, int, int], Tiles] = {}
        self.end = Fraction(start, self._by_time)
        self.worst_ratio = max(shares)

    def bad_until(self, seconds: int) -> int:
        """All that was bad until so many seconds after the start."""
        now, bad = seconds * self._by_time, 0
        for share, start, end in self._phases:
            if now <= start:
                break
            bad += share * (min(now, end) - start)
        return bad

    def total(self) -> int:
        """All that is bad in the end."""
        return sum(share * (end - start) for share, start, end in self._phases)

    def tiles(self, step: int, evaluations: int, lag: int = 0) -> Tiles:
        """The course as the rules record it, the same for all SLOs.

        Args:
            lag: how many seconds before its evaluation a tile ends.
        """
        key = (step, evaluations, lag)
        if key not in self._tiles:
            until = [self.bad_until(index * step - lag) for index in range(evaluations)]
            self._tiles[key] = Tiles(until, step)
        return self._tiles[key]


class Tiles:
    """What the rules record of a course: the bad events of each step, and at each evaluation their sums over windows.

    Args:
        until: all that was bad until each evaluation, of which the first is the start.
        step: seconds between evaluations, which is the length of a tile.
    """

    def __init__(self, until: list[int], step: int) -> None:
        self.step = step
        self._until = until

    def sums(self, tiles: int) -> list[int]:
        """The bad events of the last so many tiles, at each evaluation."""
        return [*self._until[:tiles], *map(operator.sub, self._until[tiles:], self._until)]
