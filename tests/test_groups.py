"""`groupBy`: which labels and values it takes, what the rules say then, and that no group sees another's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from slo_compiler import explain
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.config import Config
from slo_compiler.emit import promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.external import promtool
from slo_compiler.ir import Counters, Groups, Histogram, Matcher, Queries, Slo, Spec
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.promql.build import any_of
from slo_compiler.resolve.environment import Environment
from tests.promtool_case import DAY, HOUR, MINUTE, Case, Compiled, Course, compile_text
from tests.thorough import cases

TTFT = "{sli: ttft, threshold: 250ms, target: 95%}"
GATEWAY = "{sli: availability, target: 99%, source: {bad: 'gw_total{code=~\"5..\"}', total: gw_total}}"
RATIO = "{sli: ratio, target: 97%, good: tools_good_total, total: tools_total}"
JOB = (
    "{sli: job_completion, threshold: 4h, target: 95%, "
    "source: {due: docs_due_total, onTime: docs_on_time_total, pendingAge: docs_oldest_seconds}}"
)


def spec(group_by: str, *objectives: str, labels: str = "{owner: a}", more: str = "") -> str:
    """A spec named `chat` of the service `demo`."""
    lines = [
        "apiVersion: slo-compiler/v1",
        "kind: InferenceSLO",
        f"metadata: {{name: chat, labels: {labels}}}",
        "spec:",
        "  service: demo",
        "  model: m",
        '  engine: {name: vllm, version: "0.11"}',
        "  selector: {job: vllm}",
        f"  groupBy: {group_by}",
        *([f"  {more}"] if more else []),
        "  objectives:",
        *[f"    - {objective}" for objective in objectives],
    ]
    return "\n".join(lines) + "\n"


def check(text: str, **prometheus: Any) -> Checked:
    config = Config.model_validate({"prometheus": prometheus})
    return check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(config))


def resolved(text: str, **prometheus: Any) -> Spec:
    checked = check(text, **prometheus)
    assert not checked.failed, checked.diagnostics
    return checked.specs[0]


def expressions(found: Spec) -> dict[tuple[str, str], str]:
    """The expression of every rule by its group's level and its name with its tier."""
    (artifact,) = rules.emit(found, Context())
    return {
        (
            group["name"].rpartition(" ")[2],
            rule.get("record") or f"{rule['alert']} {rule['labels'].get('tier', '')}",
        ): rule["expr"]
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
    }


# Resolution

# groupBy, objective, code, what the caret underlines, a part of the message and of the hint: exactly one error each.
REFUSED: dict[str, tuple[str, str, str, str, str, str]] = {
    "a label that the engine does not put there": (
        "{labels: [team]}",
        TTFT,
        "SLO402",
        "team",
        "vLLM 0.11 puts no label team on vllm:time_to_first_token_seconds",
        "vllm:time_to_first_token_seconds has engine, model_name; prometheus.targetLabels has job, instance, namespace, cluster",
    ),
    "the second of two labels": (
        "{labels: [namespace, tenant]}",
        TTFT,
        "SLO402",
        "tenant",
        "no label tenant",
        "engine",
    ),
    "one label for two objectives": (
        "{labels: [team]}",
        f"{TTFT}\n    - {{sli: e2e, threshold: 5s, target: 95%}}",
        "SLO402",
        "team",
        "team",
        "",
    ),
    "a label that the engine's view of errors lacks": (
        "{labels: [model_name]}",
        "{sli: availability, target: 99%, source: {engine: vllm}}",
        "SLO402",
        "model_name",
        "no label model_name on http_requests_total",
        "handler, method, status",
    ),
    "the buckets' label": (
        "{labels: [le]}",
        GATEWAY,
        "SLO203",
        "le",
        "the label le is written by the compiler",
        "another",
    ),
    "the SLO's identity": (
        "{labels: [slo_id]}",
        GATEWAY,
        "SLO203",
        "slo_id",
        "written by the compiler",
        "another label",
    ),
    "a label of every alert": (
        "{labels: [model]}",
        GATEWAY,
        "SLO203",
        "model",
        "written by the compiler",
        "another label",
    ),
    "the metric's name": ("{labels: [__name__]}", GATEWAY, "SLO203", "__name__", "Prometheus's own", "another label"),
    "a label twice": (
        "{labels: [team, team]}",
        GATEWAY,
        "SLO203",
        "team",
        "groupBy names team twice",
        "remove one team",
    ),
    "no label": ("{labels: []}", GATEWAY, "SLO203", "[]", "holds 0", "at least 1"),
    "values of two labels": (
        "{labels: [team, region], allow: [a]}",
        GATEWAY,
        "SLO203",
        "[a]",
        "allow names values of one label, and groupBy has 2",
        "leave allow out",
    ),
    "no value": ("{labels: [team], allow: []}", GATEWAY, "SLO203", "[]", "holds 0", "at least 1"),
    "no group at all": ("{labels: [team], maxGroups: 0}", GATEWAY, "SLO203", "0", "at least 1", "1 or more"),
    "too many groups": ("{labels: [team], maxGroups: 1001}", GATEWAY, "SLO203", "1001", "at most 1000", "1000 or less"),
    "half a group": ("{labels: [team], maxGroups: 2.5}", GATEWAY, "SLO203", "2.5", "whole number", "digits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_once_at_its_place_with_a_hint(case: str) -> None:
    group_by, objective, code, underlined, message, hint = REFUSED[case]
    text = spec(group_by, objective)
    found = [diagnostic for diagnostic in check(text).diagnostics if diagnostic.severity is Severity.ERROR]
    assert [diagnostic.code.name for diagnostic in found] == [code], found
    span = found[0].span
    assert text.splitlines()[span.line - 1][span.column - 1 : span.end_column - 1] == underlined
    assert message in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("labels", "more"),
    [
        pytest.param("{team: a}", "", id="in metadata.labels"),
        pytest.param("{owner: a}", "alerting: {labels: {team: a}}", id="in alerting.labels"),
    ],
)
def test_a_label_of_every_alert_may_not_hide_the_group(labels: str, more: str) -> None:
    (found,) = [
        d
        for d in check(spec("{labels: [team]}", GATEWAY, labels=labels, more=more)).diagnostics
        if d.severity is Severity.ERROR
    ]
    assert (found.code.name, found.hint) == ("SLO203", "remove it, or choose another name, such as owner")
    assert "hide the group" in found.message


ACCEPTED = {
    "a label of the engine's metric": spec("{labels: [engine]}", TTFT),
    "a target label": spec("{labels: [cluster], maxGroups: 1}", TTFT),
    "any label of the spec's own counters": spec("{labels: [tenant_id, region], maxGroups: 1000}", GATEWAY, RATIO),
    "a label of the engine's view of errors": spec(
        "{labels: [method]}", "{sli: availability, target: 99%, source: {engine: vllm}}"
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_near_misses_are_no_errors(case: str) -> None:
    assert not check(ACCEPTED[case]).failed


def test_a_label_of_the_configuration_is_a_target_label() -> None:
    text = spec("{labels: [pool]}", TTFT)
    assert check(text).failed
    assert resolved(text, target_labels=["job", "pool"]).slos[0].groups == Groups(("pool",), 50)


def test_without_allow_fifty_groups_are_recorded_unless_said() -> None:
    assert resolved(spec("{labels: [team]}", GATEWAY)).slos[0].groups == Groups(("team",), 50)
    assert resolved(spec("{labels: [team], maxGroups: 7}", GATEWAY)).slos[0].groups.most == 7
    assert resolved(spec("{labels: [team], maxGroups: 7, allow: [a]}", GATEWAY)).slos[0].groups == Groups(
        ("team",), 0, ("a",)
    )


def test_allow_is_a_matcher_of_everything_that_is_read() -> None:
    found = resolved(spec("{labels: [namespace], allow: [shop, support.eu]}", TTFT, GATEWAY, JOB))
    wanted = Matcher("namespace", "=~", "shop|support\\.eu")
    ttft, gateway, job = found.slos
    assert isinstance(ttft.measurement, Histogram)
    assert isinstance(gateway.measurement, Counters)
    assert job.deadline is not None
    assert found.gauges is not None
    for matchers in (
        ttft.measurement.matchers,
        gateway.measurement.total.matchers,
        gateway.measurement.part.matchers,
        job.deadline.pending_age.matchers,
        found.gauges.running[0].matchers,
        found.sources[0].selectors[0].matchers,
        found.sources[0].target_matchers,
    ):
        assert wanted in matchers


def test_a_hang_is_watched_in_the_groups_that_are_named() -> None:
    found = resolved(spec("{labels: [engine], allow: ['0']}", TTFT))
    assert found.gauges is not None
    assert Matcher("engine", "=~", "0") in found.gauges.running[0].matchers


@pytest.mark.parametrize("value", ["a.b", "a|b", "(x)", "a\\d", "50% {off} [now] ^$ +*?", "ü b", ""])
def test_a_value_is_matched_as_it_is_written(value: str, promtool: str, tmp_path: Path) -> None:
    """By the server's own engine: the text of the pattern is RE2, and nothing but the value fits it."""
    pattern = any_of([value, "other"])
    quoted = pattern.replace("\\", "\\\\").replace('"', '\\"')
    label = value.replace("\\", "\\\\").replace('"', '\\"')
    case = {
        "rule_files": [],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": f'x{{team="{label}"}}', "values": "1"},
                    {"series": 'x{team="a0b"}', "values": "2"},
                ],
                "promql_expr_test": [
                    {
                        "expr": f'sum(x{{team=~"{quoted}"}})',
                        "eval_time": "0m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                ],
            }
        ],
    }
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(case), encoding="utf-8")
    result = _run(promtool, path)
    assert result.ok, result.output


def _run(program: str, path: Path) -> promtool.Result:
    return promtool.test_rules(program, [path])


def test_the_promise_and_explain_name_the_groups() -> None:
    found = resolved(spec("{labels: [team, region], maxGroups: 9}", GATEWAY))
    assert found.slos[0].promise == "99% of requests: answered without an error, for each team and region"
    assert ("group_by", "team,region") in found.slos[0].info
    assert "groups  team, region  the 9 with the most traffic" in explain.render_numbers([found])
    assert (
        '"groupBy": {\n        "labels": [\n          "team",\n          "region"\n        ],\n        "maxGroups": 9\n'
        in explain.numbers_json([found])
    )
    named = resolved(spec("{labels: [team], allow: [a, b]}", GATEWAY))
    assert "groups  team  a, b" in explain.render_numbers([named])


# Rules


def test_every_join_is_by_group_and_nothing_takes_one_series_for_all() -> None:
    for (level, name), text in expressions(
        resolved(
            spec("{labels: [team, region]}", TTFT.replace("ttft", "ttft"), GATEWAY, RATIO, JOB),
            target_labels=["job", "team", "region"],
        )
    ).items():
        if level == "engine" or name in ("slo:target:ratio", "slo:info", "slo:period_coverage:ratio"):
            continue
        assert "scalar(" not in text, name
        assert "on ()" not in text, name
        assert "sum(" not in text, name
        assert "max(" not in text, name


def test_the_evaluations_and_the_coverage_are_the_same_for_every_group() -> None:
    found = expressions(resolved(spec("{labels: [team]}", GATEWAY)))
    assert "/ on (slo_id) group_left () count_over_time(slo:target:ratio{" in found["slow", "slo:burn_rate:3d"]
    assert (
        "* on (slo_id) group_left () slo:period_coverage:ratio{" in found["slow", "slo:period_budget_remaining:ratio"]
    )
    assert found["slow", "slo:target:ratio"] == "vector(0.99)"
    assert found["slow", "slo:info"] == "vector(1)"


def test_named_groups_are_not_ranked() -> None:
    found = expressions(resolved(spec("{labels: [team], allow: [a, b]}", GATEWAY)))
    assert not [
        name
        for (_, name), text in found.items()
        if "topk" in text or name in ("slo:group:recorded", "SLOCoverageLow groups")
    ]
    assert 'gw_total{team=~"a|b"}' in found["fast", "slo:events:fast"]


def test_without_group_by_no_rule_knows_a_group() -> None:
    found = expressions(resolved(spec("{labels: [team]}", GATEWAY).replace("  groupBy: {labels: [team]}\n", "")))
    assert not [name for (_, name), text in found.items() if " by (" in text or "topk" in text or "group_left" in text]


def test_alerts_name_their_group_in_words_and_in_the_query() -> None:
    (artifact,) = rules.emit(resolved(spec("{labels: [team, region]}", GATEWAY)), Context())
    pages = [
        rule
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
        if rule.get("alert") == "SLOBurnRatePage"
    ]
    assert pages
    for page in pages:
        assert page["annotations"]["summary"].startswith(
            'chat-availability, team "{{ $labels.team }}", region "{{ $labels.region }}": '
        )
        assert (
            ',team={{ $labels.team | printf "%q" }},region={{ $labels.region | printf "%q" }}}'
            in page["annotations"]["query"]
        )
        assert not {"team", "region"} & set(page["labels"])


# What the rules do


def of(**labels: str) -> str:
    """Matchers of the gateway's SLO and a group."""
    found: Mapping[str, str] = {"slo_id": "demo/chat-availability", **labels}
    return "{" + ",".join(f'{key}="{value}"' for key, value in found.items()) + "}"


def line(per_second: float, *, since: float = 0, start: float = 1000.0) -> Course:
    """A counter that grows evenly from a time on, at which it stands at `start`."""
    return lambda time: start + per_second * max(time - since, 0)


def born(at: float, course: Course) -> Course:
    """A counter that does not exist before a time."""
    return lambda time: None if time < at else course(time)


def gateway(case: Case, team: str, code: str, course: Course) -> None:
    label = f',team="{team}"' if team else ""
    case.scraped(f'gw_total{{job="gw",instance="g0",code="{code}"{label}}}', course)


@pytest.mark.promtool
def test_one_tenants_outage_pages_for_that_tenant_and_a_new_one_counts_from_its_first_request(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec("{labels: [team]}", GATEWAY))
    case = Case(compiled, 40 * MINUTE)
    case.scraped('up{job="gw",instance="g0"}', lambda _: 1.0)
    gateway(case, "red", "200", line(2))
    gateway(case, "blue", "200", line(50))
    gateway(case, "", "200", line(1))
    # From minute 10 a third of red's answers are errors, the first counter of which stands at 7 when it is seen; the
    # third tenant's very first answers, three of them, are errors as well.
    gateway(case, "red", "503", born(605, line(1, since=605, start=7)))
    gateway(case, "green", "500", born(1205, line(0, start=3)))
    gateway(case, "green", "200", born(1220, line(1, since=1220, start=1)))
    at = 40 * MINUTE
    case.about(at, "slo:bad_events:fast" + of(team="red"), 30)
    case.between(at, "slo:bad_events:fast" + of(team="blue"), 0, 0)
    case.between(at, "slo:bad_events:fast" + of(team=""), 0, 0)
    case.about(at, "slo:events:fast" + of(team="red"), 90)
    case.about(at, "slo:events:fast" + of(team="blue"), 1500)
    # A third bad of a budget of 1% is a burn rate of 33.3, whatever the large tenant beside it does.
    case.about(at, "slo:burn_rate:5m" + of(team="red"), 100 / 3)
    case.between(at, "slo:burn_rate:5m" + of(team="blue"), 0, 0)
    # Births: 7 of red, and 30 minutes of one a second; 3 of green, and nothing after.
    case.about(at, f"sum_over_time(slo:bad_events:fast{of(team='red')}[39m])", 7 + 1795, within=0.01)
    case.between(20 * MINUTE + 30, "slo:events:fast" + of(team="green"), 3, 5.1)
    case.between(at, f"sum_over_time(slo:bad_events:fast{of(team='green')}[39m])", 2.99, 3.01)
    case.firing(at, "SLOBurnRatePage", tier="14.4x", team="red", slo_id="demo/chat-availability")
    for team in ("blue", ""):
        case.silent(at, "SLOBurnRatePage", team=team)
    case.between(at, f"slo:period_attainment:ratio{of(team='blue')}", 1, 1)
    case.between(at, "slo:period_coverage:ratio", 0, 1)
    case.between(at, "slo:target:ratio", 0.99, 0.99)
    case.silent(at, "SLOCoverageLow")
    case.never_nan(at)
    case.prove()


@pytest.mark.promtool
def test_with_more_groups_than_places_the_largest_are_recorded_and_a_ticket_says_so(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec("{labels: [team], maxGroups: 2}", GATEWAY))
    case = Case(compiled, 50 * MINUTE)
    gateway(case, "large", "200", line(9))
    gateway(case, "middle", "200", line(5))
    gateway(case, "small", "200", line(1))
    gateway(case, "small", "500", line(1))
    gateway(case, "idle", "200", line(0))
    # From minute 20 on the small one is by far the largest: at 40/s it passes twice the middle one's hour within minutes.
    gateway(case, "late", "200", born(20 * MINUTE, line(40, since=20 * MINUTE)))
    for at, teams in ((19 * MINUTE, ("large", "middle")), (35 * MINUTE, ("large", "late"))):
        case.between(at, "count(slo:events:fast)", 2, 2)
        case.between(at, "count(slo:bad_events:slow)", 2, 2)
        for team in teams:
            case.between(at, "slo:events:fast" + of(team=team), 1, 5000)
            case.between(at, "slo:group:recorded" + of(team=team), 1, 1)
    # Half of the small one's answers are errors, and nobody is paged: that is what the ticket is about.
    case.silent(50 * MINUTE, "SLOBurnRatePage")
    case.pending(25 * MINUTE, "SLOCoverageLow", tier="groups")
    case.firing(34 * MINUTE, "SLOCoverageLow", tier="groups", severity="ticket")
    case.prove()


@pytest.mark.promtool
def test_two_groups_of_about_a_size_do_not_take_turns(tmp_path: Path) -> None:
    """Each is ahead for ten minutes; the one that was there keeps the place, and its tiles have no gap."""
    compiled = compile_text(tmp_path, spec("{labels: [team], maxGroups: 1}", GATEWAY))
    case = Case(compiled, 60 * MINUTE)

    def swinging(first: int) -> Course:
        def course(time: float) -> float:
            full, rest = divmod(time, 20 * MINUTE)
            busy = min(rest, 10 * MINUTE) if first == 0 else max(rest - 10 * MINUTE, 0)
            return 5000 + 3 * time + 4 * (full * 10 * MINUTE + busy)

        return course

    gateway(case, "a", "200", swinging(0))
    gateway(case, "b", "200", swinging(1))
    case.between(60 * MINUTE, f"count_over_time(slo:events:fast{of(team='a')}[58m])", 116, 117)
    case.nothing(60 * MINUTE, f"count_over_time(slo:events:fast{of(team='b')}[58m])")
    case.prove()


@pytest.mark.promtool
def test_a_slow_namespace_and_one_without_the_bucket_are_told_apart(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec("{labels: [namespace], allow: [slow, fast, old]}", TTFT))
    case = Case(compiled, 40 * MINUTE)
    name = "vllm:time_to_first_token_seconds"
    for namespace, served, in_time in (("slow", 2.0, 1.0), ("fast", 8.0, 8.0), ("old", 3.0, None), ("other", 9.0, 0.0)):
        labels = f'job="vllm",model_name="m",instance="p-{namespace}",namespace="{namespace}"'
        case.scraped(f"{name}_count{{{labels}}}", line(served))
        case.scraped(f'{name}_bucket{{{labels},le="+Inf"}}', line(served))
        if in_time is not None:
            case.scraped(f'{name}_bucket{{{labels},le="0.25"}}', line(in_time))
    at = 40 * MINUTE
    case.about(at, 'slo:burn_rate:5m{namespace="slow"}', 0.5 / 0.05)
    case.between(at, 'slo:burn_rate:5m{namespace="fast"}', 0, 0)
    case.nothing(at, 'slo:burn_rate:5m{namespace=~"old|other"}')
    case.between(at, 'slo:covered:ratio{namespace=~"slow|fast"}', 1, 1, count=2)
    case.between(at, 'slo:covered:ratio{namespace="old"}', 0, 0)
    case.firing(at, "SLOCoverageLow", namespace="old")
    case.silent(at, "SLOCoverageLow", namespace="fast")
    case.prove()


@pytest.mark.promtool
def test_each_group_has_a_budget_of_its_own(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec("{labels: [namespace]}", TTFT))
    case = Case(compiled, 2 * DAY, step=12 * HOUR, slot=240)

    def own(namespace: str) -> str:
        return f'{{slo_id="demo/chat-ttft",namespace="{namespace}"}}'

    case.recorded('slo:target:ratio{slo_id="demo/chat-ttft"}', lambda _: 0.95)
    for namespace, bad in (("spent", 400.0), ("saved", 5.0)):
        case.recorded("slo:events:slow" + own(namespace), lambda time: None if time == 0 else 1000.0)
        case.recorded("slo:bad_events:slow" + own(namespace), lambda time, bad=bad: None if time == 0 else bad)  # type: ignore[misc]
    # Two of 28 days were recorded: 40% and 0.5% bad of a budget of 5%.
    case.about(2 * DAY, "slo:period_budget_remaining:ratio" + own("spent"), 1 - 8 * 2 / 28, within=0.01)
    case.about(2 * DAY, "slo:period_budget_remaining:ratio" + own("saved"), 1 - 0.1 * 2 / 28, within=0.001)
    case.about(2 * DAY, "slo:burn_rate:3d" + own("spent"), 8 * 2 / 3, within=0.01)
    case.about(2 * DAY, "slo:burn_rate:3d" + own("saved"), 0.1 * 2 / 3, within=0.01)
    case.between(2 * DAY, "slo:period_coverage:ratio", 0, 1)
    case.prove()


@pytest.mark.promtool
def test_a_users_query_is_summed_by_group_as_counters_are(tmp_path: Path) -> None:
    """Specs have no such queries yet with groups; the rules are those of the resolved form."""
    found = resolved(spec("{labels: [team], maxGroups: 2}", GATEWAY))
    queries = Queries("rate(gw_total[{{.window}}])", 'rate(gw_total{code=~"5.."}[{{.window}}])', "bad", "rate", "rate")
    compiled = _compiled(tmp_path, found, replace(found.slos[0], measurement=queries))
    case = Case(compiled, 20 * MINUTE)
    gateway(case, "a", "200", line(3))
    gateway(case, "a", "500", line(1))
    gateway(case, "b", "200", line(2))
    gateway(case, "c", "200", line(1))
    at = 20 * MINUTE
    case.about(at, "slo:events:fast" + of(team="a"), 120)
    case.about(at, "slo:bad_events:fast" + of(team="a"), 30)
    case.between(at, "slo:bad_events:fast" + of(team="b"), 0, 0)
    case.nothing(at, "slo:events:fast" + of(team="c"))
    case.prove()


def _compiled(folder: Path, found: Spec, slo: Slo) -> Compiled:
    (artifact,) = rules.emit(replace(found, slos=(slo,)), Context())
    compiled = Compiled(folder, [])
    compiled.rule_file.write_text(artifact.text, encoding="utf-8")
    return compiled


# The generated tests

PROVEN = {
    "counters of bad events, by two labels": spec("{labels: [team, region], maxGroups: 3}", GATEWAY),
    "counters of good events, and a deadline": spec("{labels: [shard], maxGroups: 2}", RATIO, JOB),
    "a histogram under two names": spec(
        "{labels: [namespace], maxGroups: 1}", "{sli: itl, threshold: 50ms, target: 95%}"
    ),
    "a threshold between two edges, of named groups": spec(
        "{labels: [cluster], allow: ['a.b', 'c d']}", "{sli: ttft, threshold: 150ms, target: 95%}"
    ),
    "each replica": spec("{labels: [instance], maxGroups: 4}", TTFT, GATEWAY),
    "each job": spec("{labels: [job], maxGroups: 4}", GATEWAY),
    "a label that the selector limits": spec("{labels: [namespace], maxGroups: 2}", TTFT).replace(
        "{job: vllm}", "{job: vllm, namespace: {re: 'prod-.*'}}"
    ),
    "a label that the selector pins": spec("{labels: [namespace]}", TTFT).replace(
        "{job: vllm}", "{job: vllm, namespace: prod}"
    ),
    "two promises about one counter": spec(
        "{labels: [team], maxGroups: 1}", GATEWAY, GATEWAY.replace("99%", "99.5%").replace("{sli", "{name: strict, sli")
    ),
    "the engine's view": spec("{labels: [method]}", "{sli: availability, target: 99%, source: {engine: vllm}}"),
    "more groups than are drawn": spec("{labels: [namespace], maxGroups: 958}", TTFT, GATEWAY),
}


@pytest.mark.promtool
@pytest.mark.parametrize("scrape", ["15s", pytest.param("40s", marks=pytest.mark.thorough)])
@pytest.mark.parametrize(
    "case",
    cases(
        PROVEN,
        (
            "counters of good events, and a deadline",
            "each replica",
            "two promises about one counter",
            "more groups than are drawn",
            "a histogram under two names",
            "a label that the selector limits",
            "each job",
        ),
    ),
)
def test_generated_tests_hold(case: str, scrape: str, tmp_path: Path) -> None:
    found = resolved(PROVEN[case], scrape_interval=scrape)
    program = promtool.find_promtool()
    for artifact in (*rules.emit(found, Context()), *promtool_tests.emit(found, Context())):
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
    for path in sorted((tmp_path / "tests").rglob("*.yaml")):
        result = promtool.test_rules(program, [path])
        assert result.ok, result.output[:3000]


def test_generated_tests_draw_a_group_in_trouble_and_one_without() -> None:
    for text in (spec("{labels: [team]}", GATEWAY), spec("{labels: [namespace], allow: [a, b]}", TTFT)):
        fast, slow = promtool_tests.emit(resolved(text), Context())
        for artifact, group in ((fast, "raw series give tiles"), (slow, "fast tiles give"), (slow, "slow tiles give")):
            tests = [test for test in yaml.safe_load(artifact.text)["tests"] if test["name"].startswith(group)]
            assert tests, group
            samples = [
                (sample["labels"], sample["value"])
                for test in tests
                for check_ in test["promql_expr_test"]
                if "bad" in check_["expr"] or "burn" in check_["expr"]
                for sample in check_["exp_samples"]
            ]
            highest = {labels: max(value for other, value in samples if other == labels) for labels, _ in samples}
            assert len(highest) == 2, group
            worse, better = sorted(highest.values(), reverse=True)
            assert worse > 1.5 * better, group


def test_the_cut_is_proven_wherever_groups_are_cut() -> None:
    names = [
        test["name"]
        for artifact in promtool_tests.emit(resolved(spec("{labels: [team]}", GATEWAY, RATIO)), Context())
        for test in yaml.safe_load(artifact.text)["tests"]
    ]
    for slo in ("chat-availability", "chat-ratio"):
        for title in (
            "the largest groups of {} are chosen",
            "groups of {} while there is room",
            "groups of {} before the first choice",
        ):
            assert title.format(slo) in names


def test_of_very_many_groups_some_are_drawn_and_the_proof_says_so() -> None:
    fast, _ = promtool_tests.emit(resolved(spec("{labels: [namespace], maxGroups: 958}", TTFT)), Context())
    tests = yaml.safe_load(fast.text)["tests"]
    title = "100 of up to 958 groups of chat-ttft, which are too many to draw a choice"
    (drawn,) = [test for test in tests if test["name"] == title]
    assert len(drawn["input_series"]) == 2 * 100
    assert all(check_["exp_samples"] for check_ in drawn["promql_expr_test"] if "count(" in check_["expr"])
    assert sum(len(test["input_series"]) for test in tests) < 600
