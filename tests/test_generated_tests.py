"""The generated tests hold for shapes of specs that the examples do not have."""

from __future__ import annotations

from pathlib import Path

import pytest
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
