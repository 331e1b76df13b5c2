"""The generated tests hold for shapes of specs that the examples do not have."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from tests.test_expand import EVERYTHING, GOOD, HAND_WRITTEN, TOTAL

GOOD_COUNTER = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: avail}
spec:
  service: shop
  indicator:
    metadata: {name: a}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: good_total}}}
        total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.999}]
"""
SHAPES = {
    "good events of another name than all, at a tight target, in a spec of the SLO's name": GOOD_COUNTER,
    "an engine's latency with the SLO's name for the spec": HAND_WRITTEN
    % ("slo-compiler/threshold: 150ms", GOOD, TOTAL),
    "variants that read a part of what the spec reads, and every other field": EVERYTHING,
}


@pytest.mark.promtool
@pytest.mark.parametrize("spec", SHAPES.values(), ids=SHAPES)
def test_generated_tests_hold(spec: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(spec)
    out = str(tmp_path / "out")
    compiled = CliRunner().invoke(cli, ["compile", str(tmp_path / "spec.yaml"), "-o", out, "--only", "rules,tests"])
    assert compiled.exit_code == 0, compiled.output
    tested = CliRunner().invoke(cli, ["test", out])
    assert tested.exit_code == 0, tested.output


OFTEN = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  endpoint: /v1/completions
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  objectives:
    - {sli: ttft, threshold: 250ms, target: 95%}
    - {sli: availability, target: 99.9%, source: {bad: 'gw_total{app="a",code=~"5.."}', total: 'gw_total{app="a"}'}}
"""


@pytest.mark.promtool
@pytest.mark.parametrize("scrape", ["1s", "5s", "7s", "9s", "25s", "36s", "55s"])
def test_generated_tests_hold_where_scrapes_come_at_odd_times(scrape: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(OFTEN)
    (tmp_path / "slo-compiler.yaml").write_text(f"prometheus: {{scrapeInterval: {scrape}}}\n")
    out, config = str(tmp_path / "out"), str(tmp_path / "slo-compiler.yaml")
    compiled = CliRunner().invoke(cli, ["compile", str(tmp_path / "spec.yaml"), "-o", out, "--config", config])
    assert compiled.exit_code == 0, compiled.output
    tested = CliRunner().invoke(cli, ["test", out])
    assert tested.exit_code == 0, tested.output


@pytest.mark.parametrize("scrape", ["1s", "4s", "5s", "7s", "10s", "15s", "25s", "55s", "60s"])
def test_scrapes_that_are_just_too_few_are_told_from_those_that_are_enough(scrape: str, tmp_path: Path) -> None:
    """No evaluation begins or ends where a scrape lies, and the ticket comes and goes."""
    (tmp_path / "spec.yaml").write_text(OFTEN)
    (tmp_path / "slo-compiler.yaml").write_text(f"prometheus: {{scrapeInterval: {scrape}}}\n")
    out, config = tmp_path / "out", str(tmp_path / "slo-compiler.yaml")
    compiled = CliRunner().invoke(cli, ["compile", str(tmp_path / "spec.yaml"), "-o", str(out), "--config", config])
    assert compiled.exit_code == 0, compiled.output
    fast = yaml.safe_load((out / "tests/assistant/chat.fast.test.yaml").read_text())
    (shown,) = [test for test in fast["tests"] if test["name"] == "what the engine shows once"]
    slot, step = int(shown["interval"].removesuffix("s")), 60 if int(scrape[:-1]) > 30 else 30
    (targets,) = [
        item["values"] for item in shown["input_series"] if item["series"].startswith('up{job="vllm",target="f')
    ]
    assert [second for second in _scraped(targets, slot) if second % step == 0] == []
    told = [str(check["exp_samples"]) for check in shown["promql_expr_test"]]
    assert any('"SLOCoverageLow", alertstate="firing"' in samples for samples in told)
    assert "SLOCoverageLow" not in told[0]
    assert "SLOCoverageLow" not in told[-1]


def _scraped(text: str, slot: int) -> list[int]:
    """The seconds at which a series has a sample."""
    found, index = [], 0
    for token in text.split():
        value, _, times = token.partition("x")
        count = int(times or 0) + (value != "_") if times else 1
        if value != "_":
            found += [(index + one) * slot for one in range(count)]
        index += count
    return found
