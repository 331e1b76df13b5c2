"""The generated tests hold for shapes of specs that the examples do not have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.emit.promtool_tests import model, raw_counters
from tests.test_expand import EVERYTHING, GOOD, HAND_WRITTEN, TOTAL
from tests.thorough import cases

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
# Ten files of adjustments alone.
LONG = ("variants that read a part of what the spec reads, and every other field",)


@pytest.mark.promtool
@pytest.mark.parametrize("shape", cases(SHAPES, LONG))
def test_generated_tests_hold(shape: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SHAPES[shape])
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
@pytest.mark.parametrize("scrape", cases(("1s", "5s", "7s", "9s", "25s", "36s", "55s"), ("5s", "9s", "25s", "36s")))
def test_generated_tests_hold_where_scrapes_come_at_odd_times(scrape: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(OFTEN)
    (tmp_path / "slo-compiler.yaml").write_text(f"prometheus: {{scrapeInterval: {scrape}}}\n")
    out, config = str(tmp_path / "out"), str(tmp_path / "slo-compiler.yaml")
    arguments = ["compile", str(tmp_path / "spec.yaml"), "-o", out, "--config", config, "--only", "rules,tests"]
    compiled = CliRunner().invoke(cli, arguments)
    assert compiled.exit_code == 0, compiled.output
    tested = CliRunner().invoke(cli, ["test", out])
    assert tested.exit_code == 0, tested.output


ODD_STEPS = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: odd}
spec:
  steps: {fast: 20s, slow: 100s}
  tiers:
    - {factor: 13, longWindow: 40m, shortWindow: 4m, severity: page}
    - {factor: 9, longWindow: 40m, shortWindow: 4m, severity: ticket, minBadEvents: 7}
    - {factor: 7, longWindow: 4m, shortWindow: 1m, severity: ticket}
    - {factor: 2, longWindow: 2d, shortWindow: 5h, severity: ticket}
"""


@pytest.mark.promtool
def test_generated_tests_hold_where_no_step_is_thirds_of_whole_seconds(tmp_path: Path) -> None:
    """And where tiers share their windows, or have few tiles, and alerts carry the label by which tests tell tiers apart."""
    labelled = OFTEN.replace("{name: chat}", "{name: chat, labels: {case: blue}}")
    (tmp_path / "spec.yaml").write_text(f"{ODD_STEPS}---\n{labelled}  alerting: {{policy: odd}}\n")
    out = str(tmp_path / "out")
    compiled = CliRunner().invoke(cli, ["compile", str(tmp_path / "spec.yaml"), "-o", out, "--only", "rules,tests"])
    assert compiled.exit_code == 0, compiled.output
    tested = CliRunner().invoke(cli, ["test", out])
    assert tested.exit_code == 0, tested.output


@pytest.mark.parametrize("scrape", ["1s", "4s", "5s", "7s", "10s", "15s", "25s", "55s", "60s"])
def test_scrapes_that_are_just_too_few_are_told_from_those_that_are_enough(scrape: str, tmp_path: Path) -> None:
    """No evaluation begins or ends where a scrape lies, and the ticket comes and goes."""
    (tmp_path / "spec.yaml").write_text(OFTEN)
    (tmp_path / "slo-compiler.yaml").write_text(f"prometheus: {{scrapeInterval: {scrape}}}\n")
    out, config = tmp_path / "out", str(tmp_path / "slo-compiler.yaml")
    arguments = ["compile", str(tmp_path / "spec.yaml"), "-o", str(out), "--config", config, "--only", "tests"]
    compiled = CliRunner().invoke(cli, arguments)
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


def later_increase(samples: Sequence[model.Sample], time: float, window: float) -> float | None:
    """`increase` as releases from 2.51.1 on have it: half a scrape at most before the first, and never below zero."""
    found = model.in_range(samples, time, window)
    if len(found) < 2:
        return None
    gained = found[-1][1] - found[0][1] + sum(one[1] for one, two in pairwise(found) if two[1] < one[1])
    sampled = found[-1][0] - found[0][0]
    spacing = sampled / (len(found) - 1)
    ends = (found[0][0] - (time - window), time - found[-1][0])
    before, after = (reach if reach < spacing * 1.1 else spacing / 2 for reach in ends)
    if gained > 0:
        before = min(before, sampled * found[0][1] / gained)
    return gained * (before + sampled + after) / sampled


@pytest.mark.parametrize("scrape", [1, 7, 15, 36, 60])
@pytest.mark.parametrize("step", [30, 60, 240])
def test_no_counter_is_drawn_where_releases_of_prometheus_differ(step: int, scrape: int) -> None:
    for part_in_total in (False, True):
        for samples in raw_counters.fleet(part_in_total, 5.0).samples:
            for look in raw_counters.LOOKS:
                earlier, later = (how(samples, look, step + scrape) for how in (model.increase, later_increase))
                assert earlier == pytest.approx(later), (samples[:3], look)
