"""OpenSLO's SLOs to the resolved form: objectives, budgeting methods, sources, queries, and what no rule can express."""

from __future__ import annotations

from decimal import Decimal

import pytest

from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.ir import Counters, Matcher, Queries, Selector, Slices, Slo, Value
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.units import Duration

PROMETHEUS = "type: Prometheus, "
RATIO = """\
      ratioMetric:
        counter: true
        bad: {metricSource: {%sspec: {query: 'chat_total{code="500"}'}}}
        total: {metricSource: {%sspec: {query: chat_total}}}
"""
VALUE = """\
      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: %s}}}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: chat%s}
spec:
  service: assistant
  indicator:
    metadata: {name: answered, displayName: answers}
    spec:
%s  budgetingMethod: %s
  timeWindow: [{%s}]
  objectives:
%s
"""
ROLLING = "duration: 26d, isRolling: true"
GENTLE = "    - {target: 0.937}"
SLICED = "    - {target: 0.937, timeSliceTarget: 0.83, timeSliceWindow: 3m}"
BOUND = "    - {target: 0.937, op: lte, value: 30, timeSliceTarget: 1, timeSliceWindow: 3m}"


def slo(
    indicator: str = RATIO % (PROMETHEUS, PROMETHEUS),
    method: str = "Occurrences",
    window: str = ROLLING,
    objectives: str = GENTLE,
    metadata: str = "",
) -> str:
    return SLO % (metadata, indicator, method, window, objectives)


def check(*texts: str, compiling: bool = True) -> Checked:
    files = [load_bytes(text.encode(), f"file{number}.yaml") for number, text in enumerate(texts)]
    return check_loaded(files, Environment(), compiling=compiling)


def serious(checked: Checked) -> list[Diagnostic]:
    return [d for d in checked.diagnostics if d.severity is not Severity.INFO]


def only(*texts: str) -> Slo:
    checked = check(*texts)
    assert not serious(checked), checked.diagnostics
    (spec,) = checked.specs
    (found,) = spec.slos
    return found


def test_occurrences_count_events() -> None:
    found = only(slo())
    total = Selector("chat_total")
    assert found.measurement == Counters(total, Selector("chat_total", (Matcher("code", "=", "500"),)), "bad")
    assert (found.name, found.slo_id, found.counts) == ("chat", "assistant/chat", "events")
    assert found.promise == "93.7% of events: answers"
    assert found.period.name == "26d"


def test_timeslices_judge_each_slice_by_its_target() -> None:
    found = only(slo(method="Timeslices", objectives=SLICED))
    assert isinstance(found.measurement, Slices)
    assert isinstance(found.measurement.inner, Counters)
    assert (found.measurement.window, found.measurement.target) == (Duration.parse("3m"), Decimal("0.83"))
    assert (found.counts, found.promise) == (
        "slices",
        "93.7% of slices: answers, for 83% of the events in each, over 3m",
    )


def test_ratio_timeslices_weigh_each_slice_by_its_ratio() -> None:
    found = only(slo(method="RatioTimeslices", objectives="    - {target: 0.937, timeSliceWindow: 4m}"))
    assert isinstance(found.measurement, Slices)
    assert (found.measurement.window, found.measurement.target) == (Duration.parse("4m"), None)
    assert found.promise == "93.7% of slices: answers, each by its share of good events, over 4m"


@pytest.mark.parametrize(("op", "sign"), [("lte", "<="), ("lt", "<"), ("gte", ">="), ("gt", ">")])
def test_a_value_is_judged_by_its_bound(op: str, sign: str) -> None:
    found = only(slo(VALUE % "max(queue_depth)", "Timeslices", objectives=BOUND.replace("lte", op)))
    assert isinstance(found.measurement, Slices)
    assert found.measurement.inner == Value("max(queue_depth)", sign, Decimal(30))
    assert found.measurement.target is None
    assert found.promise == f"93.7% of slices: answers {sign} 30, over 3m"
    assert dict(found.info)["promised"] == f"{sign} 30"
    assert {item.field: item.value for item in found.provenance}["bound"] == f"{sign} 30"


def test_a_slice_in_minutes_is_read_with_a_warning() -> None:
    checked = check(slo(method="Timeslices", objectives=SLICED.replace("3m", "3")))
    assert [(d.code.name, d.severity) for d in serious(checked)] == [("SLO203", Severity.WARNING)]
    measurement = checked.specs[0].slos[0].measurement
    assert isinstance(measurement, Slices)
    assert measurement.window == Duration.parse("3m")


def test_tiers_with_a_window_shorter_than_a_slice_are_left_out_with_a_warning() -> None:
    checked = check(slo(method="Timeslices", objectives=SLICED.replace("3m", "20m")))
    found = serious(checked)
    assert {(d.code.name, d.severity, d.span.line, d.span.column) for d in found} == {
        ("SLO506", Severity.WARNING, 16, 63)
    }
    assert [tier.name for tier in checked.specs[0].slos[0].tiers] == ["5.6x", "1x"]


def test_targets_in_percent_are_exact() -> None:
    assert only(slo(objectives="    - {targetPercent: 99.95}")).target == Decimal("0.9995")


def test_a_missing_window_takes_the_default_and_says_so() -> None:
    checked = check(slo().replace(f"  timeWindow: [{{{ROLLING}}}]\n", ""))
    assert not serious(checked)
    assert checked.specs[0].slos[0].period.name == "28d"
    (found,) = [d for d in checked.diagnostics if d.code.name == "SLO202"]
    assert found.hint == "timeWindow: [{duration: 28d, isRolling: true}]"


@pytest.mark.parametrize(("text", "period"), [("3w", "21d"), ("48h", "2d"), ("1440m", "1d"), ("1Y", "365d")])
def test_period_is_converted(text: str, period: str) -> None:
    checked = check(slo(window=f"duration: {text}, isRolling: true"))
    assert checked.specs[0].slos[0].period.name == period


SEVERAL = """\
    - {displayName: For Everybody!, target: 0.937}
    - {displayName: for some, targetPercent: 99.1}
    - {target: 0.95}"""


def test_several_objectives_become_an_slo_each() -> None:
    checked = check(slo(objectives=SEVERAL))
    assert not serious(checked)
    (spec,) = checked.specs
    assert [(item.name, item.slo_id, str(item.target)) for item in spec.slos] == [
        ("chat-for-everybody", "assistant/chat-for-everybody", "0.937"),
        ("chat-for-some", "assistant/chat-for-some", "0.991"),
        ("chat-2", "assistant/chat-2", "0.95"),
    ]
    assert len(spec.sources) == 1
    assert spec.name == "chat"


def test_a_pinned_id_is_each_objective_s_own() -> None:
    pinned = ", annotations: {slo-compiler/id: old/name}"
    assert only(slo(metadata=pinned)).slo_id == "old/name"
    (spec,) = check(slo(objectives=SEVERAL, metadata=pinned)).specs
    assert [item.slo_id for item in spec.slos] == ["old/name-for-everybody", "old/name-for-some", "old/name-2"]


def test_a_second_objective_of_a_name_is_numbered_with_a_warning() -> None:
    checked = check(slo(objectives=SEVERAL.replace("for some", "for everybody")))
    (found,) = serious(checked)
    assert (found.code.name, found.severity, found.span.line, found.span.column) == ("SLO205", Severity.WARNING, 17, 21)
    assert [item.name for item in checked.specs[0].slos] == ["chat-for-everybody", "chat-for-everybody-1", "chat-2"]


def test_an_slo_whose_name_is_too_long_is_refused_by_compile() -> None:
    long = SEVERAL.replace("for some", "s" * 60)
    (found,) = serious(check(slo(objectives=long)))
    assert (found.code.name, found.severity, found.span.line, found.span.column) == ("SLO601", Severity.ERROR, 17, 21)
    assert [d.severity for d in serious(check(slo(objectives=long), compiling=False))] == [Severity.WARNING]


def test_an_objective_s_own_indicator_is_compiled_where_it_is_the_only_one() -> None:
    text = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: chat}
spec:
  service: assistant
  budgetingMethod: Occurrences
  timeWindow: [{duration: 26d, isRolling: true}]
  objectives:
    - target: 0.937
      indicator:
        metadata: {name: answered}
        spec:
          ratioMetric:
            counter: true
            bad: {metricSource: {type: Prometheus, spec: {query: bad_total}}}
            total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
"""
    found = only(text)
    assert found.measurement == Counters(Selector("all_total"), Selector("bad_total"), "bad")
    assert found.title == "answered"


SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered, annotations: {slo-compiler/query-yields: increase}}
spec:
  ratioMetric:
    good: {metricSource: {type: Prometheus, spec: {promql: 'good_sum[{{ .window }}]'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'deriv(all_sum[{{.window}}])'}}}
"""
BY_NAME = (
    slo().partition("  indicator:")[0]
    + "  indicatorRef: answered\n"
    + "  budgeting"
    + slo().partition("  budgeting")[2]
)


def test_an_indicator_by_reference_carries_its_own_annotation() -> None:
    sli = SLI.replace("good_sum[{{ .window }}]", "deriv(good_sum[{{ .window }}])")
    checked = check(BY_NAME, sli)
    assert not serious(checked)
    assert checked.specs[0].slos[0].measurement == Queries(
        "deriv(all_sum[{{.window}}])", "deriv(good_sum[{{.window}}])", "good", "increase", "increase"
    )


def test_what_is_wrong_with_a_shared_indicator_is_told_once_in_its_own_file() -> None:
    other = BY_NAME.replace("name: chat", "name: other")
    found = serious(check(BY_NAME, other, SLI.replace("good_sum[{{ .window }}]", "rate(good_sum[{{.window}}]")))
    assert [(d.span.path, d.code.name, d.span.line, d.span.column) for d in found] == [("file2.yaml", "SLO203", 6, 60)]


def test_bounds_beside_a_ratio_by_reference_have_no_effect() -> None:
    text = BY_NAME.replace("target: 0.937", "target: 0.937, op: foo, value: 3")
    found = serious(check(text, SLI.replace("good_sum[{{ .window }}]", "deriv(good_sum[{{ .window }}])")))
    assert [(d.code.name, d.severity, d.span.line, d.span.column) for d in found] == [
        ("SLO203", Severity.WARNING, 10, 23),
        ("SLO203", Severity.WARNING, 10, 32),
    ]


VALUE_SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered}
spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: max(queue_depth)}}}}
"""


def test_bounds_of_a_value_by_reference_are_asked_for() -> None:
    text = BY_NAME.replace("Occurrences", "Timeslices").replace(
        "target: 0.937", "target: 0.937, op: foo, timeSliceTarget: 1, timeSliceWindow: 3m"
    )
    found = serious(check(text, VALUE_SLI))
    assert [(d.code.name, d.severity, d.span.line, d.span.column) for d in found] == [
        ("SLO202", Severity.ERROR, 10, 7),
        ("SLO203", Severity.ERROR, 10, 27),
    ]


def source_of(kind: str) -> str:
    return (
        f"apiVersion: openslo/v1\nkind: DataSource\nmetadata: {{name: main}}\n"
        f"spec: {{type: {kind}, connectionDetails: {{}}}}\n"
    )


@pytest.mark.parametrize(
    ("written", "defined"),
    [
        ("type: prometheus, ", ""),
        ("type: PROMETHEUS, metricSourceRef: main, ", "Prometheus"),
        ("metricSourceRef: main, ", "prometheus"),
        ("", ""),
    ],
    ids=["type of another case", "type and reference", "reference alone", "neither"],
)
def test_a_source_that_is_prometheus(written: str, defined: str) -> None:
    checked = check(slo(RATIO % (written, written)), *([source_of(defined)] if defined else []))
    assert not serious(checked)
    said = [d for d in checked.diagnostics if d.code.name == "SLO202"]
    assert len(said) == (0 if written else 2)


# Indicator, method, window, objectives; code, severity under `compile` and under `validate`, line, column; the hint.
E, W = Severity.ERROR, Severity.WARNING
DATADOG = RATIO % ("type: Datadog, ", PROMETHEUS)
REFUSED = {
    "a source that is not Prometheus": (slo(DATADOG), ("SLO206", E, W, 11, 36), "only Prometheus"),
    "a source of a type that its DataSource does not have": (
        slo(RATIO % (PROMETHEUS, "type: Prometheus, metricSourceRef: main, ")) + "---\n" + source_of("Datadog"),
        ("SLO203", E, W, 12, 38),
        "type: Datadog",
    ),
    "a reference to a source that is not Prometheus": (
        slo(RATIO % (PROMETHEUS, "metricSourceRef: main, ")) + "---\n" + source_of("Datadog"),
        ("SLO206", E, W, 12, 49),
        "only Prometheus",
    ),
    "a source without a query": (
        slo().replace("{query: chat_total}", "{path: chat}"),
        ("SLO202", E, W, 12, 56),
        "query: sum(rate",
    ),
    "two queries": (
        slo().replace("{query: chat_total}", "{query: chat_total, promql: chat_total}"),
        ("SLO202", E, W, 12, 56),
        "keep one",
    ),
    "a query that is a list": (slo().replace("query: chat_total", "query: [a]"), ("SLO203", E, W, 12, 64), "query:"),
    "a query that is no PromQL": (
        slo().replace("query: chat_total", "query: sum(chat_total"),
        ("SLO203", E, E, 12, 64),
        "query: sum(rate",
    ),
    "an expression as a counter": (
        slo().replace("query: chat_total", "query: chat_total * 2"),
        ("SLO203", E, W, 12, 64),
        "counter: true",
    ),
    "a query without window that is no counter": (
        slo().replace("        counter: true\n", "").replace('chat_total{code="500"}', "rate(bad_total[{{.window}}])"),
        ("SLO203", E, W, 11, 64),
        "counter: true",
    ),
    "a query of which nobody knows what it yields": (
        slo().replace("query: chat_total", "query: 'deriv(chat_rate[{{.window}}])'"),
        ("SLO203", E, W, 12, 64),
        "slo-compiler/query-yields: rate",
    ),
    "good and total of the same series": (
        slo().replace("""'chat_total{code="500"}'""", "chat_total"),
        ("SLO203", E, W, 11, 14),
        "part of total",
    ),
    "raw": (
        slo("      ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: share}}}}\n"),
        ("SLO206", E, W, 9, 44),
        "total:",
    ),
    "a value under Occurrences": (
        slo(VALUE % "max(queue_depth)", objectives="    - {target: 0.937, op: lt, value: 3}"),
        ("SLO206", E, W, 9, 24),
        "budgetingMethod: Timeslices",
    ),
    "a quantile under Occurrences": (
        slo(
            VALUE % "'histogram_quantile(0.95, sum by (le) (rate(ttft_bucket{job=\"a\"}[5m])))'",
            objectives="    - {target: 0.937, op: lt, value: 3}",
        ),
        ("SLO206", E, W, 9, 24),
        'good: ttft_bucket{job="a",le="0.25"}, total: ttft_count{job="a"}',
    ),
    "a value under RatioTimeslices": (
        slo(
            VALUE % "max(queue_depth)",
            "RatioTimeslices",
            objectives="    - {target: 0.937, op: lt, value: 3, timeSliceWindow: 3m}",
        ),
        ("SLO206", E, W, 9, 24),
        "budgetingMethod: Timeslices",
    ),
    "a value that is no PromQL": (
        slo(VALUE % "max(queue_depth", "Timeslices", objectives=BOUND),
        ("SLO203", E, E, 9, 72),
        "query:",
    ),
    "a calendar window": (
        slo(window="duration: 1w, calendar: {startTime: 2027-01-04 00:00:00, timeZone: Europe/Berlin}"),
        ("SLO206", E, W, 14, 41),
        "isRolling: true",
    ),
    "a period of hours": (slo(window="duration: 30h, isRolling: true"), ("SLO206", E, W, 14, 27), "duration: 28d"),
    "a period over a year": (slo(window="duration: 367d, isRolling: true"), ("SLO206", E, W, 14, 27), "duration: 28d"),
    "a target of nothing": (slo(objectives="    - {target: 0}"), ("SLO206", E, W, 16, 16), "target: 0.95"),
    "a slice over an hour": (
        slo(method="Timeslices", objectives=SLICED.replace("3m", "2h")),
        ("SLO203", E, E, 16, 63),
        "timeSliceWindow: 1h",
    ),
    "an unknown annotation of ours": (
        slo(metadata=", annotations: {slo-compiler/ide: team/chat}"),
        ("SLO201", E, E, 3, 38),
        "did you mean id?",
    ),
    "an annotation of another form": (
        slo(metadata=", annotations: {slo-compiler/query-yields: rates}"),
        ("SLO203", E, E, 3, 65),
        "slo-compiler/query-yields: rate",
    ),
    "a name that is no DNS label": (slo(metadata="_1"), ("SLO601", E, W, 3, 18), "name: chat-1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compiled_is_told_by_field(
    text: str, expected: tuple[str, Severity, Severity, int, int], hint: str
) -> None:
    code, compiling, validating, line, column = expected
    for mode, severity in ((True, compiling), (False, validating)):
        found = serious(check(text, compiling=mode))
        assert [(d.code.name, d.severity, d.span.line, d.span.column) for d in found] == [
            (code, severity, line, column)
        ]
        assert hint in found[0].hint


def test_a_composite_is_refused_at_its_first_indicator() -> None:
    text = BY_NAME.replace("  indicatorRef: answered\n", "").replace(
        GENTLE, "    - {target: 0.937, indicatorRef: answered}\n    - {target: 0.8, indicatorRef: answered}"
    )
    (found,) = serious(check(text, VALUE_SLI))
    assert (found.code.name, found.span.line, found.span.column) == ("SLO206", 9, 37)


@pytest.mark.parametrize(
    "query",
    ["sum(chat_total)", "(sum((chat_total)))", "sum(rate(chat_total[{{ .window }}]))", "rate(chat_total[{{.window}}])"],
)
def test_a_counter_is_recognised_in_a_plain_sum(query: str) -> None:
    found = only(slo().replace("query: chat_total", f"query: '{query}'"))
    assert isinstance(found.measurement, Counters)
    assert found.measurement.total == Selector("chat_total")


def test_labels_of_several_values_stand_on_the_alerts_as_one() -> None:
    found = only(slo(metadata=", labels: {team: [a, b], cost.centre: x1}"))
    assert found.labels == (("cost_centre", "x1"), ("team", "a,b"))
    assert dict(found.info)["team"] == "a,b"
