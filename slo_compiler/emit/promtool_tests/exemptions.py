"""Exemptions: conditions and the seconds that are used to masks and to tiles of 0, each on both sides of its edges."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.burn import DECOY, labels
from slo_compiler.emit.promtool_tests.delays import delay_of
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    Slot,
    at,
    expect,
    expect_scaled,
    group,
    raw_input,
    series_name,
    values,
)
from slo_compiler.emit.tiles import tile_reach
from slo_compiler.ir import Exemption, Slo, Spec
from slo_compiler.ir_schedules import Schedule
from slo_compiler.promql import names
from slo_compiler.schedules import free_from, is_open_at, windows_between
from slo_compiler.units import Duration

# So long after the epoch the tests of the fast file last at most; no window of a schedule may fall into them.
_QUIET_SECONDS = 3 * 3600 - 600


def quiet_from(spec: Spec) -> int:
    """The moment from which no window of a schedule is open for as long as the tests last, on a whole number of minutes.

    Raises:
        ValueError: there is none, which resolution refuses.
    """
    schedules = [item.schedule for slo in spec.slos for item in slo.exemptions if item.schedule is not None]
    if not schedules:
        return 0
    begin = free_from(schedules, _QUIET_SECONDS)
    if begin is None:
        raise ValueError(f"{spec.name}: the schedules leave no time for tests")
    # A mask holds for some tiles after its condition.
    after = max(tile_reach(slo) for slo in spec.slos) + 2 * spec.steps.fast
    return 0 if begin == 0 else math.ceil((begin + after) / 60) * 60


@dataclass(slots=True)
class Masks:
    """The second statement of the masks: at each evaluation of the fast step, from what is given.

    Attributes:
        given: times between the evaluations at which a condition is recorded to hold, by exemption.
        young: whether a replica is young at a time, for a cold start.
        used: seconds that are used from the first on, by exemption.
        begin: the delay of the test, in which windows of schedules may be open.
    """

    slo: Slo
    evaluations: int
    given: Mapping[str, Sequence[float]] = field(default_factory=dict)
    young: Callable[[float], bool] = lambda time: False
    used: Mapping[str, float] = field(default_factory=dict)
    begin: int = 0
    _masks: dict[str, list[bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for exemption in self.slo.exemptions:
            self._masks[exemption.name] = self._course(exemption)

    def masks(self, exemption: Exemption, time: float) -> bool:
        """Whether one exemption masks at an evaluation."""
        return self._masks[exemption.name][round(time / self.slo.steps.fast)]

    def all_masked(self, time: float) -> bool:
        """Whether a tile counts nothing."""
        return any(item.masks_all and self.masks(item, time) for item in self.slo.exemptions)

    def _course(self, exemption: Exemption) -> list[bool]:
        steps, found = self.slo.steps, list[bool]()
        tiles = steps.slow // steps.fast
        # A tile that ends at an evaluation still holds what happened a reach before it, and conditions are seen once a
        # step: so many evaluations back, half of one left out so that none lies on the edge.
        back = math.ceil((tile_reach(self.slo) + steps.fast) / steps.fast)
        held = (back - 0.5) * steps.fast
        used = 0.0
        before = self.begin // steps.fast
        holding: list[bool] = []
        for index in range(before + self.evaluations):
            now = index * steps.fast - self.begin
            if index == before:
                used += self.used.get(exemption.name, 0.0)
            holding.append(self._holds(exemption, now))
            seen = any(now - held < moment <= now for moment in self.given.get(exemption.name, ()))
            found.append((seen or any(holding[-back:])) and used < float(exemption.most.seconds))
            used += steps.fast * sum(found[max(0, index - tiles) : index])
        return found[before:]

    def _holds(self, exemption: Exemption, now: int) -> bool:
        if exemption.schedule is not None:
            return now < 0 and is_open_at(exemption.schedule, now + self.begin)
        return exemption.young is not None and now >= 0 and self.young(now)


def condition_series(slo: Slo, exemption: Exemption, times: Sequence[float], slot: float, length: float) -> Document:
    """The condition of an exemption as a recorded series that holds at these times, in slots of so many seconds."""
    slots: list[Slot] = [GAP] * (int(length / slot) + 1)
    for time in times:
        slots[round(time / slot)] = 1.0
    name = series_name(names.EXEMPT_WHEN, {"exemption": exemption.name, "slo_id": slo.slo_id})
    return raw_input(name, values(slots))


# In fast steps: each exemption holds for three of them, twelve apart; in its second time the period's share runs out.
_HOLDS, _APART = 3, 24
_SLOTS = 3
_EVENTS = 120.0


def masks(spec: Spec) -> Document | None:
    """Conditions and used seconds to masks and tiles; None where nothing is exempt."""
    members = [slo for slo in spec.slos if slo.exemptions]
    if not members:
        return None
    step = spec.steps.fast
    slot = step / _SLOTS
    length = _APART * (2 * max(len(slo.exemptions) for slo in members) + 1)
    series: list[Document] = []
    checks: list[Document] = []
    begin = delay_of(Duration(Decimal(slot)), quiet_from(spec), step)
    courses = {slo.slo_id: _course(slo, length, begin) for slo in members}
    for slo in members:
        own = courses[slo.slo_id]
        for exemption in slo.exemptions:
            series.append(condition_series(slo, exemption, own.given[exemption.name], slot, length * step))
            series.append(_preload(slo, exemption, own.used[exemption.name]))
        if any(item.masks_all for item in slo.exemptions):
            series.append(
                raw_input(series_name(names.SEEN_EVENTS, {"slo_id": slo.slo_id}), f"{_EVENTS:g}x{length * _SLOTS}")
            )
    for name in (names.EXEMPT_WHEN, names.EXEMPT_SECONDS):
        decoy = series_name(name, {"slo_id": DECOY, "exemption": members[0].exemptions[0].name})
        series.append(raw_input(decoy, f"1000000x{length * _SLOTS}"))
    for look in range(1, length):
        checks += _looked_at(members, courses, look * step)
    return group("exemptions mask tiles", at(slot), series, checks)


def _looked_at(members: Sequence[Slo], courses: Mapping[str, Masks], time: int) -> list[Document]:
    masking = []
    events = []
    for slo in members:
        own = courses[slo.slo_id]
        for exemption in slo.exemptions:
            name = series_name(names.EXEMPT, {"exemption": exemption.name, "slo_id": slo.slo_id})
            masking.append((name, float(own.masks(exemption, time))))
        if any(item.masks_all for item in slo.exemptions):
            events.append((labels(slo.slo_id), 0.0 if own.all_masked(time) else _EVENTS))
    found = [expect(time, f'{names.EXEMPT}{{slo_id!="{DECOY}"}}', sorted(masking))]
    if events:
        found.append(expect_scaled(time, f'{names.EVENTS["fast"]}{{slo_id!="{DECOY}"}}', sorted(events)))
    return found


def _course(slo: Slo, length: int, begin: int) -> Masks:
    """Each exemption's condition in two stretches of its own; a little of its share is left, which the second uses up."""
    step = slo.steps.fast
    given: dict[str, list[float]] = {}
    used: dict[str, float] = {}
    for index, exemption in enumerate(slo.exemptions):
        begins = (2 * index * _APART + 2, (2 * index + 1) * _APART + 2)
        given[exemption.name] = [
            (begin + number) * step + step / _SLOTS for begin in begins for number in range(_HOLDS)
        ]
        first = Masks(slo, length, {exemption.name: given[exemption.name][:_HOLDS]})
        masked = sum(first.masks(exemption, look * step) for look in range(length))
        # Each masked step is counted by every evaluation that sees it, and the second stretch adds its own one by one.
        counted = masked * step * (slo.steps.slow // step)
        used[exemption.name] = max(0.0, float(exemption.most.seconds) - counted - step)
    return Masks(slo, length, given, used=used, begin=begin)


def _preload(slo: Slo, exemption: Exemption, used: float) -> Document:
    """Seconds that were used before, between two evaluations."""
    name = series_name(names.EXEMPT_SECONDS, {"exemption": exemption.name, "slo_id": slo.slo_id})
    return raw_input(name, f"_ {used!r}")


def has_schedules(spec: Spec) -> bool:
    """Whether some window of the spec follows the calendar."""
    return any(item.schedule is not None for slo in spec.slos for item in slo.exemptions)


# Windows of a schedule are looked at this many times, on both sides of their begin and end.
_WINDOWS = 3
_LONGEST_PROOF_DAYS = 45
_MOST_EVALUATIONS = 1200


def schedules(spec: Spec) -> tuple[int, list[Document]]:
    """Schedules against the calendar, and the seconds between evaluations; no groups where the spec has no schedule.

    promtool's clock begins on Thursday, 1 January 1970. Evaluations lie on the minutes at which windows begin and end.
    """
    looked: list[tuple[Slo, Exemption, Schedule]] = [
        (slo, item, item.schedule) for slo in spec.slos for item in slo.exemptions if item.schedule is not None
    ]
    if not looked:
        return 0, []
    moments: set[int] = set()
    for _, _, schedule in looked:
        moments |= _edges(schedule)
    interval = math.gcd(*moments, 12 * 3600)
    while max(moments, default=0) / interval > _MOST_EVALUATIONS:
        moments.discard(max(moments))
        interval = math.gcd(*moments, 12 * 3600)
    # As close to the edges as there is room for.
    while interval % 120 == 0 and 2 * max(moments, default=interval) / interval <= _MOST_EVALUATIONS:
        interval //= 2
    checks = []
    times = sorted({moment + around for moment in moments for around in (-interval, 0) if moment + around > 0})
    for time in times or [interval]:
        samples = [
            (series_name(names.EXEMPT_WHEN, {"exemption": item.name, "slo_id": slo.slo_id}), 1.0)
            for slo, item, schedule in looked
            if is_open_at(schedule, time)
        ]
        checks.append(expect(time, names.EXEMPT_WHEN, sorted(samples)))
    return interval, [group("schedules follow the calendar", at(interval), [], checks)]


def _edges(schedule: Schedule) -> set[int]:
    """Begins and ends of the first windows."""
    found: set[int] = set()
    for number, (begin, end) in enumerate(windows_between(schedule, 0, _LONGEST_PROOF_DAYS * 86400)):
        if number == _WINDOWS:
            break
        found |= {moment for moment in (begin, end) if moment > 0}
    return found
