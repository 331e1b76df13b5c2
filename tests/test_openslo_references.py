"""Names that OpenSLO's documents give each other: over all files of a run, each told where it stands."""

from __future__ import annotations

import pytest

from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.environment import Environment

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: chat}
spec:
  service: assistant
  indicatorRef: answered
  budgetingMethod: Occurrences
  timeWindow: [{duration: 26d, isRolling: true}]
  objectives: [{target: 0.937}]
  alertPolicies:
    - alertPolicyRef: loud
"""
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {metricSourceRef: metrics, spec: {query: 'chat_total{code="500"}'}}}
    total: {metricSource: {metricSourceRef: metrics, spec: {query: chat_total}}}
"""
SOURCE = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {name: metrics}
spec: {type: prometheus, connectionDetails: {}}
"""
POLICY = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: loud}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: phone}]
"""
CONDITION = """\
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast, annotations: {slo-compiler/short-window: 6m}}
spec:
  severity: page
  condition: {kind: burnrate, op: gt, threshold: 7, lookbackWindow: 2h}
"""
TARGET = """\
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: phone}
spec: {target: pagerduty}
"""
SERVICE = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: assistants}
"""
ALL = (SLO, SLI, SOURCE, POLICY, CONDITION, TARGET)


def check(*texts: str, compiling: bool = True) -> Checked:
    files = [load_bytes(text.encode(), f"file{number}.yaml") for number, text in enumerate(texts)]
    return check_loaded(files, Environment(), compiling=compiling)


def told(checked: Checked) -> list[tuple[str, str, int, int]]:
    """Path, code, line and column of what is more than information."""
    return [
        (d.span.path, d.code.name, d.span.line, d.span.column)
        for d in checked.diagnostics
        if d.severity is not Severity.INFO
    ]


def only(checked: Checked) -> Diagnostic:
    (found,) = [d for d in checked.diagnostics if d.severity is not Severity.INFO]
    return found


@pytest.mark.parametrize("order", [1, -1], ids=["the SLO first", "the SLO last"])
def test_an_slo_of_references_across_files_resolves(order: int) -> None:
    checked = check(*ALL[::order])
    assert not told(checked)
    (spec,) = checked.specs
    (slo,) = spec.slos
    assert slo.title == "answered"
    (tier,) = slo.tiers
    assert (tier.name, str(tier.factor), tier.long.name, tier.short.name) == ("loud", "7", "2h", "6m")


def test_documents_in_one_file_and_in_a_list_are_the_same() -> None:
    assert not told(check("---\n".join(ALL)))
    listed = "\n".join("- " + text.replace("\n", "\n  ").rstrip() for text in ALL)
    checked = check(listed)
    assert not told(checked)
    assert len(checked.specs) == 1


# Which document, what to replace in it, and path, code, line and column of the one finding; the hint.
DANGLING = {
    "indicatorRef": (0, "answered", "anwsered", ("file0.yaml", "SLO204", 6, 17), "did you mean answered?"),
    "alertPolicyRef": (0, "loud", "load", ("file0.yaml", "SLO204", 11, 23), "did you mean loud?"),
    "metricSourceRef": (
        1,
        "metrics, spec: {query: chat_total}",
        "metric, spec: {query: chat_total}",
        ("file1.yaml", "SLO204", 8, 45),
        "did you mean metrics?",
    ),
    "conditionRef": (3, "fast", "fats", ("file3.yaml", "SLO204", 6, 31), "did you mean fast?"),
    "targetRef": (3, "phone", "fax", ("file3.yaml", "SLO204", 7, 37), "known: phone"),
    "a name that no object may have": (
        0,
        "answered",
        "An Swered!",
        ("file0.yaml", "SLO203", 6, 17),
        "did you mean answered?",
    ),
}


@pytest.mark.parametrize(("index", "old", "new", "expected", "hint"), DANGLING.values(), ids=DANGLING)
def test_dangling_reference_is_told_where_it_stands(
    index: int, old: str, new: str, expected: tuple[str, str, int, int], hint: str
) -> None:
    texts = list(ALL)
    assert texts[index].count(old) == 1
    texts[index] = texts[index].replace(old, new)
    found = only(check(*texts))
    assert (found.span.path, found.code.name, found.span.line, found.span.column) == expected
    assert found.hint == hint
    assert found.severity is Severity.ERROR


def test_validate_refuses_a_dangling_reference_too() -> None:
    assert only(check(SLO.replace("answered", "nothing"), *ALL[1:], compiling=False)).severity is Severity.ERROR


def test_all_dangling_references_of_all_documents_are_told_in_one_run() -> None:
    checked = check(SLO, SLI, POLICY.replace("loud", "other"))
    assert told(checked) == [
        ("file0.yaml", "SLO204", 6 + 5, 23),
        ("file1.yaml", "SLO204", 7, 43),
        ("file1.yaml", "SLO204", 8, 45),
        ("file2.yaml", "SLO204", 6, 31),
        ("file2.yaml", "SLO204", 7, 37),
    ]


def test_a_reference_where_nothing_of_its_kind_is_defined_says_what_to_do() -> None:
    found = only(check(SLO.partition("  alertPolicies")[0]))
    assert found.message == "there is no SLI named answered in the files that were read"
    assert found.hint == "define it, or name the file that does: kind: SLI"


def test_who_names_a_broken_object_is_not_told_that_there_is_none() -> None:
    checked = check(SLO, SLI.replace("counter: true", "counter: yes"), *ALL[2:])
    assert told(checked) == [("file1.yaml", "SLO203", 6, 14)]
    assert not checked.specs


def test_references_of_objects_written_out_are_judged() -> None:
    inline = SLO.replace(
        "- alertPolicyRef: loud",
        "- kind: AlertPolicy\n      metadata: {name: own}\n      spec:\n"
        "        alertWhenBreaching: true\n"
        "        conditions: [{conditionRef: fst}]\n        notificationTargets: [{targetRef: phone}]",
    )
    assert told(check(inline, *ALL[1:])) == [("file0.yaml", "SLO204", 15, 37)]


def test_references_in_the_objectives_of_a_composite_are_judged() -> None:
    text = SLO.replace("  indicatorRef: answered\n", "").replace(
        "[{target: 0.937}]", "[{target: 0.937, indicatorRef: answered}, {target: 0.9, indicatorRef: lost}]"
    )
    assert told(check(text, *ALL[1:])) == [("file0.yaml", "SLO206", 8, 46), ("file0.yaml", "SLO204", 8, 85)]


def test_free_form_parts_hold_no_references() -> None:
    text = SLI.replace("spec: {query: chat_total}", "spec: {query: chat_total, indicatorRef: none, targetRef: none}")
    assert not told(check(SLO, text, *ALL[2:]))


def test_unused_definitions_are_fine() -> None:
    checked = check(*(text for text in ALL[1:]), SERVICE)
    assert not told(checked)
    assert not checked.specs


def test_duplicates_of_other_content_are_told_and_equal_ones_are_one() -> None:
    assert not told(check(*ALL, SLI))
    other = SLI.replace("chat_total}}}", "other_total}}}")
    assert told(check(*ALL, other)) == [("file6.yaml", "SLO205", 3, 18)]


def test_a_policy_that_is_named_twice_is_told() -> None:
    text = f"{SLO}    - alertPolicyRef: loud\n"
    assert told(check(text, *ALL[1:])) == [("file0.yaml", "SLO205", 12, 23)]


def test_a_service_needs_no_definition_and_a_near_miss_is_worth_a_word() -> None:
    assert not [d for d in check(*ALL).diagnostics if d.code.name == "SLO204"]
    checked = check(*ALL, SERVICE)
    assert not told(checked)
    (found,) = [d for d in checked.diagnostics if d.code.name == "SLO204"]
    assert (found.severity, found.span.line, found.span.column) == (Severity.INFO, 5, 12)
    assert found.hint == "service: assistants"
    assert not [d for d in check(*ALL, SERVICE.replace("assistants", "billing")).diagnostics if d.code.name == "SLO204"]
    assert not [
        d for d in check(*ALL, SERVICE.replace("assistants", "assistant")).diagnostics if d.code.name == "SLO204"
    ]


@pytest.mark.parametrize(
    "index", range(1, 6), ids=["SLI", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"]
)
def test_an_annotation_of_ours_that_its_kind_does_not_know_is_told(index: int) -> None:
    texts = list(ALL)
    texts[index] = texts[index].replace(", annotations: {slo-compiler/short-window: 6m}}", "}")
    head, _, rest = texts[index].partition("metadata: {name: ")
    name, _, tail = rest.partition("}")
    start = f"metadata: {{name: {name}, annotations: {{"
    texts[index] = f"{head}{start}slo-compiler/shrt-window: 6m, acme.example/x: z}}}}{tail}"
    found = [d for d in check(*texts).diagnostics if d.severity is not Severity.INFO]
    assert [(d.code.name, d.span.path, d.span.line, d.span.column) for d in found] == [
        ("SLO201", f"file{index}.yaml", 3, len(start) + 1)
    ]
    assert (found[0].hint == "did you mean short-window?") is (index == 4)
