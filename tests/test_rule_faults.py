"""Known faults of burn-rate rules, one test each: the emitted rules do not have them.

Most draw the scrapes of a small fleet by hand and let promtool evaluate the compiled rules. Each expectation follows
from what the series mean, by the calculation in the comment beside it. What no evaluation can show is read from the
rules' syntax trees.
"""

from __future__ import annotations

from pathlib import Path

import promql_parser
import pytest

from tests.promtool_case import (
    DAY,
    HOUR,
    MINUTE,
    SCRAPE,
    Case,
    Course,
    compile_text,
    nodes,
    reads,
    unwrapped,
)

TTFT_ID = '{slo_id="demo/chat-ttft"}'
GATEWAY_ID = '{slo_id="demo/chat-availability"}'
LOOKBACK = 300
WORST_REPLICA = "slo:worst_replica_error:ratio"

TTFT = "{sli: ttft, threshold: 250ms, target: 95%}"
GATEWAY = (
    '{sli: availability, target: 99.9%, source: {bad: \'gw_requests_total{app="chat",code=~"5.."}\', '
    "total: 'gw_requests_total{app=\"chat\"}'}}"
)
GOOD_RATIO = "{sli: ratio, target: 99%, good: tools_good_total, total: tools_total}"
JOB = (
    "{sli: job_completion, threshold: 4h, target: 95%, "
    "source: {due: docs_due_total, onTime: docs_on_time_total, pendingAge: docs_oldest_pending_seconds}}"
)
QUERIES = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: cache-answers}
spec:
  service: demo
  indicator:
    metadata: {name: fresh}
    spec:
      ratioMetric:
        good:
          metricSource:
            type: Prometheus
            spec: {query: 'sum(increase(hits_total[{{.window}}])) - sum(increase(stale_total[{{.window}}]))'}
        total:
          metricSource:
            type: Prometheus
            spec: {query: 'sum(increase(hits_total[{{.window}}]))'}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.95}]
"""


def spec(*objectives: str, period: str = "28d", more: str = "", labels: str = "{team: a}") -> str:
    """A spec named `chat` of the service `demo` on vLLM."""
    lines = [
        "apiVersion: slo-compiler/v1",
        "kind: InferenceSLO",
        f"metadata: {{name: chat, labels: {labels}}}",
        "spec:",
        "  service: demo",
        "  model: m",
        '  engine: {name: vllm, version: "0.11"}',
        "  selector: {job: vllm}",
        f"  timeWindow: [{{duration: {period}, isRolling: true}}]",
        *([f"  {more}"] if more else []),
        "  objectives:",
        *[f"    - {objective}" for objective in objectives],
    ]
    return "\n".join(lines) + "\n"


KINDS = {
    "a histogram": spec(TTFT),
    "a histogram between two edges": spec("{sli: ttft, threshold: 150ms, target: 95%}"),
    "a histogram under two names": spec("{sli: itl, threshold: 50ms, target: 95%}"),
    "counters of bad events": spec(GATEWAY),
    "counters of good events": spec(GOOD_RATIO),
    "a deadline": spec(JOB),
    "queries": QUERIES,
}
each_kind = pytest.mark.parametrize("text", KINDS.values(), ids=KINDS.keys())


def ttft(
    case: Case, pod: str, served: Course, fast: Course, *, edge: str = "0.25", phase: int = 5, scrape: int = SCRAPE
) -> None:
    """A vLLM pod: requests that got a first token, and those of them that got it within the edge."""
    labels = f'job="vllm",model_name="m",instance="{pod}"'
    name = "vllm:time_to_first_token_seconds"
    case.scraped(f"{name}_count{{{labels}}}", served, phase=phase, scrape=scrape)
    case.scraped(f'{name}_bucket{{{labels},le="{edge}"}}', fast, phase=phase, scrape=scrape)
    case.scraped(f'{name}_bucket{{{labels},le="+Inf"}}', served, phase=phase, scrape=scrape)


def gateway(case: Case, instance: str, code: str, course: Course) -> None:
    """A counter of a gateway's answers by status code."""
    case.scraped(f'gw_requests_total{{job="gw",app="chat",instance="{instance}",code="{code}"}}', course)


def line(per_second: float, *, start: float = 100_000.0) -> Course:
    """A counter that grows evenly from far above zero."""
    return lambda time: start + per_second * time


def until(end: float, course: Course) -> Course:
    """A counter that stands still from `end`."""
    return lambda time: course(min(time, end))


def always(value: float) -> Course:
    return lambda _: value


# Ratios over windows and the period


@pytest.mark.promtool
def test_a_period_ratio_is_weighted_by_requests_not_a_mean_of_ratios(tmp_path: Path) -> None:
    """A quiet night that goes badly weighs as much as the busy day beside it."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 3 * DAY, step=12 * HOUR, slot=240)
    tiles = 3 * DAY // 240  # 1080: the first 540 hold 1000 good events each, the other 540 hold 5 good and 5 bad

    def busy(time: float) -> bool:
        return time <= tiles / 2 * 240

    case.recorded(f"slo:target:ratio{TTFT_ID}", always(0.95))
    case.recorded(f"slo:events:slow{TTFT_ID}", lambda time: None if time == 0 else 1000.0 if busy(time) else 10.0)
    case.recorded(f"slo:bad_events:slow{TTFT_ID}", lambda time: None if time == 0 else 0.0 if busy(time) else 5.0)
    # 540 x 5 bad of 540 x 1010: 0.495% of the requests. The mean of the ratios would be 25%.
    error_ratio = 540 * 5 / (540 * 1010)
    case.about(3 * DAY, f"slo:burn_rate:3d{TTFT_ID}", error_ratio / 0.05, within=0.001)
    case.about(3 * DAY, f"1 - slo:period_attainment:ratio{TTFT_ID}", error_ratio, within=0.001)
    # The last 6 h hold only the quiet half: 50% bad.
    case.about(3 * DAY, f"slo:burn_rate:6h{TTFT_ID}", 0.5 / 0.05, within=0.001)
    case.prove()


@pytest.mark.promtool
def test_an_idle_stretch_gives_no_sample_and_poisons_nothing_after_it(tmp_path: Path) -> None:
    """0/0 in one idle window is NaN, and every window that holds it is NaN too."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 80 * MINUTE)
    idle, busy_again = 20 * MINUTE, 60 * MINUTE

    def served(time: float) -> float:  # two requests a second, none for 40 minutes, two a second
        return 100_000 + 2.0 * (min(time, idle) + max(time - busy_again, 0))

    def fast(time: float) -> float:  # all in time before the idle stretch, 10% late after it
        return 100_000 + 2.0 * min(time, idle) + 1.8 * max(time - busy_again, 0)

    ttft(case, "a", served, fast)
    for window in ("5m", "30m"):
        case.nothing(55 * MINUTE, f"slo:burn_rate:{window}")
    case.about(80 * MINUTE, "slo:burn_rate:5m", 0.1 / 0.05)
    # The last hour: 20 minutes at 10% bad of its traffic, all else idle.
    case.about(80 * MINUTE, "slo:burn_rate:1h", 0.1 / 0.05, within=0.03)
    case.never_nan(80 * MINUTE)
    case.prove()


@pytest.mark.promtool
def test_idle_days_leave_the_long_windows_and_the_period_empty_but_sound(tmp_path: Path) -> None:
    """Half a day of 0/0 makes the whole period NaN."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, DAY, step=12 * HOUR, slot=240)
    case.recorded(f"slo:target:ratio{TTFT_ID}", always(0.95))
    case.recorded(f"slo:events:slow{TTFT_ID}", lambda time: 100.0 if time > 18 * HOUR else 0.0)
    case.recorded(f"slo:bad_events:slow{TTFT_ID}", lambda time: 2.0 if time > 18 * HOUR else 0.0)
    for name in ("slo:burn_rate:6h", "slo:burn_rate:3d", "slo:period_attainment:ratio"):
        case.nothing(12 * HOUR, name)
    case.about(DAY, "slo:burn_rate:6h", 0.02 / 0.05)
    case.about(DAY, "slo:period_attainment:ratio", 0.98)
    case.never_nan(DAY)
    case.prove()


@each_kind
def test_no_division_can_meet_a_zero(text: str, tmp_path: Path) -> None:
    """A division without a guard gives NaN or Inf as soon as there is no traffic."""
    for rule in compile_text(tmp_path, text).rules:
        divisions = [node for node in nodes(rule.expr) if _is(node, "/")]
        for division in divisions:
            assert _never_zero(division.rhs) or _bad_of(division), f"{rule.group}, {rule.name}: {rule.expr}"


def _is(node: object, operator: str) -> bool:
    return isinstance(node, promql_parser.BinaryExpr) and str(node.op) == operator


def _bad_of(division: object) -> bool:
    """Whether it is `((all - good) > guard) / all`: where more than the guard are bad, there are events."""
    assert isinstance(division, promql_parser.BinaryExpr)
    over = unwrapped(division.lhs)
    if not _is(over, ">") or not isinstance(over.rhs, promql_parser.NumberLiteral) or over.rhs.val < 1:
        return False
    bad = unwrapped(over.lhs)
    return _is(bad, "-") and str(bad.lhs) == str(unwrapped(division.rhs))


def _never_zero(node: object) -> bool:
    node = unwrapped(node)
    if isinstance(node, promql_parser.NumberLiteral):
        return bool(node.val != 0)
    if isinstance(node, promql_parser.Call):
        return bool(node.func.name == "count_over_time")  # exists only where it counts something
    if isinstance(node, promql_parser.BinaryExpr):
        limit = unwrapped(node.rhs)
        return str(node.op) == ">" and isinstance(limit, promql_parser.NumberLiteral) and limit.val == 0
    return False


@each_kind
def test_every_expression_is_promql(text: str, tmp_path: Path) -> None:
    """A broken expression fails the whole file when the server loads it."""
    compiled = compile_text(tmp_path, text)
    assert compiled.rules
    for rule in compiled.rules:
        promql_parser.parse(rule.expr)


# Counters: births, resets, gaps


@pytest.mark.promtool
@pytest.mark.parametrize("step", [30, 240], ids=["fast", "slow"])
def test_without_an_error_series_the_slo_reads_zero_bad(step: int, tmp_path: Path) -> None:
    """A gateway that has answered no error yet exposes no error counter, so a ratio of two rates is empty."""
    compiled = compile_text(tmp_path, spec(GATEWAY))
    case = Case(compiled, 24 * MINUTE, step=step)
    case.scraped('up{job="gw",instance="g0"}', always(1))
    gateway(case, "g0", "200", line(3))
    level = "fast" if step == 30 else "slow"
    case.about(24 * MINUTE, f"slo:events:{level}{GATEWAY_ID}", 3 * step)
    for name in (f"slo:bad_events:{level}", "slo:burn_rate:5m" if step == 30 else "slo:burn_rate:6h"):
        case.between(24 * MINUTE, name + GATEWAY_ID, 0, 0)
    case.between(24 * MINUTE, f"slo:period_attainment:ratio{GATEWAY_ID}", 1, 1)
    case.never_nan(24 * MINUTE)
    case.prove()


@pytest.mark.promtool
@pytest.mark.parametrize("step", [30, 240], ids=["fast", "slow"])
def test_an_error_counter_born_above_zero_counts_and_one_that_comes_back_does_not(step: int, tmp_path: Path) -> None:
    """The first value of a counter is no increase, so the first errors of every label set are lost."""
    compiled = compile_text(tmp_path, spec(GATEWAY))
    case = Case(compiled, 24 * MINUTE, step=step)
    level = "fast" if step == 30 else "slow"

    def back(course: Course) -> Course:  # gone with its target from minute 5 to minute 12
        return lambda time: None if 5 * MINUTE <= time < 12 * MINUTE else course(time)

    case.scraped('up{job="gw",instance="g0"}', always(1))
    case.scraped('up{job="gw",instance="g1"}', lambda time: 0.0 if 5 * MINUTE <= time < 12 * MINUTE else 1.0)
    gateway(case, "g0", "200", line(2))
    gateway(case, "g0", "503", lambda time: None if time < 605 else 4.0)
    gateway(case, "g1", "200", back(line(1)))
    gateway(case, "g1", "500", back(always(700.0)))
    # Four errors in all: those that 503 was born with. The 700 of g1 happened before it came back.
    case.between(24 * MINUTE, f"sum_over_time(slo:bad_events:{level}{GATEWAY_ID}[23m])", 3.99, 4.01)
    # From minute 16 on both gateways answer: three requests a second.
    case.about(24 * MINUTE, f"slo:events:{level}{GATEWAY_ID}", 3 * step)
    case.prove()


@pytest.mark.promtool
def test_an_outage_of_sparse_requests_loses_no_bad_event_to_births(tmp_path: Path) -> None:
    """Each status code that appears for the first time takes its first errors with it."""
    compiled = compile_text(tmp_path, spec(GATEWAY))
    case = Case(compiled, 40 * MINUTE)
    case.scraped('up{job="gw",instance="g0"}', always(1))
    gateway(case, "g0", "200", line(1))
    # Five codes, born two minutes apart with one error each, and one error more a minute later: ten in all.
    for number, code in enumerate(("500", "502", "503", "504", "507")):
        first = 605 + 120 * number
        gateway(case, "g0", code, lambda time, first=first: None if time < first else 1.0 + (time >= first + 60))  # type: ignore[misc]
    # A counter that rises from 1 to 2 is seen whole; without the term for births it would be five.
    case.between(40 * MINUTE, f"sum_over_time(slo:bad_events:fast{GATEWAY_ID}[39m])", 9.5, 10.1)
    case.prove()


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("scrape", "level", "step", "hour"),
    [
        pytest.param(15, "fast", 30, "59m45s", id="fast"),
        pytest.param(15, "slow", 240, "58m", id="slow"),
        pytest.param(60, "fast", 60, "59m30s", id="fast, scraped once a minute"),
        pytest.param(60, "slow", 240, "58m", id="slow, scraped once a minute"),
    ],
)
def test_tiles_see_every_increment_once(scrape: int, level: str, step: int, hour: str, tmp_path: Path) -> None:
    """An increment between the last scrape of one window and the first of the next belongs to no window."""
    compiled = compile_text(tmp_path, spec(TTFT), scrape_interval=f"{scrape}s")
    case = Case(compiled, 72 * MINUTE, step=step)

    def bursts(every: int, size: float) -> Course:  # `size` requests at each `every`th scrape, none between
        return lambda time: 100_000 + size * (int(time // scrape) // every)

    ttft(case, "a", bursts(2, 20), bursts(2, 20), scrape=scrape)
    ttft(case, "b", bursts(3, 30), bursts(3, 15), phase=10, scrape=scrape)
    # One pod serves 20 at every second scrape, the other 30 at every third, and half of these are late: 10 a scrape
    # and pod, so that no window which skips an increment or counts one twice can come out right.
    scrapes = HOUR / scrape
    case.about(72 * MINUTE, f"sum_over_time(slo:events:{level}{TTFT_ID}[{hour}])", 20 * scrapes, within=0.01)
    case.about(72 * MINUTE, f"sum_over_time(slo:bad_events:{level}{TTFT_ID}[{hour}])", 5 * scrapes, within=0.02)
    case.prove()


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("level", "step", "bursts"), [pytest.param("fast", 30, 3, id="fast"), pytest.param("slow", 240, 15, id="slow")]
)
def test_a_burst_counts_once_wherever_it_falls_in_a_step(level: str, step: int, bursts: int, tmp_path: Path) -> None:
    """Windows that overlap by more than a scrape count a burst at their edge twice, or scale the others down."""
    compiled = compile_text(tmp_path, spec(TTFT))
    apart = 16 * MINUTE
    # 1200 requests at once, each burst one scrape later in its step than the one before.
    times = [apart * number + SCRAPE * number + 5 for number in range(1, bursts + 1)]
    case = Case(compiled, apart * (bursts + 1), step=step)

    def served(time: float) -> float:
        return 100_000 + 1200 * sum(time >= burst for burst in times)

    ttft(case, "a", served, until(apart, served))
    for number in range(1, bursts + 1):
        for name in ("events", "bad_events"):
            # Twelve minutes after the step's begin: the tiles before, with and after the burst, and no other burst.
            around = f"sum_over_time(slo:{name}:{level}{TTFT_ID}[13m])"
            case.about(apart * number + 12 * MINUTE, around, 1200)
    case.prove()


@pytest.mark.promtool
def test_a_restart_and_new_pods_neither_lose_nor_invent_events(tmp_path: Path) -> None:
    """Rates after the sum take the reset of one pod for a jump of the whole fleet."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 40 * MINUTE)
    restart = 15 * MINUTE

    def restarting(per_second: float) -> Course:
        return lambda time: per_second * (time - restart) if time >= restart else 100_000 + per_second * time

    ttft(case, "a", line(4), line(3.6))
    ttft(case, "b", restarting(4), restarting(3.6))
    ttft(case, "c", lambda t: None if t < 1200 else 50_000 + 4 * t, lambda t: None if t < 1200 else 50_000 + 3.6 * t)
    # Half an hour to minute 40: pods a and b 4/s, c for 20 minutes; but for the scrape around the restart and the birth.
    case.about(40 * MINUTE, f"sum_over_time(slo:events:fast{TTFT_ID}[29m45s])", 4 * (1800 + 1800 + 1200), within=0.01)
    case.about(40 * MINUTE, "slo:burn_rate:30m", 0.1 / 0.05, within=0.01)
    case.prove()


@pytest.mark.promtool
def test_more_good_than_all_events_gives_no_negative_bad_and_is_told(tmp_path: Path) -> None:
    """Two series counted as one give more good events than events, and a budget over 100%."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 30 * MINUTE)
    ttft(case, "a", line(10), line(12))
    case.between(30 * MINUTE, f"min_over_time(slo:bad_events:fast{TTFT_ID}[29m])", 0, 0)
    case.between(30 * MINUTE, f"max_over_time(slo:bad_events:fast{TTFT_ID}[29m])", 0, 0)
    case.between(30 * MINUTE, f"slo:period_budget_remaining:ratio{TTFT_ID}", 1, 1)
    # 3600 good of 3000 events in 5m, from the first minutes on, and then 15 minutes of waiting.
    case.pending(14 * MINUTE, "SLOImpossibleData")
    case.firing(20 * MINUTE, "SLOImpossibleData")
    case.prove()


@pytest.mark.promtool
def test_a_good_counter_that_slips_by_a_rounding_error_costs_no_budget(tmp_path: Path) -> None:
    """A float counter that falls by 1e-10 reads as a reset: half a million events that never were."""
    stood = 498_000.5
    slipped = stood - 1e-10
    assert slipped < stood
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 20 * MINUTE)
    ttft(case, "a", line(2, start=600_000), lambda time: (stood if time < 600 else slipped) + 2 * max(time - 660, 0))
    # Requests of minutes 0 to 11 are all late, later ones all in time: 2 x 660, less what the slip hides in one tile.
    bad = f"slo:bad_events:fast{TTFT_ID}"
    case.between(20 * MINUTE, f"sum_over_time({bad}[19m45s])", 2 * 660 - 90, 2 * 660 + 1)
    case.between(20 * MINUTE, f"min_over_time({bad}[19m])", 0, 0)
    case.nothing(20 * MINUTE, f"count_over_time(({bad} > slo:events:fast{TTFT_ID})[19m:30s])")
    case.prove()


@pytest.mark.promtool
def test_a_bad_counter_that_slips_is_held_to_the_events_there_were(tmp_path: Path) -> None:
    """One slip of an error counter reads as more errors than there are requests, and empties the budget at once."""
    stood = 498_000.5
    compiled = compile_text(tmp_path, spec("{sli: ratio, target: 99%, bad: tools_bad_total, total: tools_total}"))
    case = Case(compiled, 20 * MINUTE)
    case.scraped('up{job="agents",instance="x"}', always(1))
    case.scraped('tools_total{job="agents",instance="x"}', line(2))
    case.scraped('tools_bad_total{job="agents",instance="x"}', lambda time: stood if time < 600 else stood - 1e-10)
    bad = 'slo:bad_events:fast{slo_id="demo/chat-ratio"}'
    # No more than the 60 requests of the one tile that holds the slip, instead of 498,000.
    case.between(20 * MINUTE, f"sum_over_time({bad}[19m45s])", 0, 60.01)
    case.never_nan(20 * MINUTE)
    case.prove()


# Buckets


@pytest.mark.promtool
def test_a_pod_without_the_bucket_is_left_out_and_told(tmp_path: Path) -> None:
    """A pod of another version lacks the bucket: its requests count as events and never as good ones."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 45 * MINUTE)
    ttft(case, "a", line(2), line(1.8))
    ttft(case, "b", line(2), line(2), edge="0.3")
    # 10% of what can be judged is late. Were pod b counted, 55% would be, and the burn rate 11.
    case.about(30 * MINUTE, "slo:burn_rate:5m", 0.1 / 0.05)
    case.about(30 * MINUTE, f"slo:events:fast{TTFT_ID}", 2 * 30)
    case.about(30 * MINUTE, "slo:covered:ratio", 0.5)
    case.pending(20 * MINUTE, "SLOCoverageLow", slo_id="demo/chat-ttft")
    case.firing(40 * MINUTE, "SLOCoverageLow", slo_id="demo/chat-ttft")
    case.silent(45 * MINUTE, "SLOBurnRatePage")
    case.prove()


@pytest.mark.promtool
def test_a_fleet_in_which_no_pod_has_the_bucket_is_told(tmp_path: Path) -> None:
    """The bucket is missing everywhere: no event can be judged, no alert can fire, for ever."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 45 * MINUTE)
    case.scraped('up{job="vllm",instance="a"}', always(1))
    ttft(case, "a", line(2), line(2), edge="0.3")
    case.nothing(40 * MINUTE, f"slo:events:fast{TTFT_ID}")
    case.between(40 * MINUTE, "slo:covered:ratio", 0, 0)
    case.firing(40 * MINUTE, "SLOCoverageLow", slo_id="demo/chat-ttft")
    case.prove()


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("within_edge", "bad"), [pytest.param(1.0, 0.0, id="under it"), pytest.param(0.0, 1.0, id="over it")]
)
def test_bad_is_what_lies_beyond_the_measured_edge_and_nothing_else(
    within_edge: float, bad: float, tmp_path: Path
) -> None:
    """Interpolation inside a bucket reads two thirds of the requests at 200 ms as over 150 ms, or a third as under."""
    compiled = compile_text(tmp_path, spec("{sli: ttft, threshold: 150ms, target: 95%}"))
    assert "the rules read 250ms" in compiled.message("SLO403")
    case = Case(compiled, 20 * MINUTE)
    # All requests take 200 ms, or all take 400 ms: over the edge of 100 ms in both, under that of 250 ms in the first.
    ttft(case, "a", line(2), line(2 * within_edge))
    case.scraped(
        'vllm:time_to_first_token_seconds_bucket{job="vllm",model_name="m",instance="a",le="0.1"}', always(100_000)
    )
    case.between(20 * MINUTE, f"slo:bad_events:fast{TTFT_ID} / slo:events:fast{TTFT_ID}", bad - 1e-9, bad + 1e-9)
    # By the edge below the promise, all of them may have been late.
    possible = f"slo:possible_bad_events:slow{TTFT_ID} / ignoring () slo:events:slow{TTFT_ID}"
    case.between(20 * MINUTE, possible, 1 - 1e-9, 1 + 1e-9)
    case.prove()


@each_kind
def test_no_rule_interpolates(text: str, tmp_path: Path) -> None:
    """A quantile of a histogram is a guess inside a bucket, and no alert may rest on it."""
    compiled = compile_text(tmp_path, text)
    called = {
        node.func.name for rule in compiled.rules for node in nodes(rule.expr) if isinstance(node, promql_parser.Call)
    }
    assert called, "no rule calls a function"
    assert not {name for name in called if name.startswith(("histogram_", "quantile"))}


# Tiers


@pytest.mark.promtool
def test_a_tier_that_cannot_fire_is_left_out_and_total_failure_still_pages(tmp_path: Path) -> None:
    """At a target of 90% a burn rate of 14.4 would need 144% bad events: the page never comes."""
    compiled = compile_text(tmp_path, spec("{sli: ttft, threshold: 250ms, target: 90%}"))
    assert "SLO501" in compiled.codes()
    assert "14.4x" in compiled.message("SLO501")
    assert compiled.tiers() == {"outage", "6x", "1x"}
    case = Case(compiled, 20 * MINUTE)
    ttft(case, "a", line(2), always(100_000))
    # Half of the 30m window must be bad: 31 tiles of 60, from birth on.
    case.silent(15 * MINUTE, "SLOBurnRatePage")
    case.firing(16 * MINUTE, "SLOBurnRatePage", tier="outage")
    case.prove()


@pytest.mark.parametrize("target", ["50%", "90%", "95%", "97.9%", "98%", "99%", "99.9%", "99.99%"])
def test_every_tier_can_be_reached_by_total_failure(target: str, tmp_path: Path) -> None:
    """A factor times the budget at or above one is a dead alert, whatever the target."""
    compiled = compile_text(tmp_path, spec(f"{{sli: ttft, threshold: 250ms, target: {target}}}"))
    assert compiled.spec is not None
    (slo,) = compiled.spec.slos
    assert slo.tiers
    for tier in slo.tiers:
        assert tier.factor * slo.budget < 1
    assert any(tier.severity == "page" for tier in slo.tiers)


@pytest.mark.parametrize("text", ["100%", "1.0", "100"])
def test_a_target_of_everything_is_refused(text: str, tmp_path: Path) -> None:
    """A target of 100% has no budget: every rate is divided by zero and the first error pages."""
    compiled = compile_text(tmp_path, spec(f"{{sli: ttft, threshold: 250ms, target: {text}}}"))
    assert "SLO203" in compiled.codes()
    assert not compiled.rules


def test_a_target_of_everything_is_refused_in_openslo_too(tmp_path: Path) -> None:
    """A target of 1 has no budget in the other language either."""
    compiled = compile_text(tmp_path, QUERIES.replace("0.95", "1"))
    assert "SLO203" in compiled.codes()
    assert not compiled.rules


@pytest.mark.promtool
def test_the_first_minutes_after_birth_page_nobody_and_spend_minutes_of_budget(tmp_path: Path) -> None:
    """On the first day every window holds the same minutes, so a bad start looks like a bad month."""
    compiled = compile_text(tmp_path, spec(TTFT))
    bad_until = 8 * MINUTE

    def fast(time: float) -> float:  # 40% late for 8 minutes, none after that
        return 100_000 + 6.0 * min(time, bad_until) + 10.0 * max(time - bad_until, 0)

    case = Case(compiled, 2 * HOUR)
    ttft(case, "a", line(10), fast)
    # 16 tiles at 40% are 6.4 of 120: a burn rate of 6.4 / (120 x 0.05) = 1.07, not of 0.4 / 0.05 = 8.
    case.about(bad_until, "slo:burn_rate:1h", 16 * 0.4 / (120 * 0.05), within=0.01)
    case.silent(2 * HOUR, "SLOBurnRatePage")
    case.silent(2 * HOUR, "SLOBurnRateTicket")
    case.silent(2 * HOUR, "SLOBudgetExhausted")
    case.prove()

    slow = Case(compiled, HOUR, step=240)
    ttft(slow, "a", line(10), fast)
    # Two tiles and three evaluations of 10,080 at 40% bad: 0.4 x 3/10080 / 0.05 = 0.24% of the budget, not 800%.
    slow.about(bad_until, f"1 - slo:period_budget_remaining:ratio{TTFT_ID}", 0.4 * 3 / 10080 / 0.05, within=0.02)
    slow.between(bad_until, "slo:burn_rate:6h", 0, 2 * 0.4 / (90 * 0.05) + 0.01)
    slow.silent(HOUR, "SLOBurnRatePage")
    slow.silent(HOUR, "SLOBudgetExhausted")
    slow.prove()


@pytest.mark.promtool
def test_a_total_outage_at_twenty_requests_an_hour_pages(tmp_path: Path) -> None:
    """A minimum of total events, as is usual against noise, silences small services for good."""
    compiled = compile_text(tmp_path, spec("{sli: ttft, threshold: 250ms, target: 99.9%}"))
    case = Case(compiled, 90 * MINUTE)

    def served(time: float) -> float:  # one request in three minutes
        return 100_000 + time // 180

    ttft(case, "a", served, until(HOUR, served))
    case.silent(HOUR, "SLOBurnRatePage")
    # Three bad events are chance, the fourth pages: 12 minutes in at the latest, and a step.
    case.silent(HOUR + 9 * MINUTE, "SLOBurnRatePage", tier="14.4x")
    case.fired(HOUR, HOUR + 14 * MINUTE, "SLOBurnRatePage", tier="14.4x")
    # The page stays while the outage lasts.
    case.firing(HOUR + 20 * MINUTE, "SLOBurnRatePage", tier="14.4x")
    case.firing(HOUR + 30 * MINUTE, "SLOBurnRatePage", tier="14.4x")
    case.prove()


# What events cannot show


@pytest.mark.promtool
def test_a_stalled_engine_pages_although_it_writes_no_event(tmp_path: Path) -> None:
    """Requests that never get a token are in no histogram: an engine that hangs looks healthy, or idle."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, HOUR)
    hang = 10 * MINUTE
    for pod, running, end in (("works", 4.0, HOUR), ("hangs", 3.0, hang), ("idle", 0.0, 0)):
        labels = f'{{job="vllm",model_name="m",instance="{pod}"}}'
        case.scraped(f"vllm:num_requests_running{labels}", always(running))
        case.scraped(f"vllm:num_requests_waiting{labels}", always(2 * running))
        case.scraped(f"vllm:generation_tokens_total{labels}", until(end, line(400)))
        ttft(case, pod, until(end, line(2)), until(end, line(2)))
    case.silent(hang, "SLOEngineStalled")
    # Five minutes without a token and two of waiting.
    case.firing(hang + 8 * MINUTE, "SLOEngineStalled", instance="hangs")
    case.firing(HOUR, "SLOEngineStalled", instance="hangs")
    case.silent(HOUR, "SLOEngineStalled", instance="works")
    case.silent(HOUR, "SLOEngineStalled", instance="idle")
    # The events say that all is well.
    case.between(HOUR, "slo:burn_rate:5m", 0, 0)
    case.prove()


def test_availability_without_a_place_to_count_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Requests that are abandoned or time out are in no counter of the engine."""
    compiled = compile_text(tmp_path, spec("{sli: availability, target: 99.9%}"))
    assert not compiled.rules
    assert "requests that never reached it" in compiled.message("SLO202")


@pytest.mark.parametrize(
    ("objective", "warned"),
    [
        pytest.param(TTFT, True, id="no availability at all"),
        pytest.param("{sli: availability, target: 99.9%, source: {engine: vllm}}", True, id="the engine's own view"),
        pytest.param(GATEWAY, False, id="the gateway"),
    ],
)
def test_a_spec_that_nobody_measures_at_the_boundary_is_warned(objective: str, warned: bool, tmp_path: Path) -> None:
    """An error after the stream began is a 200 to the engine, and a lost request is nothing."""
    compiled = compile_text(tmp_path, spec(objective))
    assert compiled.rules
    assert ("SLO407" in compiled.codes()) is warned


@pytest.mark.promtool
def test_the_engine_s_own_view_of_availability_works_where_it_is_asked_for_by_name(tmp_path: Path) -> None:
    """What the engine cannot see is left out by choice, never by default."""
    compiled = compile_text(tmp_path, spec("{sli: availability, target: 99%, source: {engine: vllm}}"))
    case = Case(compiled, 20 * MINUTE)
    case.scraped('up{job="vllm",instance="a"}', always(1))
    for status, per_second in (("2xx", 9), ("4xx", 0.5), ("5xx", 0.5)):
        labels = f'job="vllm",instance="a",method="POST",handler="/v1/chat/completions",status="{status}"'
        case.scraped(f"http_requests_total{{{labels}}}", line(per_second))
    # Half a request a second of ten is an error of the server.
    case.about(20 * MINUTE, f"slo:burn_rate:5m{GATEWAY_ID}", 0.05 / 0.01)
    case.prove()


@pytest.mark.promtool
def test_a_killed_engine_is_seen_at_the_gateway_though_its_own_counters_end(tmp_path: Path) -> None:
    """A killed engine refuses the scrape before its last errors are read."""
    compiled = compile_text(tmp_path, spec(GATEWAY, TTFT))
    killed = 10 * MINUTE
    case = Case(compiled, 30 * MINUTE)

    def engine(time: float) -> float | None:
        return None if time >= killed else 100_000 + 2 * time

    case.scraped('up{job="vllm",instance="a"}', lambda time: 0.0 if time >= killed else 1.0)
    case.scraped('up{job="gw",instance="g0"}', always(1))
    ttft(case, "a", engine, engine)
    gateway(case, "g0", "200", until(killed, line(2)))
    gateway(case, "g0", "502", lambda time: None if time < killed else 2 * (time - killed) + 10)
    # Until then there is no error series, and no error.
    case.between(killed, f"slo:burn_rate:5m{GATEWAY_ID}", 0, 0)
    # All requests of the last five minutes are bad: 1 / 0.001.
    case.about(20 * MINUTE, f"slo:burn_rate:5m{GATEWAY_ID}", 1000)
    # A bad tile of 120 is a burn rate of 1000 / 120 and two are over 14.4; the engine's own SLO has nothing to say.
    case.firing(killed + 2 * MINUTE, "SLOBurnRatePage", tier="14.4x", slo_id="demo/chat-availability")
    case.nothing(20 * MINUTE, f"slo:burn_rate:5m{TTFT_ID}")
    case.prove()


# Windows, names and costs


@pytest.mark.promtool
@pytest.mark.parametrize("scrape", ["15s", "60s"])
@pytest.mark.parametrize("period", ["1d", "7d", "9d", "30d", "45d", "90d"])
def test_any_period_of_whole_days_gives_whole_windows(period: str, scrape: str, tmp_path: Path) -> None:
    """Windows scaled with the period come out as 0s, 56m or 336m: refused, or under names that no dashboard knows."""
    compiled = compile_text(tmp_path, spec(TTFT, GATEWAY, period=period), scrape_interval=scrape)
    result = compiled.check()
    assert result.ok, result.output
    assert compiled.spec is not None
    tiles = int(period[:-1]) * DAY // 240
    assert compiled.only_of("demo/chat-ttft", "slo:period_coverage:ratio").expr.endswith(f"/ {tiles}")
    burn_rates = {rule.name for rule in compiled.records() if rule.name.startswith("slo:burn_rate:")}
    assert burn_rates <= {f"slo:burn_rate:{window}" for window in ("5m", "30m", "1h", "6h", "3d")}
    for rule in compiled.rules:
        for read in reads(rule.expr):
            # Nothing shorter than two scrapes, nothing longer than the period.
            assert read.seconds == 0 or 30 <= read.seconds <= tiles * 240


@pytest.mark.parametrize("period", ["0s", "12h", "1d1m"])
def test_a_period_without_whole_tiles_is_refused(period: str, tmp_path: Path) -> None:
    """A period that the step does not divide would silently be another one."""
    compiled = compile_text(tmp_path, spec(TTFT, period=period))
    assert "SLO203" in compiled.codes()
    assert not compiled.rules


def test_a_period_beyond_the_retention_is_refused(tmp_path: Path) -> None:
    """A range over samples that the server has dropped is silently a shorter one."""
    assert "SLO504" in compile_text(tmp_path, spec(TTFT), retention="15d").codes()
    assert "SLO504" not in compile_text(tmp_path, spec(TTFT), retention="28d").codes()
    assert "SLO504" not in compile_text(tmp_path, spec(TTFT, more="longTerm: true"), retention="15d").codes()


@pytest.mark.promtool
def test_no_recorded_series_changes_when_the_owner_does(tmp_path: Path) -> None:
    """Owner labels on recorded series: a new team begins a new series, and the period starts over."""
    before = compile_text(tmp_path, spec(TTFT, GATEWAY, labels="{team: a}"))
    after = compile_text(tmp_path, spec(TTFT, GATEWAY, labels="{team: b, cost_center: blue}"))
    assert [rule.body for rule in before.records() if rule.name != "slo:info"] == [
        rule.body for rule in after.records() if rule.name != "slo:info"
    ]
    case = Case(after, 20 * MINUTE)
    case.scraped('up{job="gw",instance="g0"}', always(1))
    gateway(case, "g0", "200", line(3))
    ttft(case, "a", line(2), line(1))
    # Only slo:info, once per objective, says whose it is; all else is told apart by slo_id alone.
    everything = '{__name__=~"slo:.+"}'
    case.between(20 * MINUTE, 'group by (__name__) ({__name__=~"slo:.+",team!=""})', 1, 1)
    case.between(20 * MINUTE, 'slo:info{team="b"}', 1, 1, count=2)
    stripped = f"count by (__name__, slo_id) ({everything}) > 1"
    case.nothing(20 * MINUTE, stripped)
    case.nothing(20 * MINUTE, '{__name__=~"slo:.+",__name__!="slo:info",service!=""}')
    case.prove()


@each_kind
def test_recording_rules_add_the_identity_and_nothing_else(text: str, tmp_path: Path) -> None:
    """A label that describes is a label that changes."""
    for rule in compile_text(tmp_path, text).records():
        if rule.name != "slo:info":
            assert set(rule.body["labels"]) == {"slo_id"}


@each_kind
def test_only_tiles_and_watchers_read_raw_series(text: str, tmp_path: Path) -> None:
    """Long windows over raw samples, or over rates that overlap, read the same events many times."""
    compiled = compile_text(tmp_path, text)
    for rule in compiled.rules:
        for read in reads(rule.expr):
            if read.recorded or rule.group.endswith(" engine"):
                continue
            if rule.name == WORST_REPLICA:
                # It has no tiles by replica: once in a slow step, half an hour of each.
                assert (rule.level, read.seconds) in (("slow", 30 * MINUTE), ("slow", 0))
                continue
            assert read.seconds <= 5.5 * MINUTE, f"{rule.name} reads {read.seconds} s of {read.metric}"
            if "record" in rule.body and read.seconds:
                # Events of one step and the scrape before it, so that the next tile goes on where this one ends; what
                # a counter is born with lies in the step itself.
                assert read.seconds - rule.seconds in (0, SCRAPE)
    assert not any(isinstance(node, promql_parser.SubqueryExpr) for rule in compiled.rules for node in nodes(rule.expr))


@each_kind
def test_windows_sum_tiles_of_their_own_step_which_never_overlap(text: str, tmp_path: Path) -> None:
    """Five-minute rates recorded every 30 s and summed over a day are exact, at eighty times the samples."""
    compiled = compile_text(tmp_path, text)
    for rule in compiled.rules:
        for read in reads(rule.expr):
            if not read.recorded or not read.seconds:
                continue
            assert read.metric.endswith((":fast", ":slow")) or read.metric == "slo:target:ratio"
            if rule.name == "SLOWorstReplica":
                # Half an hour is no whole number of slow tiles; it asks for the share of bad ones among the fast.
                assert read.seconds <= 30 * MINUTE
                continue
            assert rule.level == ("fast" if read.metric.endswith(":fast") else "slow")
            # An hour is 120 fast tiles, a period of 28d is 10,080 slow ones.
            assert read.seconds / rule.seconds <= (120 if rule.level == "fast" else 10_080)


def test_an_slo_reads_half_a_million_samples_an_hour_not_forty(tmp_path: Path) -> None:
    """What an SLO costs the server decides how many there can be."""
    compiled = compile_text(tmp_path, spec(TTFT))
    pods = 4
    samples = 0.0
    for rule in compiled.rules:
        evaluations = HOUR / rule.seconds
        for read in reads(rule.expr):
            if read.recorded:
                each = read.seconds / rule.seconds if read.seconds else 1
            else:
                each = pods * (read.seconds / SCRAPE if read.seconds else 1)
            samples += evaluations * each
    # Three passes over the period are 3 x 10,080 x 15 = 454,000; all else is less than two thirds as much.
    assert 454_000 < samples < 750_000


@each_kind
@pytest.mark.parametrize("scrape", ["15s", "60s"])
def test_ranges_over_recorded_series_end_between_two_evaluations(text: str, scrape: str, tmp_path: Path) -> None:
    """A range of whole steps holds one tile more on Prometheus 2, where it is closed on the left, than on 3."""
    seen = 0
    rules = compile_text(tmp_path, text, scrape_interval=scrape).rules
    fast = next(rule.seconds for rule in rules if rule.level == "fast")
    for rule in rules:
        for read in reads(rule.expr):
            if read.recorded and read.seconds:
                # The ticket on a replica reads fast tiles in the slow group.
                step = fast if read.metric.endswith(":fast") else rule.seconds
                assert read.seconds % step == step / 2, f"{rule.name}: {read.seconds} s"
                seen += 1
    assert seen > 10


@pytest.mark.promtool
def test_a_window_holds_its_tiles_and_not_one_more(tmp_path: Path) -> None:
    """One tile too many in a window of ten is a burn rate that is a tenth off."""
    compiled = compile_text(tmp_path, spec(TTFT))
    case = Case(compiled, 2 * HOUR, slot=30)
    case.recorded(f"slo:events:fast{TTFT_ID}", always(1.0))
    case.recorded(f"slo:bad_events:fast{TTFT_ID}", always(1.0))
    # Every event is bad: 1 / 0.05 in each window, however many tiles it has. Eleven of ten would give 22.
    for window in ("5m", "30m", "1h"):
        case.between(2 * HOUR, f"slo:burn_rate:{window}{TTFT_ID}", 20 - 1e-6, 20 + 1e-6)
    case.prove()


@each_kind
def test_no_series_is_read_across_groups_that_could_be_gone_when_it_is(text: str, tmp_path: Path) -> None:
    """A series written every 5m is gone from the lookback when its next evaluation is two seconds late."""
    compiled = compile_text(tmp_path, text)
    writers = {(rule.owner, rule.name): rule for rule in compiled.records()}
    crossing = set()
    for rule in compiled.rules:
        for read in reads(rule.expr):
            if not read.recorded:
                continue
            writer = writers[rule.owner, read.metric]
            if writer.group == rule.group:
                # Rules of a group run in order: what is read now was written just before.
                assert compiled.rules.index(writer) < compiled.rules.index(rule)
                continue
            if rule.name == "SLOWorstReplica":
                # Good and bad events of the same half an hour: where a tile is late, it is missing in both.
                assert read.metric in ("slo:events:fast", "slo:bad_events:fast") and read.seconds > 25 * MINUTE
                continue
            assert read.seconds == 0, f"{rule.name} reads a range of another group's {read.metric}"
            assert writer.seconds <= LOOKBACK / 2
            crossing.add((rule.level, read.metric))
    # The short window of the 6x tier, and the share that is covered: both written every 30 s.
    assert crossing - {("slow", "slo:covered:ratio")} == {("slow", "slo:burn_rate:30m")}
