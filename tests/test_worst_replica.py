"""Which SLOs tell their replicas apart, by which numbers, and what the rules and their proof make of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from slo_compiler.documents.config import Config
from slo_compiler.emit import promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.external import promtool
from slo_compiler.ir import Spec, WorstReplica
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.units import Duration

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: m
  engine: {name: %s}
  selector: {job: chat}
  objectives: [%s]
%s"""
TTFT = "{sli: ttft, threshold: 250ms, target: 97%}"
POLICY = """\
---
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: own}
spec:
  tiers: [{factor: 13, longWindow: 1h, shortWindow: 5m, severity: page}]
  %s
"""
OWN = "  alerting: {policy: own}\n" + POLICY


def spec_of(text: str, **config: object) -> Spec:
    settings = {"defaults": {"worstReplica": True}, **config}
    checked = check_loaded([load_bytes(text.encode(), "chat.yaml")], Environment(Config.model_validate(settings)))
    assert not checked.failed, [item.message for item in checked.diagnostics]
    return checked.specs[0]


def worst_of(text: str, **config: object) -> WorstReplica | None:
    return spec_of(text, **config).slos[0].worst_replica


@pytest.mark.parametrize(
    ("engine", "objective", "rest", "config", "told_apart"),
    [
        pytest.param("vllm", TTFT, "", {}, True, id="a histogram of an engine"),
        pytest.param(
            "vllm",
            "{sli: availability, target: 99.5%, source: {engine: vllm}}",
            "",
            {},
            True,
            id="an engine's own counters",
        ),
        pytest.param("litellm", TTFT, "", {}, False, id="not a gateway, which has no replicas of the engine"),
        pytest.param(
            "vllm",
            "{sli: ratio, name: r, target: 97%, good: a_total, total: b_total}",
            "",
            {},
            False,
            id="not own counters",
        ),
        pytest.param("vllm", "{sli: throughput, rate: 480, target: 97%}", "", {}, False, id="not slices"),
        pytest.param(
            "vllm", TTFT, "  groupBy: {labels: [instance]}\n", {}, False, id="not where each replica is a group"
        ),
        pytest.param(
            "vllm", TTFT, "  groupBy: {labels: [namespace]}\n", {}, True, id="where groups are something else"
        ),
        pytest.param("vllm", TTFT, "  alerting: {worstReplica: false}\n", {}, False, id="not where the spec says no"),
        pytest.param(
            "vllm", TTFT, "", {"defaults": {"worstReplica": False}}, False, id="not where the configuration says no"
        ),
        pytest.param(
            "vllm",
            TTFT,
            "  alerting: {worstReplica: true}\n",
            {"defaults": {"worstReplica": False}},
            True,
            id="the spec's word before the configuration's",
        ),
    ],
)
def test_replicas_are_told_apart(
    engine: str, objective: str, rest: str, config: dict[str, object], told_apart: bool
) -> None:
    assert (worst_of(SPEC % (engine, objective, rest), **config) is not None) == told_apart


@pytest.mark.parametrize(
    ("objective", "rest", "config", "expected"),
    [
        pytest.param(TTFT, "", {}, ("instance", "0.18", "30m", "30m", 10), id="six times the budget"),
        pytest.param(
            "{sli: ttft, threshold: 250ms, target: 90%}",
            "",
            {},
            ("instance", "0.5", "30m", "30m", 10),
            id="half at most",
        ),
        pytest.param(TTFT, "  replicaLabel: pod\n", {}, ("pod", "0.18", "30m", "30m", 10), id="the spec's label"),
        pytest.param(
            TTFT,
            "",
            {"prometheus": {"replicaLabel": "node"}},
            ("node", "0.18", "30m", "30m", 10),
            id="the configured label",
        ),
        pytest.param(
            TTFT, "  alerting: {minBadEvents: 17}\n", {}, ("instance", "0.18", "30m", "30m", 17), id="a raised guard"
        ),
        pytest.param(
            "{sli: itl, threshold: 25ms, target: 97%}",
            "  traffic: {outputTokens: 130}\n",
            {},
            ("instance", "0.18", "30m", "30m", 1300),
            id="a guard of requests where tokens are counted",
        ),
        pytest.param(
            TTFT,
            OWN % "worstReplica: {factor: 7, errorRatio: 40%, window: 18m, for: 21m, minBadEvents: 13}",
            {},
            ("instance", "0.21", "18m", "21m", 13),
            id="a policy's own numbers",
        ),
        pytest.param(
            TTFT,
            OWN % "description: says nothing",
            {},
            ("instance", "0.18", "30m", "30m", 10),
            id="a policy that is silent",
        ),
    ],
)
def test_numbers_come_from_the_policy(
    objective: str, rest: str, config: dict[str, object], expected: tuple[str, str, str, str, int]
) -> None:
    label, limit, window, hold, guard = expected
    wanted = WorstReplica(label, Decimal(limit), Duration.parse(window), Duration.parse(hold), guard)
    assert worst_of(SPEC % ("vllm", objective, rest), **config) == wanted


@pytest.mark.parametrize(
    "numbers",
    ["window: 4m, for: 30m", "window: 7h, for: 8h", "window: 30m, for: 29m", "window: 30m, for: 25h"],
)
def test_a_wait_that_tells_nothing_is_refused(numbers: str) -> None:
    given = f"worstReplica: {{factor: 6, errorRatio: 50%, minBadEvents: 10, {numbers}}}"
    checked = check_loaded([load_bytes((SPEC % ("vllm", TTFT, OWN % given)).encode(), "chat.yaml")], Environment())
    assert [item.code.name for item in checked.diagnostics if item.severity.value == "error"] == ["SLO203"]


def test_without_alerts_it_is_recorded_only() -> None:
    document = rules.groups(spec_of(SPEC % ("vllm", TTFT, "  alerting: {mode: none}\n")))
    named = [rule.get("record", rule.get("alert")) for group in document for rule in group["rules"]]
    assert "slo:worst_replica_error:ratio" in named
    assert "SLOWorstReplica" not in named


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("objectives", "rest"),
    [
        pytest.param(
            f"{TTFT}, {{name: p99, sli: ttft, threshold: 250ms, target: 99%}}", "", id="one edge, two targets"
        ),
        pytest.param(TTFT, "  replicaLabel: replica\n", id="the label is replica already"),
        pytest.param(TTFT, "  replicaLabel: pod\n  groupBy: {labels: [namespace]}\n", id="replicas in groups"),
        pytest.param(
            TTFT,
            "  exemptions:\n    - {kind: cold-start, for: 3m, maxPerPeriod: 2h}\n"
            "    - {kind: rollout, when: 'max(rolling)', maxPerPeriod: 3h}\n",
            id="young replicas and a rollout are exempt",
        ),
        pytest.param(
            TTFT,
            OWN % "worstReplica: {factor: 7, errorRatio: 40%, window: 18m, for: 21m, minBadEvents: 13}",
            id="other numbers",
        ),
    ],
)
def test_the_proof_holds(tmp_path: Path, objectives: str, rest: str) -> None:
    spec = spec_of(SPEC % ("vllm", objectives, rest))
    (rule_file,) = rules.emit(spec, Context())
    (tmp_path / "rules.yaml").write_text(rule_file.text, encoding="utf-8")
    fast = next(iter(promtool_tests.emit(spec, Context())))
    document = yaml.load(fast.text, Loader=yaml.CSafeLoader)
    groups = [group for group in document["tests"] if "worst replica" in group["name"]]
    assert len(groups) == 2
    test = tmp_path / "test.yaml"
    test.write_text(yaml.safe_dump({**document, "rule_files": ["rules.yaml"], "tests": groups}), encoding="utf-8")
    outcome = promtool.test_rules(promtool.find_promtool(), [test])
    assert outcome.ok, outcome.output
