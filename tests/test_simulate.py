"""The mathematics of a simulation: what must hold for every incident, and what promtool makes of the emitted rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.analysis.scenario import Phase, Rate, Scenario
from slo_compiler.analysis.simulate import AlertOutcome, Reason, SloOutcome, simulate
from slo_compiler.ir import Level, Slo, Spec
from slo_compiler.units import Duration, parse_percent
from tests.promtool_case import DAY, HOUR, MINUTE, Case, Compiled, compile_text

JOB = 'job="vllm-chat",model_name="acme/chat"'
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: chat}}
spec:
  service: assistant
  model: acme/chat
  engine: {{name: vllm, version: "0.11"}}
  selector: {{job: vllm-chat}}
  experienceClass: {experience}
  timeWindow: [{{duration: {period}, isRolling: true}}]
  objectives:
    - {objective}
"""
TTFT = "{{sli: ttft, threshold: 250ms, target: {}}}"
ERRORS = "{sli: availability, target: 99.9%, source: {bad: 'gw_errors_total{app=\"x\"}', total: 'gw_total{app=\"x\"}'}}"
SLICES = "{sli: throughput, rate: 1850, slice: 2m, target: 95%}"
JOBS = "{sli: job_completion, threshold: 4h, target: 95%, source: {due: docs_due_total, onTime: docs_on_time_total}}"


def text_of(objective: str, period: str = "28d", experience: str = "conversational") -> str:
    return SPEC.format(objective=objective, period=period, experience=experience)


def scenario_of(phases: str, rate: str | None = None, already_spent: str = "0%") -> Scenario:
    """`60% 13m, 0% 20m`: a share of bad events and for how long, one phase after the other."""
    pairs = [part.split() for part in phases.split(", ")]
    return Scenario(
        tuple(Phase(parse_percent(share), Duration.parse(time)) for share, time in pairs),
        Rate.parse(rate) if rate else None,
        parse_percent(already_spent),
    )


@cache
def spec_of(objective: str, period: str = "28d", experience: str = "conversational") -> Spec:
    with TemporaryDirectory() as folder:
        spec = compile_text(Path(folder), text_of(objective, period, experience)).spec
    assert spec is not None
    return spec


def run(spec: Spec, scenario: Scenario) -> SloOutcome:
    (outcome,) = simulate([spec], scenario)
    return outcome


def first(alert: AlertOutcome) -> float:
    """When it fires first; never is infinitely late."""
    return alert.episodes[0].fires if alert.episodes else math.inf


def last(alert: AlertOutcome) -> float:
    """When it is clear for good."""
    return alert.episodes[-1].clears if alert.episodes else 0


# What holds for every incident.

objectives = st.sampled_from([TTFT.format("95%"), TTFT.format("99%"), ERRORS])
shares = st.integers(1, 1000).map(lambda thousandths: Decimal(thousandths) / 1000)
durations = st.integers(1, 40 * HOUR).map(Duration.of)
rates = st.none() | st.integers(1, 5000).map(lambda events: Rate(Decimal(events), "h"))


@given(objectives, shares, shares, durations, rates)
def test_more_bad_never_fires_later(
    objective: str, one: Decimal, two: Decimal, duration: Duration, rate: Rate | None
) -> None:
    less, more = (
        run(spec_of(objective), Scenario((Phase(share, duration),), rate)).alerts for share in sorted((one, two))
    )
    assert all(first(worse) <= first(milder) for worse, milder in zip(more, less, strict=True))


@given(objectives, shares, durations, durations, rates)
def test_longer_never_clears_earlier(
    objective: str, share: Decimal, one: Duration, two: Duration, rate: Rate | None
) -> None:
    shorter, longer = (
        run(spec_of(objective), Scenario((Phase(share, duration),), rate)).alerts for duration in sorted((one, two))
    )
    assert all(last(long) >= last(short) for long, short in zip(longer, shorter, strict=True))
    assert all(first(long) <= first(short) for long, short in zip(longer, shorter, strict=True))


@given(objectives, shares, durations, rates)
def test_budget_is_spent_by_bad_share_and_time(
    objective: str, share: Decimal, duration: Duration, rate: Rate | None
) -> None:
    spec = spec_of(objective)
    outcome = run(spec, Scenario((Phase(share, duration),), rate))
    total = Fraction(28 * DAY) * Fraction(spec.slos[0].budget)
    assert outcome.spent == Fraction(share) * Fraction(duration.seconds) / total
    for alert in outcome.alerts:
        for episode in alert.episodes:
            burning = min(Fraction(episode.fires), Fraction(duration.seconds))
            assert episode.budget_spent == Fraction(share) * burning / total


@given(objectives, shares, durations)
def test_without_guard_and_hold_theory_is_met_within_a_step(objective: str, share: Decimal, duration: Duration) -> None:
    for alert in run(spec_of(objective), Scenario((Phase(share, duration),))).alerts:
        if alert.tier is None or alert.hold:
            continue
        if alert.theory is None:
            assert alert.never is not None
            assert alert.never.reason is Reason.RATIO
        elif alert.episodes:
            assert alert.theory.detection < alert.episodes[0].fires <= alert.theory.detection + alert.step
            # Windows hold whole tiles and are looked at once a step; what is kept ends a step later at most.
            reset = alert.episodes[0].clears - duration.seconds - alert.keep
            assert reset <= alert.theory.reset + 2 * alert.step
        else:
            assert alert.never is not None
            assert alert.never.reason is Reason.LONG_WINDOW
            assert alert.theory.detection + alert.step > duration.seconds


@given(objectives, shares, durations, rates)
def test_what_never_fires_has_a_reason_with_numbers(
    objective: str, share: Decimal, duration: Duration, rate: Rate | None
) -> None:
    for alert in run(spec_of(objective), Scenario((Phase(share, duration),), rate)).alerts:
        assert (alert.never is None) == bool(alert.episodes)
        if alert.never is not None:
            assert 0 <= alert.never.reached <= alert.never.needed


@given(objectives, shares, shares, durations)
def test_one_phase_may_be_written_as_two(objective: str, share: Decimal, cut: Decimal, duration: Duration) -> None:
    spec = spec_of(objective)
    parts = tuple(Phase(share, Duration(duration.seconds * part)) for part in (cut, 1 - cut) if part)
    whole, split = (run(spec, Scenario(phases)).alerts for phases in ((Phase(share, duration),), parts))
    assert [alert.episodes for alert in whole] == [alert.episodes for alert in split]


@pytest.mark.parametrize(
    ("phases", "rate", "tier", "reason"),
    [
        ("71% 3h", None, "14.4x", Reason.RATIO),
        ("73% 43m", None, "14.4x", Reason.LONG_WINDOW),
        ("90% 3h", "1/h", "14.4x", Reason.GUARD),
        ("90% 14m, 0% 3h, 40% 80m", None, "6x", Reason.LONG_WINDOW),
        ("51% 7h, 26% 2h", "6/h", "1x", Reason.GUARD),
        ("90% 4h, 4% 1h", None, "budget", Reason.BUDGET),
    ],
    ids=["too mild", "too short", "too few events", "two phases too short", "guard of the ticket", "budget left"],
)
def test_reason_is_named(phases: str, rate: str | None, tier: str, reason: Reason) -> None:
    outcome = run(spec_of(TTFT.format("95%")), scenario_of(phases, rate))
    (alert,) = [item for item in outcome.alerts if (item.tier.name if item.tier else "budget") == tier]
    assert alert.never is not None
    assert alert.never.reason is reason


def test_a_window_that_burns_alone_is_a_reason() -> None:
    """After a pause the long window is pushed over its factor by less than the short one would need."""
    outcome = run(spec_of(TTFT.format("99%")), scenario_of("90% 9m30s, 0% 20m, 5% 20m"))
    never = outcome.alerts[0].never
    assert never is not None
    assert (never.reason, never.reached, never.needed) == (Reason.SHORT_WINDOW, Fraction("0.05"), Fraction("0.144"))


def test_a_condition_that_ends_before_its_hold_is_a_reason() -> None:
    """The batch class opens tickets, which wait for 15m: 9m36s of 90% are over, and 4m12s after the end no longer."""
    outcome = run(spec_of(TTFT.format("99%"), experience="batch"), scenario_of("90% 10m"))
    never = outcome.alerts[0].never
    assert never is not None
    # Over at 10m; 3m30s of 5m at 90% are 12.6%, so the last evaluation over is the one 4m after the end.
    assert (never.reason, never.reached, never.needed) == (Reason.HOLD, Fraction(240), Fraction(900))


# What promtool makes of the emitted rules.

STALE = "stale"
# Scrapes lie 5 s after a multiple of 15 s, so that the last one before an evaluation is 10 s old.
LAG = 10
# The scenarios start at an evaluation of both groups.
START = 20 * MINUTE


def bad_seconds(scenario: Scenario, since_start: float) -> float:
    """Time of total failure until then."""
    total, begin = 0.0, 0.0
    for phase in scenario.phases:
        length = float(phase.duration.seconds)
        total += float(phase.bad_ratio) * min(max(since_start - begin, 0.0), length)
        begin += length
    return total


def raw_series(case: Case, objective: str, per_second: float, bad: Callable[[float], float]) -> None:
    """The scrapes of an engine or a gateway at steady traffic."""

    def errors(time: float) -> float:
        return round(100 + per_second * bad(time), 6)  # a counter that slips by a hair is a reset

    def good(time: float) -> float:
        return round(5000 + per_second * (time - bad(time)), 6)

    if objective == ERRORS:
        case.scraped('gw_total{app="x",code="200"}', good)
        case.scraped('gw_total{app="x",code="500"}', errors)
        case.scraped('gw_errors_total{app="x"}', errors)
        return
    name = "vllm:time_to_first_token_seconds"
    case.scraped(f"{name}_count{{{JOB}}}", lambda time: good(time) + errors(time))
    case.scraped(f'{name}_bucket{{{JOB},le="0.25"}}', good)


def expect(case: Case, start: int, alert: AlertOutcome, slo: Slo) -> None:
    """One evaluation before it fires the alert does not, at it it does; the same for clearing."""
    labels = {"slo_id": slo.slo_id, **({"tier": alert.tier.name} if alert.tier is not None else {})}
    matchers = ",".join(f'{key}="{value}"' for key, value in labels.items())
    firing = f'ALERTS{{alertname="{alert.alert}",alertstate="firing",{matchers}}}'
    for episode in alert.episodes:
        case.nothing(start + episode.fires - alert.step, firing)
        case.firing(start + episode.fires, alert.alert, **labels)
        case.firing(start + episode.clears - alert.step, alert.alert, **labels)
        case.nothing(start + episode.clears, firing)


def alerts_of(outcome: SloOutcome, level: Level) -> list[AlertOutcome]:
    """The alerts of one group; the budget's stands in the slow one."""
    return [alert for alert in outcome.alerts if (alert.tier.long.level if alert.tier else Level.SLOW) is level]


def prove_fast(compiled: Compiled, objective: str, outcome: SloOutcome, scenario: Scenario) -> None:
    """Scrapes in, at the fast step: tiles, short windows and the alerts of the fast group come from the rules."""
    found = alerts_of(outcome, Level.FAST)
    end = START + max([int(last(alert)) for alert in found] + [int(scenario.duration.seconds)]) + 10 * MINUTE
    case = Case(compiled, end, step=30)
    per_second = float(outcome.events_per_second or 50)
    raw_series(case, objective, per_second, lambda time: bad_seconds(scenario, time - START + LAG))
    for alert in found:
        expect(case, START, alert, outcome.slo)
        if not alert.episodes:
            assert alert.tier is not None
            case.silent(end, alert.alert, tier=alert.tier.name)
    case.prove()


def tile_text(steps: int, every: int, slot: int, tile: Callable[[int], float], *, stale_every: int = 0) -> str:
    """A recorded series: tile k a third of a step before evaluation k.

    Where the slots of evaluations are stale, the rules that make bad events of events write none of their own.
    """
    slots = ["_"] * (steps * every // slot + 1)
    if stale_every:
        slots[:: stale_every // slot] = [STALE] * len(slots[:: stale_every // slot])
        # As many tiles as targets, of which the first is recorded at evaluation 0.
        slots[1] = repr(tile(0))
    for index in range(1, steps + 1):
        slots[(index * every - every // 3) // slot] = repr(tile(index))
    return " ".join(slots)


def prove_slow(
    compiled: Compiled, outcome: SloOutcome, scenario: Scenario, levels: tuple[Level, ...] = tuple(Level)
) -> None:
    """Tiles in, at their true spacing, evaluated at the slow step: long windows, alerts and the budget come out.

    Args:
        levels: whose tiles are given. Without the fast ones, alerts that look at a fast window are not asked about,
            without the slow ones, those that divide by the number of evaluations.
    """
    slo = outcome.slo
    found = [
        alert
        for alert in alerts_of(outcome, Level.SLOW)
        if Level.FAST in levels or alert.tier is None or alert.tier.short.level is Level.SLOW
    ]
    summed = Level.SLOW not in levels  # by the rules, which have no tile at evaluation 0 but a target
    if summed:
        found = [alert for alert in found if alert.tier is not None and not alert.tier.long.by_evaluations]
    duration = math.ceil(scenario.duration.seconds / 240) * 240
    end = START + max([int(last(alert)) for alert in found] + [duration]) + 1200
    slot = 10 if Level.FAST in levels else 80
    case = Case(compiled, end, step=240, slot=slot)
    per_second = float(outcome.events_per_second or 50)
    labels = f'{{slo_id="{slo.slo_id}"}}'
    for level in levels:
        step = slo.steps.of(level)

        def bad(tile: int, step: int = step) -> float:
            now = tile * step - START
            return per_second * (bad_seconds(scenario, now) - bad_seconds(scenario, now - step))

        def events(tile: int, step: int = step) -> float:
            del tile
            return per_second * step

        case.drawn(f"slo:events:{level.value}{labels}", tile_text(end // step, step, slot, events, stale_every=240))
        case.drawn(f"slo:bad_events:{level.value}{labels}", tile_text(end // step, step, slot, bad))
    remaining = f"slo:period_budget_remaining:ratio{labels}"
    for alert in found:
        expect(case, START, alert, slo)
        if not alert.episodes:
            case.silent(end, alert.alert, **({"tier": alert.tier.name} if alert.tier else {}))
        for episode in alert.episodes if not summed else ():
            case.about(START + episode.fires, remaining, 1 - float(episode.budget_spent), within=1e-6)
    if not summed:
        case.about(START + duration, remaining, 1 - float(outcome.spent), within=1e-6)
    case.prove()


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("objective", "period", "phases", "rate", "fire"),
    [
        pytest.param(TTFT.format("95%"), "28d", "83% 57m", "11/s", {"14.4x", "outage"}, id="95% of first tokens"),
        pytest.param(TTFT.format("99%"), "28d", "37% 71m", "7/s", {"14.4x", "6x"}, id="99% of first tokens"),
        pytest.param(ERRORS, "28d", "7% 67m", "13/s", {"14.4x", "6x", "1x"}, id="three nines at a gateway"),
        pytest.param(TTFT.format("99%"), "7d", "11% 67m", None, {"3.6x", "1.5x"}, id="a period of 7 days"),
        pytest.param(ERRORS, "28d", "100% 37m", "23/h", {"14.4x", "6x"}, id="a guard delays at low traffic"),
        pytest.param(
            TTFT.format("99%"),
            "28d",
            "60% 17m, 0% 55m, 77% 19m",
            "3/s",
            {"14.4x", "6x"},
            id="a second phase fires again",
        ),
        pytest.param(TTFT.format("95%"), "28d", "49% 40m", "3/s", set(), id="nothing fires just under"),
        pytest.param(JOBS, "28d", "43% 9h", "977/h", {"6x", "1x"}, id="a batch job with two tiers"),
    ],
)
def test_promtool_sees_each_alert_fire_and_clear_as_predicted(
    tmp_path: Path, objective: str, period: str, phases: str, rate: str | None, fire: set[str]
) -> None:
    experience = "batch" if objective == JOBS else "conversational"
    compiled = compile_text(tmp_path, text_of(objective, period, experience))
    assert compiled.spec is not None
    scenario = scenario_of(phases, rate)
    outcome = run(compiled.spec, scenario)
    assert {alert.tier.name for alert in outcome.alerts if alert.tier and alert.episodes} == fire
    if alerts_of(outcome, Level.FAST):
        prove_fast(compiled, objective, outcome, scenario)
    prove_slow(compiled, outcome, scenario)


@pytest.mark.promtool
def test_promtool_sums_slices_a_fast_step_late(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, text_of(SLICES))
    assert compiled.spec is not None
    scenario = scenario_of("51% 4h")
    outcome = run(compiled.spec, scenario)
    assert outcome.events_per_second == Fraction(1, 120)
    tier = outcome.alerts[2]
    assert tier.tier is not None
    # 30% of 6h are 3h31m46s of 51%, and half a minute more until the slow tiles have them: 3h32m is too early.
    assert (tier.tier.name, first(tier)) == ("6x", 3 * HOUR + 36 * MINUTE)
    assert first(run(spec_of(TTFT.format("95%")), scenario).alerts[2]) == 3 * HOUR + 32 * MINUTE
    prove_slow(compiled, outcome, scenario, (Level.FAST,))


@pytest.mark.promtool
def test_promtool_sees_the_budget_exhausted_and_back(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, text_of(TTFT.format("99%"), "2d"))
    assert compiled.spec is not None
    scenario = scenario_of("97% 37m")
    outcome = run(compiled.spec, scenario)
    exhausted = outcome.alerts[-1]
    # 29m42s of it are the 28m48s of the budget: over at 32m, and the alert waits for 15m more. It clears when 7m18s of
    # the bad time have left the period.
    assert [(episode.fires, episode.clears) for episode in exhausted.episodes] == [(48 * MINUTE, 2 * DAY + 8 * MINUTE)]
    prove_slow(compiled, outcome, scenario, (Level.SLOW,))
