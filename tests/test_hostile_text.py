"""What a spec, or the name of its file, may hold without acting in an output, and patterns that hardly match a thing."""

from __future__ import annotations

import json

import pytest
import yaml

from slo_compiler.documents.config import Config
from slo_compiler.emit import EMITTERS
from slo_compiler.emit.base import Context
from slo_compiler.emit.promtool_tests import labels
from slo_compiler.ir import Matcher
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded, emit_specs
from slo_compiler.resolve.environment import Environment

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: chat}}
spec:
  service: assistant
  model: acme/chat
  engine: {{name: vllm, version: "0.11"}}
  selector: {{job: vllm-chat{selector}}}
  alerting: {{queueWaitingPerReplica: 7}}
  objectives:
    - {{sli: ttft, threshold: 250ms, target: 95%}}
    - {{sli: throughput, rate: 500, target: 95%}}
    - sli: job_completion
      threshold: 4h
      target: 95%
      source: {{due: due_total, onTime: on_time_total, pendingAge: 'age{age}'}}
"""


def compiled(text: str, path: str = "specs/chat.yaml", config: Config | None = None) -> dict[str, str]:
    checked = check_loaded([load_bytes(text.encode(), path)], Environment(config or Config()))
    assert not checked.failed, checked.diagnostics
    return {artifact.path: artifact.text for _, artifact in emit_specs(checked.specs, Context(), tuple(EMITTERS))}


POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: own}
spec:
  tiers: [{name: '{{ $value }}', factor: 7, longWindow: 1h, shortWindow: 5m, severity: page}]
"""


def test_severities_and_tiers_are_no_templates() -> None:
    severities = {kind: f"{{{{ $labels.{kind} }}}}" for kind in ("page", "ticket", "info")}
    config = Config.model_validate({"severities": severities, "defaults": {"policy": "own"}})
    rules = yaml.safe_load(
        compiled(f"{SPEC.format(selector='', age='')}---\n{POLICY}", config=config)["rules/assistant/chat.yaml"]
    )
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    said = {rule["labels"]["severity"] for rule in alerts}
    assert said == {f'{{{{ "{{{{" }}}} $labels.{kind} }}}}' for kind in ("page", "ticket")}
    assert '{{ "{{" }} $value }}' in {rule["labels"].get("tier") for rule in alerts}


@pytest.mark.parametrize("path", ["specs/a\nb: c\n.yaml", "specs/\x85groups: []", "specs/\u2028x.yaml"], ids=ascii)
def test_a_file_name_adds_no_line_to_an_output(path: str) -> None:
    text = SPEC.format(selector="", age="")
    plain = compiled(text)
    for name, output in compiled(text, path).items():
        assert len(output.splitlines()) == len(plain[name].splitlines())
        if name.endswith(".yaml"):  # the others say the path, as a value
            assert list(yaml.safe_load_all(output)) == list(yaml.safe_load_all(plain[name]))
        elif name.startswith("catalogue/"):
            assert json.loads(output) == {**json.loads(plain[name]), "path": path}


@pytest.mark.parametrize("pattern", ["[^\\s\\S]", "a\\b\\Bb", "x{3}[0-9]{2}y"], ids=str)
def test_a_pattern_without_an_example_leaves_its_scenarios_out(pattern: str) -> None:
    in_promql = pattern.replace("\\", "\\\\")
    text = SPEC.format(selector=f", pod: {{re: '{pattern}'}}", age=f'{{pod=~"{in_promql}"}}')
    drawn, left = (
        yaml.safe_load(compiled(text)["tests/assistant/chat.fast.test.yaml"])["tests"]
        for text in (SPEC.format(selector="", age=""), text)
    )
    assert 0 < len(left) < len(drawn), "what is recorded is proven all the same"


@pytest.mark.parametrize(
    "text", ["a.b", "a|b", "(x)[y]", "1+1?", "back\\slash", "q\"u`o'te", "{2}", "^a$", "sp ace"], ids=str
)
def test_an_escaped_text_is_its_own_example(text: str) -> None:
    pattern = "".join(f"\\{c}" if not c.isalnum() else c for c in text)
    assert labels.matching([Matcher("pod", "=~", pattern)]) == {"pod": text}
    assert labels.matching([Matcher("pod", "=~", f"({pattern}|other)-[a-z]+")])["pod"].startswith(text)


def test_the_title_of_an_indicator_is_text_in_alerts_and_never_a_template() -> None:
    text = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: tools}
spec:
  service: agents
  indicator:
    metadata: {name: ratio, displayName: "{{ 7 }} good"}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'good_total{job="x"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'all_total{job="x"}'}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.99}]
"""
    checked = check_loaded([load_bytes(text.encode(), "tools.yaml")], Environment())
    assert not checked.failed
    (artifact,) = EMITTERS["rules"].emit(checked.specs[0], Context())
    assert '{{ "{{" }} 7 }} good' in artifact.text
    assert "{{ 7 }}" not in artifact.text
