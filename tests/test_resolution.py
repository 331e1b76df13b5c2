"""From a spec's words to numbers: precedence, budgets, adjustments, buckets, windows, tiers, modes; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Code, Diagnostic, Severity
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_text import render_text
from slo_compiler.documents.config import Config
from slo_compiler.documents.read import read_model
from slo_compiler.ir import Histogram, Slo, Spec
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.buckets import Reading, Unmeasurable, neighbours, read_threshold
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.policies import load_builtin_policy
from slo_compiler.resolve.windows import steps_of, tier_factor, window_of
from slo_compiler.units import Duration

ENVIRONMENT = Environment()
HEAD = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat%s}
spec:
  service: assistant
  model: acme/chat
"""
ENGINE = '  engine: {name: vllm, version: "0.11"}\n'
SELECTOR = "  selector: {job: vllm-chat}\n"
GATEWAY = "{sli: availability, target: 99.9%, source: {bad: 'gw_total{code=~\"5..\"}', total: gw_total}}"


def document(
    body: str, *objectives: str, metadata: str = "", engine: str = ENGINE, selector: str = SELECTOR, alone: bool = True
) -> str:
    """An `InferenceSLO`; with `alone` it needs no other warning than what it is about."""
    rows = [*objectives, GATEWAY] if alone else objectives
    lines = "".join(f"  {line}\n" for line in body.splitlines())
    return HEAD % metadata + engine + selector + lines + "  objectives:\n" + "".join(f"    - {row}\n" for row in rows)


def check(text: str, environment: Environment = ENVIRONMENT) -> Checked:
    return check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), environment)


def resolve(body: str, *objectives: str, engine: str = ENGINE) -> Spec:
    checked = check(document(body, *objectives, engine=engine))
    assert not checked.failed, checked.diagnostics
    return checked.specs[0]


def first(body: str, *objectives: str, engine: str = ENGINE) -> Slo:
    return resolve(body, *objectives, engine=engine).slos[0]


def origin(slo: Slo, field: str = "threshold") -> str:
    return next(item.origin for item in slo.provenance if item.field == field)


# Body, objective, promised threshold, target, and a part of the threshold's origin.
NUMBERS: dict[str, tuple[str, str, str, str, str]] = {
    "the objective before all": (
        "useCase: chatbot\nexperienceClass: conversational",
        "{sli: ttft, threshold: 120ms, target: 90%}",
        "120ms",
        "0.9",
        "the objective",
    ),
    "the use case before the class": (
        "useCase: chatbot\nexperienceClass: conversational",
        "{sli: ttft}",
        "150ms",
        "0.95",
        "use case chatbot",
    ),
    "an objective's target keeps the use case's threshold": (
        "useCase: chatbot",
        "{sli: ttft, target: 90%}",
        "150ms",
        "0.9",
        "use case chatbot",
    ),
    "an objective's threshold keeps the use case's target": (
        "useCase: chatbot",
        "{sli: ttft, threshold: 100ms}",
        "100ms",
        "0.95",
        "the objective",
    ),
    "the class where there is no use case": (
        "experienceClass: conversational",
        "{sli: itl}",
        "",
        "0.95",
        "class conversational",
    ),
    "a p99 use case": ("useCase: interactive-chat", "{sli: ttft}", "", "0.99", "use case interactive-chat"),
    "30 ms between tokens for long answers": (
        "useCase: interactive-chat\ntraffic: {outputTokens: 1000}",
        "{sli: itl}",
        "30ms",
        "0.99",
        "for answers of 1000 tokens and more",
    ),
    "a latency budget": (
        "useCase: chatbot\nlatencyBudget: {network: 20ms, gateway: 15ms, safety: 25ms}",
        "{sli: ttft}",
        "90ms",
        "0.95",
        "150ms - 60ms latency budget (network, gateway, safety)",
    ),
    "a latency budget off an own threshold": (
        "latencyBudget: {network: 20ms}",
        "{sli: e2e, threshold: 5s, target: 95%}",
        "4.98s",
        "0.95",
        "5s - 20ms latency budget (network)",
    ),
    "no latency budget off the time between tokens": (
        "useCase: chatbot\nlatencyBudget: {network: 20ms}",
        "{sli: itl, threshold: 25ms}",
        "25ms",
        "0.95",
        "the objective",
    ),
    "parts that the engine sees stay in": (
        "useCase: chatbot\nlatencyBudget: {queue: 20ms, prefill: 30ms}",
        "{sli: ttft}",
        "150ms",
        "0.95",
        "use case chatbot",
    ),
}


# Engine, what the spec says of its traffic, and the matcher of streaming on its TTFT.
STREAMING: dict[str, tuple[str, str, str, str | None]] = {
    "streamed, where the engine tells them apart": ("sglang", "0.5.23", "traffic: {streaming: true}", '="true"'),
    "the others": ("sglang", "0.5.23", "traffic: {streaming: false}", '="false"'),
    "nothing is said": ("sglang", "0.5.23", "traffic: {promptTokens: 512}", None),
    "releases without the label": ("sglang", "0.5.10", "traffic: {streaming: true}", None),
    "a version of which only some releases have it": ("sglang", "0.5", "traffic: {streaming: true}", None),
    "an engine without the label": ("vllm", "0.11", "traffic: {streaming: true}", None),
    "a gateway": ("llm-d-router", "0.9", "traffic: {streaming: false}", '="false"'),
    "the spec's own selector": (
        "sglang",
        "0.5.23",
        'traffic: {streaming: true}\nselector: {job: sg, is_streaming: "false"}',
        '="false"',
    ),
}


@pytest.mark.parametrize("case", STREAMING, ids=str)
def test_streamed_requests_are_chosen_where_the_spec_says_so(case: str) -> None:
    name, version, body, wanted = STREAMING[case]
    engine = f'  engine: {{name: {name}, version: "{version}"}}\n'
    selector = "" if "selector" in body else SELECTOR
    text = document(body, "{sli: ttft, threshold: 1s, target: 95%}", engine=engine, selector=selector)
    checked = check(text)
    assert not checked.failed, checked.diagnostics
    histogram = checked.specs[0].slos[0].measurement
    assert isinstance(histogram, Histogram)
    found = [f'{item.op}"{item.value}"' for item in histogram.matchers if "streaming" in item.label]
    assert found == ([wanted] if wanted else [])


@pytest.mark.parametrize("case", NUMBERS)
def test_where_a_number_comes_from(case: str) -> None:
    body, objective, threshold, target, source = NUMBERS[case]
    slo = first(body, objective)
    assert slo.target == Decimal(target)
    assert source in origin(slo)
    if threshold:
        assert str(slo.promised) == threshold


def test_just_under_a_thousand_tokens_the_use_case_keeps_its_time_between_tokens() -> None:
    slo = first("useCase: interactive-chat\ntraffic: {outputTokens: 999}", "{sli: itl}")
    assert str(slo.promised) != "30ms"


ADJUSTED = {
    "promptLength": ("ttft", "traffic: {promptTokens: 600}", "for the prompt's length"),
    "hardware": ("ttft", "hardware: {tier: premium}", "for premium hardware"),
    "gpuCount": ("itl", "hardware: {gpuCount: 4}", "for 4 GPUs"),
    "modelSize": ("ttft", "hardware: {modelParametersB: 70}", "for 70"),
    "load": ("ttft", "load: 0.9", "at 90% load"),
}


@pytest.mark.parametrize("name", ADJUSTED)
def test_adjust_applies_the_formula_that_it_names(name: str) -> None:
    sli, facts, reason = ADJUSTED[name]
    plain = first(f"useCase: chatbot\n{facts}", f"{{sli: {sli}}}")
    adjusted = first(f"useCase: chatbot\n{facts}\nadjust: [{name}]", f"{{sli: {sli}}}")
    own = first(f"useCase: chatbot\n{facts}\nadjust: [{name}]", f"{{sli: {sli}, threshold: 21ms}}")
    assert reason in origin(adjusted)
    assert reason not in origin(plain)
    assert str(own.promised) == "21ms"


def test_the_prompt_scales_a_class_no_further_than_its_ceiling() -> None:
    short = first("experienceClass: conversational\ntraffic: {promptTokens: 512}", "{sli: ttft}")
    long = first("experienceClass: conversational\ntraffic: {promptTokens: 128000}", "{sli: ttft}")
    ceiling = ENVIRONMENT.catalog.experience_classes["conversational"].ceilings.ttft.value
    assert short.promised is not None
    assert short.promised < ceiling
    assert long.promised == ceiling
    assert "no more than the class's ceiling" in origin(long)


EDGES = tuple(Decimal(edge) for edge in ("0.1", "0.25", "0.5", "1"))
READINGS: dict[str, tuple[str, str, Reading | None]] = {
    "an edge, ceil": ("0.25", "ceil", Reading(Decimal("0.25"))),
    "an edge, floor": ("0.25", "floor", Reading(Decimal("0.25"))),
    "an edge, exact": ("0.25", "exact", Reading(Decimal("0.25"))),
    "between, ceil": ("0.3", "ceil", Reading(Decimal("0.5"), Decimal("0.25"))),
    "between, floor": ("0.3", "floor", Reading(Decimal("0.25"), Decimal("0.5"), "certain")),
    "between, exact": ("0.3", "exact", None),
    "below the lowest, ceil": ("0.05", "ceil", Reading(Decimal("0.1"), other_is_all=True)),
    "below the lowest, floor": ("0.05", "floor", None),
    "below the lowest, exact": ("0.05", "exact", None),
    "above the highest, ceil": ("1.01", "ceil", None),
    "above the highest, floor": ("1.01", "floor", None),
    "above the highest, exact": ("1.01", "exact", None),
    "the highest, ceil": ("1", "ceil", Reading(Decimal(1))),
}


@pytest.mark.parametrize("case", READINGS)
def test_which_edges_stand_for_a_threshold(case: str) -> None:
    threshold, policy, expected = READINGS[case]
    if expected is None:
        with pytest.raises(Unmeasurable) as fault:
            read_threshold(Decimal(threshold), EDGES, policy)
        assert fault.value.between == (case == "between, exact")
    else:
        assert read_threshold(Decimal(threshold), EDGES, policy) == expected


@pytest.mark.parametrize(("threshold", "near"), [("0.05", ["0.1"]), ("0.3", ["0.25", "0.5"]), ("2", ["1"])])
def test_neighbours_of_a_threshold(threshold: str, near: list[str]) -> None:
    assert [str(edge) for edge in neighbours(Decimal(threshold), EDGES)] == near


POLICY = load_builtin_policy("default")
FACTORS: dict[str, dict[str, str]] = {
    "7d": {"14.4x": "3.6", "6x": "1.5", "1x": "1"},
    "14d": {"14.4x": "7.2", "6x": "3", "1x": "1"},
    "27d": {"14.4x": "13.9", "6x": "5.8", "1x": "1"},
    "28d": {"14.4x": "14.4", "6x": "6", "1x": "1"},
    "30d": {"14.4x": "14.4", "6x": "6", "1x": "1"},
    "90d": {"14.4x": "14.4", "6x": "6", "1x": "1"},
}


@pytest.mark.parametrize("period", FACTORS)
def test_factors_of_a_period(period: str) -> None:
    found = {
        tier.name: tier_factor(tier, Decimal("0.999"), Duration.parse(period), POLICY.spec.factors_hold_from)
        for tier in POLICY.spec.tiers
        if tier.error_ratio is None
    }
    assert found == {name: Decimal(factor) for name, factor in FACTORS[period].items()}


# The tiers of an objective by target and period: what is left of the policy.
TIERS: dict[tuple[str, str], list[str]] = {
    ("99.9%", "28d"): ["14.4x", "6x", "1x"],
    ("98%", "28d"): ["14.4x", "6x", "1x"],
    ("97.99%", "28d"): ["14.4x", "outage", "6x", "1x"],
    ("95%", "28d"): ["14.4x", "outage", "6x", "1x"],
    ("93%", "28d"): ["outage", "6x", "1x"],  # 14.4 x 7% is over everything
    ("80%", "28d"): ["outage", "1x"],
    ("50%", "28d"): ["1x"],  # an outage of half would be the promise itself
    ("49%", "28d"): ["1x"],
    ("99.9%", "5d"): ["2.6x", "1.1x"],  # 3d is over half of 5d
    ("99.9%", "6d"): ["3.1x", "1.3x", "1x"],
}


@pytest.mark.parametrize(("target", "period"), TIERS)
def test_tiers_that_are_left(target: str, period: str) -> None:
    slo = first(f"timeWindow: [{{duration: {period}}}]", f"{{sli: ttft, threshold: 250ms, target: {target}}}")
    expected = TIERS[target, period]
    if target == "50%":  # the outage tier's ratio is the whole budget: factor 1
        assert [tier.name for tier in slo.tiers if tier.name != "outage"] == expected
    else:
        assert [tier.name for tier in slo.tiers] == expected
    assert all(tier.factor * slo.budget < 1 for tier in slo.tiers)


@pytest.mark.parametrize(("scrape", "fast"), [("15s", 30), ("30s", 30), ("31s", 60), ("60s", 60)])
def test_the_fast_step_follows_the_scrape_interval(scrape: str, fast: int) -> None:
    steps = steps_of(POLICY, Duration.parse(scrape))
    assert (steps.fast, steps.slow) == (fast, 240)


def test_scrapes_over_a_minute_apart_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slo-compiler.yaml").write_text("prometheus: {scrapeInterval: 61s}\n", encoding="utf-8")
    Path("chat.yaml").write_text(document("", "{sli: ttft, threshold: 250ms, target: 95%}"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["validate", "chat.yaml"])
    assert (result.exit_code, "scrapeInterval" in result.stderr) == (1, True)


def test_a_window_is_whole_tiles_half_a_step_short() -> None:
    steps = steps_of(POLICY, Duration.parse("15s"))
    window = window_of(Duration.parse("1h"), steps)
    assert (window.tiles, window.range.promql) == (120, "59m45s")
    with pytest.raises(ValueError, match="multiple of the fast step"):
        window_of(Duration.parse("45s"), steps)


# Body, objective, and the mode that holds.
MODES: dict[str, tuple[str, str, str]] = {
    "production pages": ("", "{sli: ttft, threshold: 250ms, target: 95%}", "page"),
    "preproduction has tickets": ("stage: preproduction", "{sli: ttft, threshold: 250ms, target: 95%}", "ticket"),
    "dev is silent": ("stage: dev", "{sli: ttft, threshold: 250ms, target: 95%}", "none"),
    "the spec before the stage": (
        "stage: dev\nalerting: {mode: page}",
        "{sli: ttft, threshold: 250ms, target: 95%}",
        "page",
    ),
    "the objective before the spec": (
        "alerting: {mode: ticket}",
        "{sli: ttft, threshold: 250ms, target: 95%, mode: page}",
        "page",
    ),
    "a streamed answer's end has tickets": ("", "{sli: e2e, threshold: 5s, target: 95%}", "ticket"),
    "a whole answer's end pages": ("traffic: {streaming: false}", "{sli: e2e, threshold: 5s, target: 95%}", "page"),
    "an objective pages at the end where it says so": (
        "",
        "{sli: e2e, threshold: 5s, target: 95%, mode: page}",
        "page",
    ),
    "batch latencies have tickets": (
        "experienceClass: batch",
        "{sli: ttft, threshold: 2s, target: 95%}",
        "ticket",
    ),
}


@pytest.mark.parametrize("case", MODES)
def test_which_mode_holds(case: str) -> None:
    body, objective, mode = MODES[case]
    slo = first(body, objective)
    assert slo.mode == mode
    assert bool(slo.tiers) == (mode != "none")
    if mode == "ticket":
        assert {tier.severity for tier in slo.tiers} == {"ticket"}
        assert all(tier.hold.seconds >= 900 for tier in slo.tiers)


@pytest.mark.parametrize(
    ("sli", "body", "guards"),
    [
        ("ttft", "traffic: {outputTokens: 100}", [3, 3, 4, 25]),
        ("itl", "traffic: {outputTokens: 100}", [300, 300, 400, 2500]),
        ("itl", "", [768, 768, 1024, 6400]),
        ("ttft", "alerting: {minBadEvents: 10}", [10, 10, 10, 25]),
    ],
)
def test_guards_count_requests(sli: str, body: str, guards: list[int]) -> None:
    slo = first(body, f"{{sli: {sli}, threshold: 25ms, target: 95%}}")
    assert [tier.guard for tier in slo.tiers] == guards


@pytest.mark.parametrize(("rate", "keep"), [(119, 1800), (120, 300)])
def test_alerts_fire_on_for_longer_at_little_traffic(rate: int, keep: int) -> None:
    slo = first(f"traffic: {{requestsPerHour: {rate}}}", "{sli: ttft, threshold: 250ms, target: 95%}")
    assert {tier.keep_firing_for.seconds for tier in slo.tiers} == {keep}


@pytest.mark.parametrize("version", ["0.8", "0.10", "0.11", "0.12"])
def test_names_of_all_versions_are_joined(version: str) -> None:
    slo = first(
        "", "{sli: itl, threshold: 25ms, target: 95%}", engine=f'  engine: {{name: vllm, version: "{version}"}}\n'
    )
    assert isinstance(slo.measurement, Histogram)
    assert slo.measurement.names == ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")


OK = "{sli: ttft, threshold: 250ms, target: 95%}"
# Text, code, what the caret underlines, a part of the message and of the hint: exactly one finding each.
REFUSED: dict[str, tuple[str, str, str, str, str]] = {
    "a period of ages": (
        document("timeWindow: [{duration: 999999999999w}]", OK),
        "SLO203",
        "999999999999w",
        "no period of 1 to 366 days",
        "write whole days",
    ),
    "a period of 367 days": (document("timeWindow: [{duration: 367d}]", OK), "SLO203", "367d", "366", "whole days"),
    "a period of a day and a half": (
        document("timeWindow: [{duration: 36h}]", OK),
        "SLO203",
        "36h",
        "no whole number of days",
        "write whole days, such as 28d",
    ),
    "a period of half a day": (document("timeWindow: [{duration: 12h}]", OK), "SLO203", "12h", "whole number", "28d"),
    "a label that begins with a digit": (
        document("", OK, metadata=", labels: {1team: x}"),
        "SLO203",
        "1team",
        "begins with a digit",
        "begin it with a letter",
    ),
    "two labels that become one": (
        document("", OK, metadata=", labels: {a-b: x, a_b: y}"),
        "SLO203",
        "a_b",
        "a-b and a_b both become the label a_b",
        "choose another name",
    ),
    "a label that the compiler writes": (
        document("alerting: {labels: {severity: high}}", OK),
        "SLO203",
        "severity",
        "is written by the compiler",
        "another name",
    ),
    "a metadata label of no label name": (
        document("", OK, metadata=", labels: {'a b': x}"),
        "SLO203",
        "'a b'",
        "is no label key",
        "letters",
    ),
    "an annotation whose key ends in a dash": (
        document("", OK, metadata=", annotations: {owner-: x}"),
        "SLO203",
        "owner-",
        "'owner-' is no annotation key",
        "write name or prefix/name",
    ),
    "an annotation whose prefix is no domain": (
        document("", OK, metadata=", annotations: {Example.com/owner: x}"),
        "SLO203",
        "Example.com/owner",
        "is no lower-case domain name",
        "example.com/owner",
    ),
    "groups that the spec's own model excludes": (
        document("groupBy: {labels: [model_name], allow: [acme/one, acme/two]}", OK, alone=False),
        "SLO203",
        "[acme/one, acme/two]",
        'of model_name it allows no value that {model_name="acme/chat"} lets through',
        'allow values that {model_name="acme/chat"} lets through',
    ),
    "groups that the spec's own selector excludes": (
        document(
            "groupBy: {labels: [namespace], allow: [stage]}",
            OK,
            selector="  selector: {job: vllm-chat, namespace: {re: 'prod-.*'}}\n",
            alone=False,
        ),
        "SLO203",
        "[stage]",
        "no series can be read",
        'allow values that {namespace=~"prod-.*"} lets through',
    ),
    "a lookahead": (
        document("", OK, selector="  selector: {job: {re: '(?=x)a'}}\n"),
        "SLO203",
        "{re: '(?=x)a'}",
        "no regular expression that Prometheus reads",
        "RE2",
    ),
    "a backreference": (
        document("", OK, selector="  selector: {job: {re: '(a)\\1'}}\n"),
        "SLO203",
        "{re: '(a)\\1'}",
        "no regular expression",
        "RE2",
    ),
    "an open group": (
        document("", OK, selector="  selector: {job: {re: '(a'}}\n"),
        "SLO203",
        "{re: '(a'}",
        "no regular expression",
        "RE2",
    ),
    "a regular expression that takes seconds to judge": (
        document("", OK, selector=f"  selector: {{job: {{re: '{'(a|b)*' * 1667}'}}}}\n"),
        "SLO203",
        f"{{re: '{'(a|b)*' * 1667}'}}",
        "a regular expression of over 10000 characters",
        "RE2",
    ),
    "a selector that no rule file could hold": (
        document("", f"{{sli: ratio, target: 95%, good: 'a{{b=\"{'x' * 10_000}\"}}', total: a}}"),
        "SLO203",
        f"'a{{b=\"{'x' * 10_000}\"}}'",
        "it has 10,007 characters, and at most 10,000 are read",
        "",
    ),
    "a label's value that no rule file could hold": (
        document("", OK, selector=f"  selector: {{job: {'x' * 10_001}}}\n"),
        "SLO203",
        "x" * 10_001,
        "a label's value of over 10000 characters",
        "",
    ),
    "too many repeats": (
        document("", OK, selector="  selector: {job: {re: 'a{1001}'}}\n"),
        "SLO203",
        "{re: 'a{1001}'}",
        "no regular expression",
        "RE2",
    ),
    "a misspelt matcher": (
        document("", OK, selector="  selector: {job: {rex: a}}\n"),
        "SLO201",
        "rex",
        "spec.selector.job has no field rex",
        "did you mean re?",
    ),
    "a matcher of nothing": (
        document("", OK, selector="  selector: {job: }\n"),
        "SLO202",
        "job",
        "spec.selector.job has no value",
        "job",
    ),
    "a list as a matcher": (
        document("", OK, selector="  selector: {job: [a, b]}\n"),
        "SLO203",
        "[a, b]",
        "expected text or a matcher",
        "{re: ...}",
    ),
    "the bucket label": (
        document("", OK, selector="  selector: {le: '0.1'}\n"),
        "SLO203",
        "le",
        "le is the label of buckets",
        "remove le",
    ),
    "the name of the metric": (
        document("", OK, selector="  selector: {__name__: x}\n"),
        "SLO203",
        "__name__",
        "is the metric's name",
        "remove __name__",
    ),
    "an infinite queue": (
        document("alerting: {queueWaitingPerReplica: inf}", OK),
        "SLO203",
        "inf",
        "finite number",
        "write a number",
    ),
    "no number of requests": (
        document("traffic: {requestsPerHour: nan}", OK),
        "SLO203",
        "nan",
        "finite number",
        "write a number",
    ),
    "a word for a number": (document("load: high", OK), "SLO203", "high", "expected a number", "write a number"),
    "half a token": (
        document("traffic: {outputTokens: some}", OK),
        "SLO203",
        "some",
        "expected a whole number",
        "digits only",
    ),
    "no tokens": (document("traffic: {outputTokens: 0}", OK), "SLO203", "0", "must be over 0", "over 0"),
    "an absurd guard": (
        document("alerting: {minBadEvents: 1000000001}", OK),
        "SLO203",
        "1000000001",
        "must be at most 1000000000",
        "or less",
    ),
    "no objectives": (
        document("", alone=False).replace("objectives:\n", "objectives: []\n"),
        "SLO203",
        "[]",
        "holds 0, and at least 1 is needed",
        "objectives: [{sli: ttft, threshold: 250ms, target: 95%}]",
    ),
    "text for an objective": (
        document("", "ttft", alone=False),
        "SLO203",
        "ttft",
        "expected a mapping",
        "key: value",
    ),
    "a misspelt part of the latency budget": (
        document("latencyBudget: {netwrk: 20ms}", OK),
        "SLO201",
        "netwrk",
        "spec.latencyBudget has no field netwrk",
        "did you mean network?",
    ),
    "a bool in capitals": (
        document("longTerm: True", OK),
        "SLO203",
        "True",
        "expected true or false",
        "write true or false",
    ),
    "a stage of no name that is near": (
        document("stage: zzz", OK),
        "SLO203",
        "zzz",
        "is not one of production, preproduction or dev",
        "write one of: dev, preproduction, production",
    ),
    "an id with two slashes": (
        document("", OK, metadata=", annotations: {slo-compiler/id: a/b/c}"),
        "SLO203",
        "a/b/c",
        "is no id",
        "slo-compiler/id: team/chat",
    ),
    "an id in capitals": (
        document("", OK, metadata=", annotations: {slo-compiler/id: Chat}"),
        "SLO203",
        "Chat",
        "is no id",
        "slo-compiler/id",
    ),
    "a runbook that is no address": (
        document("", OK, metadata=", annotations: {slo-compiler/runbook: 'javascript:alert(1)'}"),
        "SLO203",
        "'javascript:alert(1)'",
        "http(s) address",
        "https://",
    ),
    "a runbook with a blank": (
        document("", OK, metadata=", annotations: {slo-compiler/runbook: https://x.example/a b}"),
        "SLO203",
        "https://x.example/a b",
        "http(s) address",
        "https://",
    ),
    "an unknown annotation": (
        document("", OK, metadata=", annotations: {slo-compiler/runbok: https://x.example}"),
        "SLO201",
        "slo-compiler/runbok",
        "unknown annotation",
        "did you mean runbook?",
    ),
    "a version with a tail of nonsense": (
        document("", OK, engine='  engine: {name: vllm, version: "0.11banana"}\n'),
        "SLO401",
        '"0.11banana"',
        "is no version",
        "known versions: ",
    ),
    "a version of old": (
        document("", OK, engine='  engine: {name: vllm, version: "0.1"}\n'),
        "SLO401",
        '"0.1"',
        "older than",
        "known versions: ",
    ),
    "a generation that is gone": (
        document("", OK, engine='  engine: {name: vllm, version: "0.12", generation: v0}\n'),
        "SLO401",
        "v0",
        "has no generation v0",
        "generation: v1",
    ),
    "a selector that is a function": (
        document("", "{sli: ratio, name: r, target: 99%, good: 'rate(a[5m])', total: b}"),
        "SLO203",
        "'rate(a[5m])'",
        "without functions",
        "good: 'requests_total",
    ),
    "an SLI that the version lacks, and nothing about what else is missing": (
        document("", "{sli: tpot, threshold: 50ms, target: 95%}", alone=False).replace("0.11", "0.10"),
        "SLO402",
        "tpot",
        "exposes no metric for tpot",
        "is in vLLM",
    ),
    "a broken availability, and no warning that there is none": (
        document("", OK, "{sli: availability, target: 99.9%, source: {bad: x, total: '}'}}", alone=False),
        "SLO203",
        "'}'",
        "no PromQL",
        "total: 'requests_total",
    ),
    "a batch class whose completion is broken": (
        document(
            "experienceClass: batch",
            "{sli: job_completion, threshold: 4h, target: 95%, source: {due: docs_due_total}}",
            alone=False,
        ),
        "SLO202",
        "{sli: job_completion, threshold: 4h, target: 95%, source: {due: docs_due_total}}",
        "due and onTime",
        "onTime: ",
    ),
}


def told(checked: Checked) -> list[Diagnostic]:
    return [diagnostic for diagnostic in checked.diagnostics if diagnostic.severity is not Severity.INFO]


@pytest.mark.parametrize("case", REFUSED)
def test_refused_once_at_its_place_with_a_hint(case: str) -> None:
    text, code, underlined, message, hint = REFUSED[case]
    found = told(check(text))
    assert [(d.code.name, d.severity) for d in found] == [(code, Severity.ERROR)], found
    span = found[0].span
    assert text.splitlines()[span.line - 1][span.column - 1 : span.end_column - 1] == underlined
    assert message in found[0].message
    assert hint in found[0].hint


ACCEPTED = {
    "366 days": document("timeWindow: [{duration: 366d}]", OK),
    "one day": document("timeWindow: [{duration: 24h}]", OK),
    "a label with a dot": document("", OK, metadata=", labels: {team.name: x, a-b: y}"),
    "a regular expression": document("", OK, selector="  selector: {job: {re: 'vllm-[a-z]+(-\\d{1,3})?'}}\n"),
    "an escaped bracket": document("", OK, selector="  selector: {job: {re: '\\(?x'}}\n"),
    "an id with a slash": document("", OK, metadata=", annotations: {slo-compiler/id: team/chat-1}"),
    "a runbook": document("", OK, metadata=", annotations: {slo-compiler/runbook: 'https://x.example/a?b=c#d'}"),
    "every part of the budget": document(
        "latencyBudget: {network: 1ms, gateway: 1ms, safety: 1ms, retrieval: 1ms, tokenization: 1ms, queue: 1ms, prefill: 1ms}",
        "{sli: ttft, threshold: 255ms, target: 95%}",
    ),
    "a post release": document("", OK, engine='  engine: {name: vllm, version: "v0.11.0.post1+cpu"}\n'),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_near_misses_are_no_errors(case: str) -> None:
    assert not check(ACCEPTED[case]).failed


def test_periods_of_the_configuration_are_judged_alike() -> None:
    source = load_bytes(b"defaults: {period: 36h}\n", "slo-compiler.yaml").documents[0]
    _, faults = read_model(Config, source)
    assert [(d.code.name, d.span.column) for d in faults] == [("SLO203", 20)]


def test_a_broken_spec_takes_part_in_names_only() -> None:
    broken = document("", OK, "{sli: tpot, threshold: 1s, target: 95%}").replace("0.11", "0.10")
    found = told(check(f"{document('', OK)}---\n{broken}"))
    assert sorted(d.code.name for d in found) == ["SLO205", "SLO402"]


def test_a_waiver_of_a_broken_spec_is_not_called_idle() -> None:
    body = 'waivers: [{code: SLO407, reason: "r", until: 2099-01-01}]'
    broken = document(body, "{sli: tpot, threshold: 50ms, target: 95%}", alone=False).replace("0.11", "0.10")
    assert [d.code.name for d in told(check(broken))] == ["SLO402"]
    whole = document(body, OK)
    assert [d.code.name for d in told(check(whole))] == ["SLO307"]


def test_a_period_beyond_the_retention_points_at_the_window() -> None:
    prometheus = Config().prometheus.model_copy(update={"retention": Duration.parse("15d")})
    environment = Environment(Config().model_copy(update={"prometheus": prometheus}))
    own = told(check(document("timeWindow: [{duration: 28d}]", OK), environment))
    assert [(d.code.name, d.span.line) for d in own] == [("SLO504", 9)]
    default = told(check(document("", OK), environment))
    assert [(d.code.name, d.span.line) for d in default] == [("SLO504", 10)]


def test_no_selector_points_at_the_engine() -> None:
    found = told(check(document("", OK, selector="")))
    assert [(d.code.name, d.span.line) for d in found] == [("SLO408", 7)]


@pytest.mark.parametrize(
    ("line", "caret"),
    [
        ("name: wrong", "      ^^^^^"),
        ("\tn: wrong", "    ^^^^^"),
        ("名前: wrong", "      ^^^^^"),
        ("e\u0301: wrong", "   ^^^^^"),
        ("\x1b: wrong", "      ^^^^^"),
    ],
    ids=["plain", "tab", "wide", "combining", "control"],
)
def test_the_caret_stands_under_its_word(line: str, caret: str) -> None:
    spec = check(document("", "{sli: nothing, target: 95%}"))
    start = line.index("wrong") + 1
    finding = spec.diagnostics[0]
    place = finding.span._replace(line=1, column=start, end_line=1, end_column=start + 5)
    text = render_text(Report([replace(finding, span=place)], {"chat.yaml": [line]}, files=1))
    marks = text.splitlines()[2].partition(" | ")[2].partition(" help")[0]
    assert marks == caret


@pytest.mark.parametrize(
    ("selector", "severity", "message", "hint"),
    [
        ("{jobb: vllm, namespace: prod}", Severity.WARNING, "jobb is no label of vllm:time_to", "did you mean job?"),
        (
            "{job: a, model_nam: x}",
            Severity.WARNING,
            "model_nam is no label of vllm:time_to",
            "did you mean model_name?",
        ),
        (
            "{job: a, finished_reason: stop}",
            Severity.WARNING,
            "finished_reason is a label of vllm:request_success_total, not of vllm:time_to_first_token_seconds",
            "vllm:time_to_first_token_seconds has engine, model_name",
        ),
        (
            "{job: a, endpoint: x}",
            Severity.INFO,
            "endpoint is taken for a label that scraping adds",
            "prometheus: {targetLabels: [job, instance, namespace, cluster, endpoint]}",
        ),
    ],
)
def test_a_label_that_nobody_is_known_to_add_is_named(
    selector: str, severity: Severity, message: str, hint: str
) -> None:
    text = document("", "{sli: ttft, threshold: 250ms, target: 95%}", selector=f"  selector: {selector}\n")
    (found,) = [item for item in check(text).diagnostics if item.code is Code.SLO408]
    assert (found.severity, found.hint) == (severity, hint)
    assert found.message.startswith(message)
    trusting = Environment(Config.model_validate({"prometheus": {"targetLabels": ["job", "endpoint"]}}))
    if severity is Severity.INFO:
        assert not [item for item in check(text, trusting).diagnostics if item.code is Code.SLO408]
