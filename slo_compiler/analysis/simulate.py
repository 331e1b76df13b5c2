"""When the alerts of resolved SLOs fire and clear in a scenario, and what it spends of the budget; values in, values out.

The tiles, windows, guards and clocks of the emitted rules are stepped, evaluation by evaluation, in exact numbers. The
incident starts together with an evaluation of both groups, after a time long enough to fill every window.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from slo_compiler.analysis.scenario import Course, Scenario, Tiles
from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.numbers import budget_seconds, events_per_second
from slo_compiler.emit.promtool_tests.alert_states import FIRING, clocks, states
from slo_compiler.ir import Level, Slices, Slo, Spec, Tier, Window


class RateOrigin(Enum):
    """Where the traffic of a simulation comes from."""

    OPTION = "option"
    SPEC = "spec"
    UNLIMITED = "unlimited"
    SLICES = "slices"  # a slice of time is an event, whatever the traffic


class Reason(Enum):
    """Why an alert does not fire: what is reached at most is not over, or not as long as, what is needed."""

    RATIO = "error-ratio"  # the share of bad events, in its worst phase
    LONG_WINDOW = "long-window"  # the share of bad events in the long window: too short a time
    SHORT_WINDOW = "short-window"  # the share in the short window, while the long one is over
    GUARD = "guard"  # bad events in the long window, while both are over
    HOLD = "for"  # seconds for which the condition holds
    BUDGET = "budget"  # the share of the period's budget


class Never(NamedTuple):
    """Why an alert does not fire, in the reason's own unit."""

    reason: Reason
    reached: Fraction
    needed: Fraction


class Episode(NamedTuple):
    """From the evaluation at which an alert fires to the one at which it is clear, in seconds from the start.

    Attributes:
        budget_spent: the share of the period's budget that is spent when it fires.
    """

    fires: int
    clears: int
    budget_spent: Fraction


class Theory(NamedTuple):
    """The closed formulas of burn-rate alerts (SRE Workbook, chapter 5), in seconds; guard and clocks are not in them.

    Attributes:
        detection: from the start, D = L f b / e.
        reset: from the end until the short window is under the factor, R = S (1 - f b / e).
    """

    detection: Fraction
    reset: Fraction


@dataclass(frozen=True, slots=True)
class AlertOutcome:
    """What one alert does.

    Attributes:
        severity: as configured.
        tier: None for the alert on the whole budget.
        step: seconds between the evaluations of its group.
        hold: `for` in seconds.
        keep: `keep_firing_for` in seconds.
        episodes: in order; empty where it never fires.
        never: why, where it never fires.
        theory: for one phase that is over the tier's factor.
        held_back_by: what makes it fire later than its burn rates: `guard`, `for`.
    """

    alert: str
    severity: str
    tier: Tier | None
    step: int
    hold: int
    keep: int
    episodes: tuple[Episode, ...]
    never: Never | None
    theory: Theory | None = None
    held_back_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SloOutcome:
    """What a scenario does to one SLO.

    Attributes:
        requests_per_second: None where traffic is so high that guards do not matter; of each group where there are groups.
        events_per_second: the same in what the SLO counts; a request has many tokens, and slices need no requests.
        budget_seconds: the period's budget as time of total failure.
        budget_events: the same in events.
        spent: share of the budget that is spent when the scenario ends; what was spent before is in it.
        alerts: tiers in the policy's order, then the budget's own; none where the SLO is only recorded.
    """

    spec: Spec
    slo: Slo
    requests_per_second: Fraction | None
    events_per_second: Fraction | None
    rate_origin: RateOrigin
    budget_seconds: Fraction
    budget_events: Fraction | None
    spent: Fraction
    alerts: tuple[AlertOutcome, ...]


def simulate(specs: Sequence[Spec], scenario: Scenario, only: Sequence[str] = ()) -> list[SloOutcome]:
    """What a scenario does to every SLO, in the order of the specs.

    Args:
        only: names or identities of SLOs; empty means all.
    """
    course = Course(scenario.phases)
    return [
        _Run(spec, slo, scenario, course).outcome()
        for spec in specs
        for slo in spec.slos
        if not only or slo.name in only or slo.slo_id in only
    ]


class _Run:
    """One SLO in one scenario."""

    def __init__(self, spec: Spec, slo: Slo, scenario: Scenario, course: Course) -> None:
        self.spec, self.slo, self.course = spec, slo, course
        self.already_spent = Fraction(scenario.already_spent)
        self.budget = Fraction(slo.budget)
        self.end = math.ceil(course.end)
        self.one_phase = len(scenario.phases) == 1
        self.requests_per_second, self.rate_origin = _traffic(spec, scenario)
        self.events_per_second = events_per_second(slo, self.requests_per_second)
        if isinstance(slo.measurement, Slices):
            self.rate_origin = RateOrigin.SLICES

    def outcome(self) -> SloOutcome:
        """The scenario's effect on the SLO."""
        budget = budget_seconds(self.slo)
        found = []
        if self.slo.mode != "none":
            found = [*(self._tier(tier) for tier in self.slo.tiers), self._exhaustion()]
        return SloOutcome(
            spec=self.spec,
            slo=self.slo,
            requests_per_second=self.requests_per_second,
            events_per_second=self.events_per_second,
            rate_origin=self.rate_origin,
            budget_seconds=budget,
            budget_events=None if self.events_per_second is None else budget * self.events_per_second,
            spent=self._spent(self.end),
            alerts=tuple(found),
        )

    def _tiles_of(self, level: Level) -> Tiles:
        """The tiles until the last window of a tier is empty and its alert is clear."""
        step = self.slo.steps.of(level)
        tail = max(tier.short.length.seconds + tier.keep_firing_for.seconds for tier in self.slo.tiers)
        # An alert clears at an evaluation after its window is empty, and one after it was kept.
        evaluations = (self.end + int(tail) + 4 * self.slo.steps.slow) // step
        return self.course.tiles(step, evaluations, self._lag(level))

    def _lag(self, level: Level) -> int:
        """Slow tiles of slices are sums of the fast ones until a fast step ago."""
        summed = isinstance(self.slo.measurement, Slices) and level is Level.SLOW
        return self.slo.steps.fast if summed else 0

    def _tier(self, tier: Tier) -> AlertOutcome:
        rule = alerts.burn_rate_alert(self.spec, self.slo, tier)
        step = self.slo.steps.of(tier.long.level)
        sums = self._window_sums(tier)
        long_limit, short_limit = self._limit(tier, tier.long), self._limit(tier, tier.short)
        guard = self._parts_of(tier.guard)
        burning = [long > long_limit and short > short_limit for long, short in sums]
        active = [burns and long > guard for burns, (long, _) in zip(burning, sums, strict=True)]
        episodes = self._episodes(rule, active, step)
        return _outcome(
            rule,
            step,
            episodes,
            None if episodes else self._why_not(tier, sums, burning, active, step),
            tier,
            self._theory(tier),
            _held_back_by(burning, active, episodes, step),
        )

    def _window_sums(self, tier: Tier) -> list[tuple[int, int]]:
        """The bad events of the long and the short window at each evaluation of the tier's group."""
        long, short = self._tiles_of(tier.long.level), self._tiles_of(tier.short.level)
        sums, newest = long.sums(tier.long.tiles), short.sums(tier.short.tiles)
        if short.step == long.step:
            return list(zip(sums, newest, strict=True))
        # Of the other group's series an evaluation reads the newest value.
        return [(bad, newest[index * long.step // short.step]) for index, bad in enumerate(sums)]

    def _limit(self, tier: Tier, window: Window) -> int:
        """A window's burn rate is over the factor where its bad events are over this."""
        return math.floor(self._ratio_needed(tier) * Fraction(window.length.seconds) * self.course.scale)

    def _ratio_needed(self, tier: Tier) -> Fraction:
        return Fraction(tier.factor) * self.budget

    def _parts_of(self, events: int) -> int:
        """So many bad events in parts of the course; more than this is more than that."""
        if self.events_per_second is None:
            return -1
        return math.floor(events * self.course.scale / self.events_per_second)

    def _why_not(
        self, tier: Tier, sums: list[tuple[int, int]], burning: list[bool], active: list[bool], step: int
    ) -> Never:
        needed = self._ratio_needed(tier)
        if self.course.worst_ratio <= needed:
            return Never(Reason.RATIO, self.course.worst_ratio, needed)
        if any(active):
            return Never(Reason.HOLD, _longest_run(active, step), Fraction(tier.hold.seconds))
        if any(burning):
            assert self.events_per_second is not None  # else no guard holds it back
            most = max(long for (long, _), burns in zip(sums, burning, strict=True) if burns)
            return Never(Reason.GUARD, most * self.events_per_second / self.course.scale, Fraction(tier.guard))
        long_limit = self._limit(tier, tier.long)
        shorts = [short for long, short in sums if long > long_limit]
        if shorts:
            return Never(Reason.SHORT_WINDOW, self._ratio(max(shorts), tier.short), needed)
        return Never(Reason.LONG_WINDOW, self._ratio(max(long for long, _ in sums), tier.long), needed)

    def _ratio(self, parts: int, window: Window) -> Fraction:
        """The error ratio in a window with so many bad events."""
        return parts / (Fraction(window.length.seconds) * self.course.scale)

    def _theory(self, tier: Tier) -> Theory | None:
        ratio, needed = self.course.worst_ratio, self._ratio_needed(tier)
        if not self.one_phase or ratio <= needed:
            return None
        long, short = Fraction(tier.long.length.seconds), Fraction(tier.short.length.seconds)
        return Theory(long * needed / ratio, short * (1 - needed / ratio))

    def _exhaustion(self) -> AlertOutcome:
        """The alert on the whole budget: the bad events of the period are over it."""
        rule = alerts.budget_exhausted(self.spec, self.slo)
        period, step = self.slo.period, self.slo.steps.slow
        left = (1 - self.already_spent) * Fraction(period.length.seconds) * self.budget
        limit = math.floor(left * self.course.scale)
        most, active = self.course.total(), list[bool]()
        if most > limit:
            evaluations = (self.end + period.length.whole_seconds) // step + 4
            sums = self.course.tiles(step, evaluations, self._lag(Level.SLOW)).sums(period.tiles)
            most, active = max(sums), [bad > limit for bad in sums]
        episodes = self._episodes(rule, active, step)
        never = None
        if any(active) and not episodes:
            never = Never(Reason.HOLD, _longest_run(active, step), Fraction(clocks(rule)[0]))
        elif not episodes:
            never = Never(Reason.BUDGET, self.already_spent + self._share(most), Fraction(1))
        return _outcome(rule, step, episodes, never)

    def _episodes(self, rule: Document, active: list[bool], step: int) -> tuple[Episode, ...]:
        if not any(active):
            return ()
        found = []
        fires: int | None = None
        for index, state in enumerate(states(active, *clocks(rule), step)):
            if state == FIRING and fires is None:
                fires = index * step
            elif state != FIRING and fires is not None:
                found.append(Episode(fires, index * step, self._spent(fires)))
                fires = None
        assert fires is None  # the last window is empty by then
        return tuple(found)

    def _spent(self, seconds: int) -> Fraction:
        """The share of the period's budget that is spent so many seconds after the start."""
        since = max(seconds - self.slo.period.length.whole_seconds, 0)
        return self.already_spent + self._share(self.course.bad_until(seconds) - self.course.bad_until(since))

    def _share(self, parts: int) -> Fraction:
        """Bad events as a share of the period's budget."""
        return parts / (self.course.scale * Fraction(self.slo.period.length.seconds) * self.budget)


def _traffic(spec: Spec, scenario: Scenario) -> tuple[Fraction | None, RateOrigin]:
    """Requests per second, and who says so."""
    if scenario.rate is not None:
        return scenario.rate.per_second, RateOrigin.OPTION
    if spec.requests_per_hour is not None:
        return Fraction(spec.requests_per_hour) / 3600, RateOrigin.SPEC
    return None, RateOrigin.UNLIMITED


def _outcome(
    rule: Document,
    step: int,
    episodes: tuple[Episode, ...],
    never: Never | None,
    tier: Tier | None = None,
    theory: Theory | None = None,
    held_back_by: tuple[str, ...] = (),
) -> AlertOutcome:
    hold, keep = clocks(rule)
    name, severity = str(rule["alert"]), str(rule["labels"]["severity"])
    return AlertOutcome(name, severity, tier, step, int(hold), int(keep), episodes, never, theory, held_back_by)


def _held_back_by(burning: list[bool], active: list[bool], episodes: tuple[Episode, ...], step: int) -> tuple[str, ...]:
    """What stands between the first evaluation at which both windows burn and the first at which the alert fires."""
    if not episodes:
        return ()
    found = []
    if active.index(True) > burning.index(True):
        found.append("guard")
    if episodes[0].fires > active.index(True) * step:
        found.append("for")
    return tuple(found)


def _longest_run(active: list[bool], step: int) -> Fraction:
    """The longest time for which a condition holds, from its first evaluation to its last."""
    runs = [len(list(run)) for holds, run in itertools.groupby(active) if holds]
    return Fraction((max(runs) - 1) * step)
