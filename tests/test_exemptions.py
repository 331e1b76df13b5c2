"""Exemptions: which are read and which refused, and what the rules make of masked time."""

from __future__ import annotations

from pathlib import Path

import promql_parser
import pytest
import yaml

from slo_compiler import explain
from slo_compiler.documents.config import Config
from slo_compiler.emit import promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.external import promtool
from slo_compiler.ir import Spec
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.promql.conditions import read_condition
from slo_compiler.promql.selectors import NotASelector
from slo_compiler.resolve.environment import Environment
from tests.promtool_case import MINUTE, Case, Compiled, Course, Rule, compile_text
from tests.thorough import cases

HEAD = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: m
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  stage: dev
  alerting: {mode: page}
"""
TTFT = "{sli: ttft, threshold: 250ms, target: 95%}"
GATEWAY = (
    '{sli: availability, target: 99.9%, source: {bad: \'gw_total{app="x",code=~"5.."}\', total: \'gw_total{app="x"}\'}}'
)
THROUGHPUT = "{sli: throughput, rate: 480, target: 95%}"
SUNDAYS = '{kind: maintenance, schedule: {cron: "0 3 * * 0", duration: 1h, timeZone: Europe/Berlin}, maxPerPeriod: 4h}'
ROLLOUT = '{kind: rollout, when: \'kube_updated{app="x"} < kube_wanted{app="x"}\', maxPerPeriod: 2h}'
SCALED = "{kind: scale-to-zero, when: 'kube_wanted{app=\"x\"} == 0', maxPerPeriod: 100h}"
COLD = "{kind: cold-start, for: 5m, maxPerPeriod: 2h}"
ID = '{slo_id="demo/chat-ttft"}'
GATEWAY_ID = '{slo_id="demo/chat-availability"}'


def spec(*exemptions: str, objectives: tuple[str, ...] = (TTFT,), more: str = "") -> str:
    lines = [*(f"    - {item}" for item in objectives), "  exemptions:", *(f"    - {item}" for item in exemptions)]
    return HEAD + more + "  objectives:\n" + "\n".join(lines) + "\n"


def resolved(text: str) -> Spec:
    checked = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()))
    assert not checked.failed, checked.diagnostics
    return checked.specs[0]


def ttft(case: Case, pod: str, served: Course, fast: Course) -> None:
    labels = f'job="vllm",model_name="m",instance="{pod}"'
    name = "vllm:time_to_first_token_seconds"
    case.scraped(f"{name}_count{{{labels}}}", served)
    case.scraped(f'{name}_bucket{{{labels},le="0.25"}}', fast)


def line(per_second: float) -> Course:
    return lambda time: 100_000 + per_second * time


def between(begin: float, end: float, inside: float, outside: float) -> Course:
    return lambda time: inside if begin <= time < end else outside


LOW = "a promise below every bucket"
GENERATED = {
    "everything at once": spec(SUNDAYS, ROLLOUT, SCALED, COLD, objectives=(TTFT, GATEWAY)),
    "cold starts alone": spec(COLD),
    "a bound on the other side": spec(ROLLOUT, COLD, objectives=("{sli: ttft, threshold: 150ms, target: 95%}",)),
    LOW: spec(COLD, objectives=("{sli: queue, threshold: 100ms, target: 95%}",)),
    "slices": spec(ROLLOUT, objectives=(THROUGHPUT,)),
    "a window when the tests would begin": spec(
        '{kind: maintenance, schedule: {cron: "30 0 * * 4", duration: 2h, timeZone: Atlantic/Reykjavik}, maxPerPeriod: 8h}',
        COLD,
    ),
    "two of a kind, and hardly any time": spec(
        ROLLOUT.replace("2h", "3m"), ROLLOUT.replace("kube_updated", "kube_ready").replace("2h", "1m")
    ),
}


@pytest.mark.promtool
@pytest.mark.parametrize(
    "case", cases(GENERATED, ("everything at once", "slices", "a window when the tests would begin", LOW))
)
def test_the_generated_tests_hold(case: str, tmp_path: Path) -> None:
    found = resolved(GENERATED[case])
    paths = []
    for artifact in (*rules.emit(found, Context()), *promtool_tests.emit(found, Context())):
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
        paths.append(path)
    checked = promtool.check_rules(promtool.find_promtool(), paths[:1])
    assert checked.ok, checked.output
    result = promtool.test_rules(promtool.find_promtool(), paths[1:])
    assert result.ok, result.output


# What stands in the rules, what it becomes, and the file of tests that notices.
MISTAKES = {
    "the mask is dropped": (' unless on () max(slo:exempt:fast{slo_id="demo/chat-ttft"} == 1)', "", "fast"),
    "a masked tile is absent": (
        'or on () 0 * max(slo:exempt:fast{slo_id="demo/chat-ttft"} == 1)',
        "or on () 0 * x_x",
        "fast",
    ),
    "the period's share never ends": (">= 7200", ">= 720000", "fast"),
    "a condition ends at once": ("[1m15s])", "[15s])", "fast"),
    "another time of day": ("(time() + 10800) % 86400", "(time() + 14400) % 86400", "schedule"),
    "another weekday": ("== bool 6", "== bool 5", "schedule"),
    "a window without an end": ("< bool 5400", "< bool 9000", "schedule"),
}


@pytest.mark.promtool
@pytest.mark.parametrize(
    "case", cases(MISTAKES, ("a masked tile is absent", "the period's share never ends", "a condition ends at once"))
)
def test_a_mistake_in_a_mask_fails_the_generated_tests(case: str, tmp_path: Path) -> None:
    right, wrong, noticed = MISTAKES[case]
    saturday = '{kind: maintenance, schedule: {cron: "0 21 * * 6", duration: 90m}, maxPerPeriod: 8h}'
    found = resolved(spec(saturday, ROLLOUT))
    (rule_file,) = rules.emit(found, Context())
    (test,) = [item for item in promtool_tests.emit(found, Context()) if f".{noticed}." in item.path]
    test_path = tmp_path / test.path
    test_path.parent.mkdir(parents=True, exist_ok=True)
    test_path.write_text(test.text, encoding="utf-8")
    rule_path = tmp_path / rule_file.path
    rule_path.parent.mkdir(parents=True, exist_ok=True)
    assert right in rule_file.text
    rule_path.write_text(rule_file.text.replace(right, wrong), encoding="utf-8")
    assert not promtool.test_rules(promtool.find_promtool(), [test_path], twice=False).ok


# Scenarios from drawn scrapes


@pytest.mark.promtool
def test_an_outage_within_a_roll_out_does_not_burn_and_one_after_it_does(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec(ROLLOUT))
    case = Case(compiled, 70 * MINUTE)
    begin, end, second = 20 * MINUTE, 30 * MINUTE, 50 * MINUTE

    def fast(time: float) -> float:  # nothing in time during the roll-out, and again from minute 50 on
        return 100_000 + 2 * (min(time, begin) + max(min(time, second) - end, 0))

    ttft(case, "a", line(2), fast)
    case.scraped('kube_wanted{app="x",job="kube"}', lambda _: 3.0)
    case.scraped('kube_updated{app="x",job="kube"}', between(begin, end + 15, 1.0, 3.0))
    # A tile in the middle is 0, not absent; the first one after its tail counts again.
    for name in ("events", "bad_events"):
        case.between(25 * MINUTE, f"slo:{name}:fast{ID}", 0, 0)
    case.about(25 * MINUTE, f"slo:seen_events:fast{ID}", 60)
    case.about(end + 2 * MINUTE, f"slo:events:fast{ID}", 60)
    # No bad event of the roll-out is counted in any window, and there is no gap in any tile.
    case.between(45 * MINUTE, f"sum_over_time(slo:bad_events:fast{ID}[44m])", 0, 0)
    case.between(45 * MINUTE, f"count_over_time(slo:events:fast{ID}[29m45s])", 60, 60)
    case.between(45 * MINUTE, f"slo:period_bad_events:sum{ID}", 0, 0)
    case.silent(50 * MINUTE, "SLOBurnRatePage")
    case.firing(68 * MINUTE, "SLOBurnRatePage", tier="outage")
    # Ten minutes and the tail are used; here the slow rules count each tile eight times.
    case.between(45 * MINUTE, 'slo:exempt_seconds:sum{exemption="rollout"} / 8', 600, 720)
    case.never_nan(70 * MINUTE)
    case.prove()


@pytest.mark.promtool
def test_a_roll_out_that_never_ends_is_exempt_until_its_share_is_used(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec(ROLLOUT.replace("2h", "1h")))
    case = Case(compiled, 40 * MINUTE)
    ttft(case, "a", line(2), lambda _: 100_000.0)
    case.scraped('kube_wanted{app="x"}', lambda _: 3.0)
    case.scraped('kube_updated{app="x"}', lambda _: 1.0)
    # An hour at eightfold speed, which is what the slow rules see at the pace of the fast ones: eight minutes.
    case.between(7 * MINUTE, f"slo:events:fast{ID}", 0, 0)
    case.between(7 * MINUTE, f"slo:exempt:fast{ID}", 1, 1)
    case.between(12 * MINUTE, f"slo:exempt:fast{ID}", 0, 0)
    case.about(12 * MINUTE, f"slo:bad_events:fast{ID}", 60)
    case.firing(40 * MINUTE, "SLOBurnRatePage", tier="outage")
    case.prove()


@pytest.mark.promtool
def test_scaled_to_zero_is_no_gap_and_no_page(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec(SCALED))
    case = Case(compiled, 60 * MINUTE)
    gone = 20 * MINUTE

    def served(time: float) -> float | None:
        return None if time >= gone else 100_000 + 2 * time

    case.scraped('up{job="vllm",instance="a"}', lambda time: None if time >= gone else 1.0)
    ttft(case, "a", served, served)
    case.scraped('kube_wanted{app="x"}', lambda time: 0.0 if time >= gone - 30 else 3.0)
    case.nothing(50 * MINUTE, f"slo:seen_events:fast{ID}")
    case.between(50 * MINUTE, f"slo:events:fast{ID}", 0, 0)
    case.between(50 * MINUTE, f"slo:bad_events:fast{ID}", 0, 0)
    case.silent(59 * MINUTE, "SLOSourceAbsent")
    case.never_nan(60 * MINUTE)
    case.prove()


@pytest.mark.promtool
def test_a_young_replica_is_left_out_and_the_others_are_not(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec(COLD))
    case = Case(compiled, 30 * MINUTE)
    ttft(case, "old", line(2), line(1.8))
    start = 10 * MINUTE

    def young(per_second: float) -> Course:
        return lambda time: None if time < start else 50_000 + per_second * (time - start)

    ttft(case, "young", young(4), young(0))
    case.scraped('process_start_time_seconds{job="vllm",instance="old"}', lambda _: -100_000.0)
    case.scraped(
        'process_start_time_seconds{job="vllm",instance="young"}', lambda time: None if time < start else float(start)
    )
    # Two requests a second of the old one, a tenth of them late, until the young one is five minutes old.
    case.about(14 * MINUTE, f"slo:events:fast{ID}", 60)
    case.about(14 * MINUTE, f"slo:bad_events:fast{ID}", 6)
    case.about(18 * MINUTE, f"slo:events:fast{ID}", 180)
    case.about(18 * MINUTE, f"slo:bad_events:fast{ID}", 126)
    case.never_nan(30 * MINUTE)
    case.prove()


@pytest.mark.promtool
def test_a_fleet_of_young_replicas_is_no_gap(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec(COLD))
    case = Case(compiled, 15 * MINUTE)
    ttft(case, "a", line(2), line(0))
    case.scraped('process_start_time_seconds{job="vllm",instance="a"}', lambda _: 0.0)
    for name in ("events", "bad_events"):
        case.between(4 * MINUTE, f"slo:{name}:fast{ID}", 0, 0)
    case.about(10 * MINUTE, f"slo:bad_events:fast{ID}", 60)
    case.never_nan(15 * MINUTE)
    case.prove()


@pytest.mark.promtool
def test_gateway_errors_within_a_mask_are_none(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec(ROLLOUT, objectives=(GATEWAY,)))
    case = Case(compiled, 30 * MINUTE)
    case.scraped('up{job="gw",instance="g"}', lambda _: 1.0)
    case.scraped('gw_total{job="gw",instance="g",app="x",code="200"}', line(3))
    case.scraped('gw_total{job="gw",instance="g",app="x",code="502"}', lambda time: None if time < 605 else time)
    case.scraped('kube_wanted{app="x"}', lambda _: 3.0)
    case.scraped('kube_updated{app="x"}', between(590, 20 * MINUTE, 1.0, 3.0))
    case.between(19 * MINUTE, f"sum_over_time(slo:bad_events:fast{GATEWAY_ID}[18m])", 0, 0)
    case.about(25 * MINUTE, f"slo:bad_events:fast{GATEWAY_ID}", 30)
    case.never_nan(30 * MINUTE)
    case.prove()


@pytest.mark.promtool
def test_a_condition_that_fails_masks_nothing(tmp_path: Path) -> None:
    """Many series on both sides fail the rule of the condition; the SLO goes on without it."""
    compiled = compile_text(tmp_path, spec(ROLLOUT.replace("< kube", "< on (app) kube")))
    case = Case(compiled, 10 * MINUTE)
    ttft(case, "a", line(2), line(2))
    case.about(10 * MINUTE, f"slo:events:fast{ID}", 60)
    case.prove()


# What is read and what is refused

REFUSED = {
    "no cron": (SUNDAYS.replace("0 3 * * 0", "0 3 * *"), "SLO203", "0 3 * *"),
    "an unknown zone": (SUNDAYS.replace("Berlin", "Berlinn"), "SLO204", "Europe/Berlinn"),
    "too many starts": (SUNDAYS.replace("0 3 * * 0", "*/30 */1 1 * *").replace("1h", "5m"), "SLO206", "*/30 */1 1 * *"),
    "no time free": (SUNDAYS.replace("0 3 * * 0", "0 */2 * * *"), "SLO206", "- {kind: maintenance"),
    "a window over its share": (SUNDAYS.replace("duration: 1h", "duration: 5h"), "SLO203", "5h"),
    "half a minute": (SUNDAYS.replace("duration: 1h", "duration: 90s"), "SLO203", "90s"),
    "over half the period": (SCALED.replace("100h", "15d"), "SLO203", "15d"),
    "no share": (SUNDAYS.replace(", maxPerPeriod: 4h", ""), "SLO202", None),
    "a kind of its own": (SUNDAYS.replace("maintenance", "holiday"), "SLO203", "holiday"),
    "a schedule of a roll-out": (SUNDAYS.replace("maintenance", "rollout"), "SLO203", None),
    "a cold start without its time": (COLD.replace("for: 5m, ", ""), "SLO203", None),
    "no PromQL": (SCALED.replace("== 0", "=== 0"), "SLO203", None),
    "a condition of nothing": (SCALED.replace('kube_wanted{app="x"} == 0', "vector(1)"), "SLO203", "vector(1)"),
    "an outage that exempts itself": (
        SCALED.replace('kube_wanted{app="x"} == 0', 'absent(kube_wanted{app="x"})'),
        "SLO203",
        'absent(kube_wanted{app="x"})',
    ),
    "the engine's own metric": (
        SCALED.replace('kube_wanted{app="x"} == 0', "rate(vllm:time_to_first_token_seconds_count[5m]) == 0"),
        "SLO203",
        "rate(vllm:time_to_first_token_seconds_count[5m]) == 0",
    ),
    "targets that are down": (SCALED.replace('kube_wanted{app="x"}', "up"), "SLO203", "up == 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_where(case: str) -> None:
    exemption, code, word = REFUSED[case]
    text = spec(exemption)
    checked = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()))
    found = [item for item in checked.diagnostics if item.code.name == code]
    assert len(found) == 1, checked.diagnostics
    assert found[0].hint
    if word is not None:
        line_text = text.splitlines()[found[0].span.line - 1]
        assert line_text[found[0].span.column - 1 :].lstrip("'\"{").startswith(word), line_text[
            found[0].span.column - 1 :
        ]


def test_every_fault_is_told_at_once() -> None:
    text = spec(SUNDAYS.replace("0 3 * * 0", "x"), SCALED.replace("100h", "20d"), COLD.replace("5m", "5 minutes"))
    checked = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()))
    assert [item.code.name for item in checked.diagnostics] == ["SLO203"]  # a duration that is none ends the reading
    text = text.replace("5 minutes", "5m")
    checked = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()))
    assert sorted(item.code.name for item in checked.diagnostics) == ["SLO203", "SLO203"]


def test_groups_and_exemptions_are_refused_together() -> None:
    text = spec(
        ROLLOUT,
        objectives=("{sli: ratio, target: 99%, bad: a_bad_total, total: a_total}",),
        more="  groupBy: {labels: [job]}\n",
    )
    checked = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()))
    assert [item.code.name for item in checked.diagnostics if item.code.name == "SLO206"] == ["SLO206"]


def test_a_cold_start_does_not_reach_what_a_gateway_counts_and_says_so() -> None:
    text = spec(COLD, objectives=(TTFT, GATEWAY))
    checked = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()))
    assert [item.code.name for item in checked.diagnostics] == ["SLO507"]
    assert [len(slo.exemptions) for slo in checked.specs[0].slos] == [1, 0]


def test_outputs_say_what_is_exempt() -> None:
    found = resolved(spec(SUNDAYS, ROLLOUT, ROLLOUT.replace("updated", "ready").replace("2h", "30m")))
    slo = found.slos[0]
    named = "maintenance up to 4h, rollout up to 2h, rollout-2 up to 30m"
    assert slo.promise.endswith(f"(exempt: {named})")
    assert dict(slo.info)["exempt"] == named
    shown = explain.render_numbers([found], 200)
    assert 'at most, for maintenance: cron "0 3 * * 0" in Europe/Berlin for 1h' in shown
    (numbers,) = yaml.safe_load(explain.numbers_json([found]))["slos"]
    assert [item["value"] for item in numbers["provenance"] if item["field"] == "exempt"] == [14400, 7200, 1800]
    (artifact,) = rules.emit(found, Context())
    described = [
        rule["annotations"]["description"]
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
        if rule.get("alert", "").startswith("SLOBurnRate")
    ]
    assert described
    assert all(f"exempt: {named}" in text for text in described)


CONDITIONS = {
    "a comparison holds where it gives a result": ("a == 0", "count(a == 0\n)"),
    "a number holds where it is not 0": ("a", "count((a\n) != 0)"),
    "so does a comparison with bool": ("a > bool 3", "count((a > bool 3\n) != 0)"),
    "parentheses change nothing": ("((a < 3))", "count(((a < 3))\n)"),
    "a set of comparisons": ("a == 0 and on (x) b", "count(a == 0 and on (x) b\n)"),
    "a comparison or a number": ("a == 0 or b", "count((a == 0 or b\n) != 0)"),
    "a comment ends with its line": ("a == 0 # none", "count(a == 0 # none\n)"),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_a_condition_is_made_a_yes_or_no(case: str) -> None:
    text, expected = CONDITIONS[case]
    found = read_condition(text)
    assert found.expression == expected
    promql_parser.parse(found.expression)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "time() > 5",
        "vector(1)",
        "hour() > bool 3",
        "hour() > 3",
        "scalar(a) > bool 1",
        "a[5m]",
        "a[5m:1m]",
        '"x"',
        '{job="x"}',
        "a and",
        "",
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(NotASelector):
        read_condition(text)


def test_a_spec_without_exemptions_records_nothing_of_them(tmp_path: Path) -> None:
    found = Compiled(tmp_path, [], resolved(HEAD + f"  objectives:\n    - {TTFT}\n"))
    assert found.spec is not None
    (artifact,) = rules.emit(found.spec, Context())
    for group in yaml.safe_load(artifact.text)["groups"]:
        found.rules += [Rule(group["name"], group["interval"], body) for body in group["rules"]]
    assert not [rule.name for rule in found.rules if "exempt" in rule.name or "seen" in rule.name]
