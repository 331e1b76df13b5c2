"""Time slices: what makes one good, what it weighs, which lengths and tiers fit, and the SLI `throughput`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from slo_compiler import explain
from slo_compiler.diagnostics.diagnostic import Span
from slo_compiler.documents.config import Config
from slo_compiler.emit import promtool_tests, rules, texts
from slo_compiler.emit.base import Context
from slo_compiler.external import promtool
from slo_compiler.ir import Counters, Matcher, Queries, Selector, Slices, Slo, Spec, Throughput, Value
from slo_compiler.load.source_map import SourceDocument
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.policies import load_builtin_policy
from slo_compiler.resolve.slices import judgeable
from slo_compiler.units import Duration
from tests.promtool_case import MINUTE, Case, Compiled, Course, Rule

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: m
  engine: {name: vllm, version: "%s"}
  selector: {job: vllm}
  stage: %s
  objectives:
    - %s
"""
THROUGHPUT = "{sli: throughput, rate: 480, target: 97%}"
GATEWAY = Counters(
    Selector("gw_total", (Matcher("app", "=", "x"),)),
    Selector("gw_total", (Matcher("app", "=", "x"), Matcher("code", "=~", "5.."))),
    "bad",
)
LATENCY = Value("histogram_quantile(0.9, sum by (le) (rate(gw_seconds_bucket[{{.window}}])))", "<=", Decimal("0.8"))
MEASUREMENTS = {
    "a ratio against its target": Slices(GATEWAY, Duration.parse("2m"), Decimal("0.9")),
    "a ratio as a weight": Slices(GATEWAY, Duration.parse("1m")),
    "good events against a target": Slices(
        Counters(Selector("tools_total"), Selector("tools_good_total"), "good"), Duration.parse("90s"), Decimal("0.75")
    ),
    "queries": Slices(
        Queries("rate(a_total[{{.window}}])", "rate(b_total[{{.window}}])", "good", "rate", "rate"),
        Duration.parse("5m"),
        Decimal("0.99"),
    ),
    "a value that must stay low": Slices(LATENCY, Duration.parse("1m")),
    "a value that must stay under": Slices(Value("queue_depth", "<", Decimal(7)), Duration.parse("30s")),
    "a value that must stay high": Slices(Value("free_slots", ">=", Decimal("-2.5")), Duration.parse("1m")),
    "a value that must stay over": Slices(Value("margin", ">", Decimal(0)), Duration.parse("1m")),
}


def checked(
    objective: str, *, version: str = "0.11", stage: str = "dev", scrape: str = "15s"
) -> tuple[list[str], Spec | None]:
    """Codes of all findings, and the spec where it has no error."""
    config = Config.model_validate({"prometheus": {"scrapeInterval": scrape}})
    text = SPEC % (version, stage, objective)
    found = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(config))
    return [diagnostic.code.name for diagnostic in found.diagnostics], None if found.failed else found.specs[0]


def resolved(objective: str = THROUGHPUT, *, version: str = "0.11", stage: str = "production") -> Spec:
    _, spec = checked(objective, version=version, stage=stage)
    assert spec is not None
    return spec


def with_measurement(measurement: Slices) -> Spec:
    """A spec of one SLO that is measured so; what reads OpenSLO's documents makes such ones."""
    spec = resolved()
    slo = replace(spec.slos[0], measurement=measurement, info=(), sli="ratio")
    return replace(spec, slos=(slo,), sources=(), gauges=None)


def compiled(spec: Spec, folder: Path) -> Compiled:
    """The rules of a spec on disk, beside its generated tests."""
    found = Compiled(folder, [], spec)
    (artifact,) = rules.emit(spec, Context())
    found.rule_file.write_text(artifact.text, encoding="utf-8")
    for group in yaml.safe_load(artifact.text)["groups"]:
        found.rules += [Rule(group["name"], group["interval"], body) for body in group["rules"]]
    return found


@pytest.mark.promtool
@pytest.mark.parametrize("case", MEASUREMENTS)
def test_the_generated_tests_hold_for_every_kind_of_slice(case: str, tmp_path: Path) -> None:
    spec = with_measurement(MEASUREMENTS[case])
    found = []
    for artifact in (*rules.emit(spec, Context()), *promtool_tests.emit(spec, Context())):
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
        found.append(path)
    assert "slices are judged" in found[1].read_text("utf-8")
    checked_rules = promtool.check_rules(promtool.find_promtool(), found[:1])
    assert checked_rules.ok, checked_rules.output
    result = promtool.test_rules(promtool.find_promtool(), found[1:])
    assert result.ok, result.output


def test_a_mutated_verdict_fails_the_generated_tests(tmp_path: Path) -> None:
    """What the generated tests are for, on the operators of a slice's verdict."""
    spec = with_measurement(MEASUREMENTS["a value that must stay low"])
    (rule_file,) = rules.emit(spec, Context())
    fast = next(iter(promtool_tests.emit(spec, Context())))
    test_path = tmp_path / fast.path
    rule_path = tmp_path / rule_file.path
    for path in (test_path, rule_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    test_path.write_text(fast.text, encoding="utf-8")
    for right, wrong in (
        ("> bool 0.8", ">= bool 0.8"),
        (">= bool -Inf) / 2", ">= bool -Inf) / 1"),
        ("> bool 0.8", "< bool 0.8"),
    ):
        assert right in rule_file.text
        rule_path.write_text(rule_file.text.replace(right, wrong), encoding="utf-8")
        assert not promtool.test_rules(promtool.find_promtool(), [test_path], twice=False).ok, f"{right} as {wrong}"


def line(per_second: float) -> Course:
    return lambda time: 100_000 + per_second * time


def vllm(case: Case, pod: str, tokens: Course, waiting: Course) -> None:
    """A pod's generated tokens and its queue."""
    labels = f'job="vllm",model_name="m",instance="{pod}"'
    case.scraped(f"vllm:generation_tokens_total{{{labels}}}", tokens)
    case.scraped(f"vllm:num_requests_waiting{{{labels}}}", waiting)


ID = '{slo_id="demo/chat-throughput"}'
TRAFFIC: dict[str, tuple[float, Callable[[float], float], float]] = {
    "fast enough, whatever waits": (500, lambda _: 3.0, 0.0),
    "too slow while requests wait": (400, lambda _: 3.0, 1.0),
    "too slow since there is little to do": (400, lambda _: 0.0, 0.0),
    "a queue that is empty at times": (400, lambda time: float(int(time) // 15 % 2), 0.0),
    "a hang with a queue": (0, lambda _: 3.0, 1.0),
}


@pytest.mark.promtool
@pytest.mark.parametrize("case", TRAFFIC)
def test_a_slice_is_bad_where_requests_wait_and_tokens_come_too_slowly(case: str, tmp_path: Path) -> None:
    per_second, waiting, bad = TRAFFIC[case]
    proof = Case(compiled(resolved(), tmp_path), 40 * MINUTE)
    vllm(proof, "a", line(per_second * 0.75), waiting)
    vllm(proof, "b", line(per_second * 0.25), lambda _: 0.0)
    # Half an hour is thirty slices of a minute, whatever the traffic.
    proof.about(40 * MINUTE, f"sum_over_time(slo:events:fast{ID}[29m45s])", 30)
    proof.between(40 * MINUTE, f"sum_over_time(slo:bad_events:fast{ID}[29m45s])", 30 * bad, 30 * bad)
    proof.between(40 * MINUTE, f"slo:burn_rate:30m{ID}", bad / 0.03 - 1e-6, bad / 0.03 + 1e-6)
    # Four minutes are four slices, handed from one group to the other.
    proof.between(40 * MINUTE, f"slo:events:slow{ID}", 4, 4)
    proof.between(40 * MINUTE, f"slo:bad_events:slow{ID}", 4 * bad, 4 * bad)
    proof.never_nan(40 * MINUTE)
    proof.prove()


@pytest.mark.promtool
def test_guards_count_slices(tmp_path: Path) -> None:
    """Three bad minutes are no page, the fourth is one, however many requests they hold."""
    spec = resolved("{sli: throughput, rate: 480, target: 99.9%}")
    proof = Case(compiled(spec, tmp_path), 70 * MINUTE)
    hour = 60 * MINUTE
    vllm(proof, "a", lambda time: 100_000 + 500 * min(time, hour), lambda _: 1.0)
    # One bad minute of an hour is a burn rate of 16.7; seven halves of a slice are over three of them.
    proof.between(hour + 2 * MINUTE, f"slo:burn_rate:1h{ID} > 14.4", 30, 40)
    proof.silent(hour + 3 * MINUTE, "SLOBurnRatePage", tier="14.4x")
    proof.firing(hour + 4 * MINUTE, "SLOBurnRatePage", tier="14.4x")
    proof.prove()


@pytest.mark.promtool
def test_a_slice_without_traffic_is_no_event_and_poisons_nothing(tmp_path: Path) -> None:
    spec = with_measurement(MEASUREMENTS["a ratio against its target"])
    proof = Case(compiled(spec, tmp_path), 60 * MINUTE)
    proof.scraped('up{job="gw",instance="g"}', lambda _: 1.0)
    gone = 30 * MINUTE

    def served(per_second: float) -> Course:
        return lambda time: 100_000 + per_second * min(time, gone)

    proof.scraped('gw_total{job="gw",instance="g",app="x",code="200"}', served(8))
    proof.scraped('gw_total{job="gw",instance="g",app="x",code="500"}', served(2))
    # 20% bad against 90% good: each slice of half an hour is bad, idle ones after it are neither good nor bad.
    proof.between(30 * MINUTE, f"slo:bad_events:fast{ID} / slo:events:fast{ID}", 1, 1)
    proof.between(60 * MINUTE, f"slo:events:fast{ID}", 0, 0)
    proof.between(60 * MINUTE, f"slo:bad_events:fast{ID}", 0, 0)
    proof.nothing(60 * MINUTE, f"slo:burn_rate:5m{ID}")
    proof.between(60 * MINUTE, f"slo:period_attainment:ratio{ID}", 0, 0)
    proof.never_nan(60 * MINUTE)
    proof.prove()


@pytest.mark.promtool
def test_a_ratio_of_slices_weighs_each_minute_alike(tmp_path: Path) -> None:
    """A busy minute and a quiet one count the same: the mean of their ratios."""
    spec = with_measurement(MEASUREMENTS["a ratio as a weight"])
    proof = Case(compiled(spec, tmp_path), 40 * MINUTE)
    proof.scraped('up{job="gw",instance="g"}', lambda _: 1.0)
    busy = 20 * MINUTE

    def course(before: float, after: float) -> Course:
        return lambda time: 100_000 + before * min(time, busy) + after * max(time - busy, 0)

    proof.scraped('gw_total{job="gw",instance="g",app="x",code="200"}', course(99, 0.5))
    proof.scraped('gw_total{job="gw",instance="g",app="x",code="500"}', course(1, 0.5))
    # Twenty minutes at 1% and twenty at 50%: 25.5%, where requests would say 1.5%.
    ratio = f"sum_over_time(slo:bad_events:fast{ID}[39m]) / sum_over_time(slo:events:fast{ID}[39m])"
    proof.about(40 * MINUTE, ratio, 0.255, within=0.05)
    proof.prove()


@pytest.mark.promtool
def test_a_value_of_no_events_is_no_slice(tmp_path: Path) -> None:
    """A quantile of nothing is NaN, which would count as a good slice or poison every window."""
    spec = with_measurement(MEASUREMENTS["a value that must stay low"])
    proof = Case(compiled(spec, tmp_path), 30 * MINUTE)
    for le, per_second in (("0.5", 1.0), ("1", 2.0), ("+Inf", 2.0)):
        proof.scraped(
            f'gw_seconds_bucket{{instance="g",le="{le}"}}',
            lambda time, rate=per_second: 1000 + rate * min(time, 15 * MINUTE),  # type: ignore[misc]
        )
    # Half of the requests take over 0.5 s, so that the ninth tenth is read at 0.9 s, over 0.8 s.
    proof.between(14 * MINUTE, f"slo:slice_value:fast{ID}", 0.89, 0.91)
    proof.between(14 * MINUTE, f"slo:bad_events:fast{ID}", 0.5, 0.5)
    proof.nothing(25 * MINUTE, f"slo:events:fast{ID}")
    proof.nothing(25 * MINUTE, f"slo:slice_value:fast{ID}")
    proof.never_nan(30 * MINUTE)
    proof.prove()


@pytest.mark.promtool
def test_of_several_values_the_worst_decides(tmp_path: Path) -> None:
    spec = with_measurement(MEASUREMENTS["a value that must stay under"])
    proof = Case(compiled(spec, tmp_path), 10 * MINUTE)
    proof.scraped('queue_depth{instance="a"}', lambda _: 1.0)
    proof.scraped('queue_depth{instance="b"}', lambda time: 7.0 if time > 300 else 6.5)
    proof.between(5 * MINUTE, f"slo:bad_events:fast{ID}", 0, 0)
    proof.between(10 * MINUTE, f"slo:bad_events:fast{ID}", 1, 1)
    proof.prove()


@pytest.mark.promtool
@pytest.mark.parametrize("behind", [0, 1, 14, 15, 29], ids=lambda seconds: f"{seconds} s behind")
def test_every_fast_tile_is_handed_over_once_at_any_phase(behind: int, tmp_path: Path) -> None:
    """The groups are evaluated at phases of their own: half a step short, a range would lose a tile at half of them."""
    proof = Case(compiled(resolved(), tmp_path), 60 * MINUTE, step=240, slot=1)
    proof.recorded(f"slo:events:fast{ID}", lambda time: 1.0 if (time + behind) % 30 == 0 else None)
    for extreme in ("min_over_time", "max_over_time"):
        proof.between(60 * MINUTE, f"{extreme}(slo:events:slow{ID}[50m])", 8, 8)
    proof.prove()


def place() -> Findings:
    (source,) = load_bytes(b"timeSliceWindow: x\n", "slo.yaml").documents
    assert isinstance(source, SourceDocument)
    return Findings(source)


LENGTHS = {
    "a fast step": ("30s", 15, True),
    "a minute": ("1m", 15, True),
    "an hour": ("1h", 15, True),
    "less than a step": ("10s", 15, False),
    "no multiple of a step": ("45s", 15, False),
    "over an hour": ("61m", 15, False),
    "one scrape": ("30s", 30, False),
    "two scrapes": ("1m", 30, True),
}


@pytest.mark.parametrize("case", LENGTHS)
def test_which_lengths_of_a_slice_can_be_judged(case: str) -> None:
    window, scrape, fits = LENGTHS[case]
    environment = Environment(Config.model_validate({"prometheus": {"scrapeInterval": f"{scrape}s"}}))
    steps = environment.steps(load_builtin_policy("default"))
    findings = place()
    path = ("timeSliceWindow",)
    assert judgeable(Slices(LATENCY, Duration.parse(window)), steps, findings, path) == fits
    assert [item.code.name for item in findings.diagnostics] == ([] if fits else ["SLO203"])
    if not fits:
        hint = findings.diagnostics[0].hint
        assert hint.startswith("timeSliceWindow: ")
        assert judgeable(Slices(LATENCY, Duration.parse(hint.split()[1])), steps, place(), path), hint
        assert isinstance(findings.diagnostics[0].span, Span)


TIERS = {
    "every short window holds it": ("5m", {"14.4x", "outage", "6x", "1x"}, []),
    "5m does not": ("10m", {"6x", "1x"}, ["SLO506", "SLO506"]),
    "30m does not": ("1h", {"1x"}, ["SLO506", "SLO506", "SLO506"]),
}


@pytest.mark.parametrize("case", TIERS)
def test_a_tier_whose_short_window_is_shorter_than_a_slice_is_left_out(case: str) -> None:
    window, tiers, codes = TIERS[case]
    found, spec = checked(f"{{sli: throughput, rate: 9, slice: {window}, target: 97%}}")
    assert found == codes
    assert spec is not None
    production = resolved(f"{{sli: throughput, rate: 9, slice: {window}, target: 97%}}")
    assert {tier.name for tier in production.slos[0].tiers} == tiers


REFUSED = {
    "no rate": ("{sli: throughput, target: 97%}", ["SLO202"]),
    "no target": ("{sli: throughput, rate: 9}", ["SLO202"]),
    "a rate of nothing": ("{sli: throughput, rate: 0, target: 97%}", ["SLO203"]),
    "a threshold": ("{sli: throughput, rate: 9, threshold: 1s, target: 97%}", ["SLO201"]),
    "a rate of another SLI": ("{sli: ttft, rate: 9, threshold: 250ms, target: 95%}", ["SLO201"]),
    "a slice of another SLI": ("{sli: ttft, slice: 1m, threshold: 250ms, target: 95%}", ["SLO201"]),
    "a slice that fits no step": ("{sli: throughput, rate: 9, slice: 40s, target: 97%}", ["SLO203"]),
    "no rate and no target": ("{sli: throughput}", ["SLO202", "SLO202"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_throughput_needs(case: str) -> None:
    objective, codes = REFUSED[case]
    found, spec = checked(objective)
    assert found == codes
    assert spec is None


def test_a_throughput_reads_every_name_and_says_what_it_promises() -> None:
    slo = resolved("{sli: throughput, rate: 480.5, slice: 2m, target: 97%}").slos[0]
    assert isinstance(slo.measurement, Slices)
    matchers = (Matcher("job", "=", "vllm"), Matcher("model_name", "=", "m"))
    assert slo.measurement.inner == Throughput(
        (Selector("vllm:generation_tokens_total", matchers),),
        (Selector("vllm:num_requests_waiting", matchers),),
        Decimal("480.5"),
    )
    assert slo.counts == "slices"
    assert slo.promise == "97% of slices: token throughput at 480.5 tokens/s or more over 2m, or nothing waits"
    assert dict(slo.info)["promised"] == "480.5 tokens/s"


def test_a_spec_of_throughput_alone_still_watches_the_engine_for_hangs() -> None:
    spec = resolved()
    assert spec.gauges is not None
    assert [source.label for source in spec.sources] == ["vllm:generation_tokens_total"]


def test_the_numbers_of_slices_are_explained() -> None:
    shown = explain.numbers_json([resolved("{sli: throughput, rate: 480, slice: 5m, target: 97%}")])
    (slo,) = yaml.safe_load(shown)["slos"]
    numbers = {item["field"]: item["value"] for item in slo["provenance"]}
    assert (numbers["rate"], numbers["slice"]) == (480, 300)


def detected(slo: Slo, tier: str) -> str:
    return texts.detection(slo, next(item for item in slo.tiers if item.name == tier))


def test_detection_waits_for_the_guard_of_bad_slices() -> None:
    """At 99.9% a single bad minute is over 14.4 times the budget of an hour, and four are needed."""
    tight = resolved("{sli: throughput, rate: 9, slice: 1m, target: 99.9%}").slos[0]
    assert detected(tight, "14.4x") == "after 3m"
    loose = resolved("{sli: throughput, rate: 9, slice: 1m, target: 97%}").slos[0]
    # 14.4 x 3% of an hour.
    assert detected(loose, "14.4x") == "after 25m55s"
