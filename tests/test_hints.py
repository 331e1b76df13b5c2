"""Hints name this spec's numbers, and what they say mends the finding."""

from __future__ import annotations

import pytest

from slo_compiler.diagnostics import Code, Diagnostic, Severity
from slo_compiler.documents.config import Config
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm-chat}
  traffic: {outputTokens: 256}
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives:
    - {sli: ttft, threshold: 250ms, target: 95%}
    - {sli: itl, threshold: 25ms, target: 95%}
    - {sli: e2e, threshold: 10s, target: 95%}
    - {sli: availability, target: 99.9%, source: {bad: 'gw_total{code=~"5.."}', total: gw_total}}
"""


def check(old: str, new: str) -> list[Diagnostic]:
    assert SPEC.count(old) == 1, old
    return check_loaded(
        iter([load_bytes(SPEC.replace(old, new).encode(), "chat.yaml")]), Environment(Config())
    ).diagnostics


def test_the_spec_is_fine() -> None:
    assert check("28d", "28d") == []


@pytest.mark.parametrize(
    ("old", "wrong", "hint"),
    [
        ("99.9%", "0.999", "write 99.9%"),
        ("99.9%", "99.9", "write 99.9%"),
        ("99.9%", "1", "write a percentage such as 95% or 99.9%"),
        ("99.9%", "'99.9 percent'", "write a percentage such as 95% or 99.9%"),
        ("99.9%", "0", "write a percentage such as 95% or 99.9%"),
        ("99.9%", "999", "write a percentage such as 95% or 99.9%"),
        ("99.9%", "999%", "write a percentage such as 95% or 99.9%"),
        ("250ms", "250", "write a unit: 250ms, 250s or 250d"),
        ("250ms", "0.25", "write a unit: 0.25ms, 0.25s or 0.25d"),
        ("250ms", "'250 MS'", "write 250ms"),
        ("250ms", "5min", "write a number and a unit, such as 150ms, 30s or 28d"),
        ("250ms", "-1s", "write a number and a unit, such as 150ms, 30s or 28d"),
        ("28d", "1M", "write 30d, or 1m for minutes"),
        ("28d", "1Q", "write 90d"),
        ("28d", "1Y", "write 365d"),
        ("28d", "28", "write a unit: 28ms, 28s or 28d"),
    ],
)
def test_a_value_of_the_wrong_form_is_offered_in_the_right_one(old: str, wrong: str, hint: str) -> None:
    (found,) = check(old, wrong)
    assert (found.code, found.hint) == (Code.SLO203, hint)


def test_the_e2e_that_is_offered_is_long_enough() -> None:
    (found,) = check("10s", "5s")
    assert (found.code, found.hint) == (Code.SLO304, "promise an e2e of 6.65s, or an itl of 18.6ms")
    assert Code.SLO304 not in {d.code for d in check("10s", "6.65s")}
    assert Code.SLO304 in {d.code for d in check("10s", "6.649s")}


def test_the_period_that_is_offered_keeps_the_tier() -> None:
    (found,) = check("28d", "5d")
    assert (found.code, found.severity) == (Code.SLO503, Severity.WARNING)
    assert found.hint.startswith("timeWindow: [{duration: 6d, isRolling: true}]")
    assert check("28d", "6d") == []


def test_what_all_objectives_stumble_over_is_said_once_and_under_the_period() -> None:
    (found,) = check("28d", "5d")
    line = SPEC.splitlines()[found.span.line - 1].replace("28d", "5d")
    assert line[found.span.column - 1 : found.span.end_column - 1] == "5d"


def test_an_annotation_that_only_an_engine_indicator_reads_is_not_called_unknown() -> None:
    text = SPEC.replace("slo-compiler/v1", "openslo/v1").replace("InferenceSLO", "SLO")
    text = text.replace(
        "{name: chat}", "{name: chat, annotations: {slo-compiler/alerting.mode: none, slo-compiler/modle: x}}"
    )
    text = text.partition("  model:")[0] + (
        "  budgetingMethod: Occurrences\n  timeWindow: [{duration: 28d, isRolling: true}]\n"
        "  objectives: [{target: 0.997}]\n  indicator:\n    metadata: {name: answers}\n    spec:\n      ratioMetric:\n"
        "        counter: true\n"
        "        good: {metricSource: {type: Prometheus, spec: {query: good_total}}}\n"
        "        total: {metricSource: {type: Prometheus, spec: {query: all_total}}}\n"
    )
    found = check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config())).diagnostics
    misplaced, misspelt = [item for item in found if item.code is Code.SLO201]
    assert misplaced.message.startswith("slo-compiler/alerting.mode is read only where slo-compiler/sli says")
    assert (misspelt.message, misspelt.hint) == ("unknown annotation slo-compiler/modle", "did you mean model?")
