"""`openslo/v1alpha` is read as `openslo/v1`, with a notice; later drafts are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.reporters import REPORTERS, render
from slo_compiler.ir import Counters, Selector
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_files, check_loaded
from slo_compiler.resolve.environment import Environment

OLD = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: chat}
spec:
  service: assistant
  budgetingMethod: Occurrences
  timeWindows:
    - {unit: Day, count: 26, isRolling: true}
  objectives:
    - ratioMetrics:
        counter: true
        good: {source: prometheus, queryType: promql, query: 'sum(rate(good_total[{{.window}}]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(all_total[{{.window}}]))'}
      target: 0.987
"""
POLICY = """\
apiVersion: openslo/v1alpha
kind: AlertPolicy
metadata: {name: loud}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: phone}]
"""


def check(*texts: str) -> Checked:
    files = [load_bytes(text.encode(), f"file{number}.yaml") for number, text in enumerate(texts)]
    return check_loaded(files, Environment())


def serious(checked: Checked) -> list[Diagnostic]:
    return [d for d in checked.diagnostics if d.severity is not Severity.INFO]


def test_it_compiles_with_a_notice() -> None:
    checked = check(OLD)
    (found,) = serious(checked)
    assert (found.code.name, found.severity, found.span.line, found.span.column) == ("SLO207", Severity.WARNING, 1, 13)
    assert found.hint == "slo-compiler migrate file0.yaml"
    (spec,) = checked.specs
    (slo,) = spec.slos
    assert slo.measurement == Counters(Selector("all_total"), Selector("good_total"), "good")
    assert (slo.slo_id, str(slo.target), slo.period.name) == ("assistant/chat", "0.987", "26d")


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("0.987", "1.5", "SLO203", (14, 15)),
        ("Occurrences", "Occasions", "SLO203", (6, 20)),
        ("all_total[{{.window}}]))", "all_total[{{.window}}])", "SLO203", (13, 63)),
        ("  service: assistant\n", "", "SLO202", (5, 3)),
        ("{name: chat}", "{name: chat, annotations: {slo-compiler/ide: a}}", "SLO201", (3, 38)),
    ],
    ids=["target", "method", "query", "no service", "annotation"],
)
def test_faults_lie_where_the_old_document_has_them(old: str, new: str, code: str, place: tuple[int, int]) -> None:
    assert OLD.count(old) == 1
    errors = [d for d in check(OLD.replace(old, new)).diagnostics if d.severity is Severity.ERROR]
    assert [(d.code.name, (d.span.line, d.span.column)) for d in errors] == [(code, place)]


def test_several_objectives_are_an_slo_each() -> None:
    second = OLD[OLD.index("    - ratioMetrics") :].replace("good_total", "better_total").replace("0.987", "0.95")
    checked = check(OLD + second)
    assert [spec.name for spec in checked.specs] == ["chat-0", "chat-1"]
    assert {d.code.name for d in serious(checked)} == {"SLO207"}


def test_definitions_of_the_older_version_are_found_by_name() -> None:
    found = [d for d in check(POLICY).diagnostics if d.severity is Severity.ERROR]
    assert [(d.code.name, d.span.line, d.span.column) for d in found] == [("SLO204", 6, 31), ("SLO204", 7, 37)]


def test_a_kind_that_the_older_version_lacks_is_refused() -> None:
    (found,) = serious(check("apiVersion: openslo/v1alpha\nkind: SLI\nmetadata: {name: x}\n"))
    assert (found.code.name, found.severity, found.span.line, found.span.column) == ("SLO203", Severity.ERROR, 2, 7)
    assert found.hint == "did you mean SLO?"


def test_a_broken_definition_is_remembered() -> None:
    broken = POLICY.replace("spec:\n", "spec: 3\nother:\n")
    slo = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: chat}
spec:
  service: assistant
  indicator:
    metadata: {name: x}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: good_total}}}
        total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 26d, isRolling: true}]
  objectives: [{target: 0.987}]
  alertPolicies: [{alertPolicyRef: loud}]
"""
    assert {d.code.name for d in check(slo, broken).diagnostics if d.severity is Severity.ERROR} == {"SLO203"}


@pytest.mark.parametrize("version", ["openslo.com/v2alpha", "openslo/v2alpha"])
def test_later_drafts_are_refused(version: str) -> None:
    (found,) = serious(check(OLD.replace("openslo/v1alpha", version)))
    assert (found.code.name, found.severity, found.span.line, found.span.column) == ("SLO203", Severity.ERROR, 1, 13)
    assert version in found.message
    assert "openslo/v1" in found.hint


SECRET = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {name: main}
spec:
  type: Prometheus
  connectionDetails:
    url: http://hunter2.example.com
    password: hunter2
    password: hunter2
  conectionDetails: {token: [hunter2,
    "hunter2"]}
"""


def test_connection_details_are_in_no_report() -> None:
    flow = '{"apiVersion": "openslo/v1", "kind": "DataSource", "metadata": {"name": 3}, "spec": {"type": "Prometheus", '
    flow += '"connectionDetails": {"password": "hunter2"}}}'
    checked = check(SECRET, flow)
    assert {d.code.name for d in checked.diagnostics} >= {"SLO102", "SLO201", "SLO203"}
    for name in REPORTERS:
        text = render(name, Report(checked.diagnostics, checked.lines, files=checked.files))
        assert "hunter2" not in text, name
    shown = render("text", Report(checked.diagnostics, checked.lines, files=2))
    assert "9 |     ********* *******" in shown
    assert "10 |   conectionDetails: ******* *********" in shown
    assert '"type": "Prometheus", "connectionDetails": ************ **********}}' in shown


def test_files_on_disk_are_masked_too(tmp_path: Path) -> None:
    path = tmp_path / "source.yaml"
    path.write_text(SECRET, "utf-8")
    checked = check_files([str(path)], Environment())
    assert checked.lines
    assert not any("hunter2" in line for lines in checked.lines.values() for line in lines)
