"""The `capacity` block: every form that it takes, and what is wrong with others. It changes no rule."""

from __future__ import annotations

import pytest

from slo_compiler.diagnostics import Severity
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
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
  objectives: [{sli: availability, target: 99.9%%, source: {bad: 'gw_total{code=~"5.."}', total: gw_total}}]
  capacity:
    load: {%s}
    service: {prefill: {secondsPerToken: 7.8125e-5}, decode: {secondsPerToken: 0.02%s}%s}
"""
LOAD = "requestsPerSecond: 730"


def check(load: str = LOAD, decode: str = "", service: str = "") -> Checked:
    return check_loaded([load_bytes((SPEC % (load, decode, service)).encode(), "chat.yaml")], Environment())


@pytest.mark.parametrize(
    ("load", "decode", "service"),
    [
        (LOAD, "", ""),
        ("requestsPerHour: 90, arrivals: {batch: {mean: 31, distribution: constant}}", "", ""),
        (f"{LOAD}, arrivals: poisson, promptTokens: 611, outputTokens: {{mean: 217, cv: 1.3}}", "", ""),
        (f"{LOAD}, promptTokens: {{quantiles: {{p50: 512, p99: 8000}}}}, outputTokens: {{trace: day.csv}}", "", ""),
        (LOAD, ", perRunning: 1e-5, perKvToken: 0", ", kvCacheTokens: 31000, maxConcurrentSequences: 199"),
    ],
    ids=["the least", "batches", "lognormal", "quantiles and a trace", "slopes and limits"],
)
def test_every_form_is_read(load: str, decode: str, service: str) -> None:
    assert [d for d in check(load, decode, service).diagnostics if d.severity is not Severity.INFO] == []


@pytest.mark.parametrize(
    ("load", "line", "column", "message"),
    [
        ("promptTokens: 5", 11, 11, "one rate is needed"),
        ("requestsPerSecond: 3, requestsPerHour: 7", 11, 11, "one rate is needed"),
        (f"{LOAD}, arrivals: often", 11, 46, "'often' is no way to arrive"),
        (f"{LOAD}, promptTokens: many", 11, 50, "expected a number"),
        (f"{LOAD}, promptTokens: {{mean: 5}}", 11, 50, "cv is missing"),
        (f"{LOAD}, promptTokens: {{quantiles: {{p51: 5}}}}", 11, 63, "has no field p51"),
        (f"{LOAD}, outputTokens: -4", 11, 50, "must be over 0"),
    ],
    ids=["no rate", "two rates", "arrivals", "a word for a number", "half a spread", "quantile", "a negative length"],
)
def test_what_is_wrong_is_told_at_its_place(load: str, line: int, column: int, message: str) -> None:
    ((found),) = [d for d in check(load).diagnostics if d.severity is Severity.ERROR]
    assert (found.span.line, found.span.column) == (line, column)
    assert message in found.message
