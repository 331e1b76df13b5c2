"""`check-metrics` on a vLLM that runs, and what the compiled rules count of known traffic: `make vllm`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from slo_compiler.live.pages import Page
from tests.real import faults
from tests.real.between import prove_counts
from tests.real.checks import broken, checked, prove_found, prove_standstill_found
from tests.real.vllm import E2E, HTTP, ITL, PLAN, TTFT, Served, vllm

pytestmark = [pytest.mark.loopback, pytest.mark.slow_engines]

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: live}
spec:
  service: tiny
  model: acme/tiny
  servedModelName: tiny
  engine: {name: vllm, version: "0.32"}
  selector: {job: vllm}
  stage: dev
  objectives:
    - {sli: ttft, threshold: 250ms, target: 95%}
    - {sli: itl, threshold: 100ms, target: 95%}
    - {sli: tpot, threshold: 100ms, target: 95%}
    - {sli: e2e, threshold: 2s, target: 95%}
    - {sli: queue, threshold: 300ms, target: 95%}
    - {sli: availability, target: 99%, source: {engine: vllm}}
    - sli: ratio
      name: stopped
      target: 90%
      total: vllm:request_success_total
      bad: vllm:request_success_total{finished_reason="stop"}
    - sli: ratio
      name: refused
      target: 90%
      total: http_requests_total
      bad: http_requests_total{status="4xx"}
"""
LATENCIES = {
    "ttft": (TTFT, "0.25"),
    "itl": (ITL, "0.1"),
    "tpot": ("vllm:request_time_per_output_token_seconds", "0.1"),
    "e2e": (E2E, "2.0"),
    "queue": ("vllm:request_queue_time_seconds", "0.3"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A vLLM that has answered."""
    with vllm(tmp_path_factory.mktemp("vllm")) as server:
        yield server


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec that is true of how the server runs."""
    path = tmp_path / "live.yaml"
    path.write_text(SPEC, "utf-8")
    return path


def test_a_true_spec_passes(spec: Path, served: Served) -> None:
    code, results = checked(spec, served.program.page)
    assert (code, broken(results)) == (0, {})
    seen = {(result["slo"], result["check"]) for result in results if result["ok"]}
    assert seen >= {(f"live-{sli}", check) for sli in LATENCIES for check in ("metric", "type", "bucket", "samples")}


def test_what_moves_is_seen_to_move(spec: Path, served: Served) -> None:
    with faults.planted(served.program.page, lambda page: page, served.program.move) as address:
        code, results = checked(spec, address, "--over", "1s")
    assert (code, broken(results)) == (0, {})
    moved = [result for result in results if result["check"] == "samples"]
    assert {f"live-{sli}" for sli in LATENCIES} <= {result["slo"] for result in moved if result["ok"]}


FAULTS: dict[str, tuple[faults.Fault, dict[str, str]]] = {
    "a renamed histogram": (
        faults.renamed(TTFT, "vllm:first_token_latency_seconds"),
        {"metric": f"{TTFT} is not there; near it are "},
    ),
    "a lost bucket": (
        faults.without_bucket(TTFT, "0.25"),
        {"bucket": f"{TTFT} le='0.25' is read and is no bucket; around it are 0.1, 0.5"},
    ),
    "no models": (faults.without_label("model_name"), {"labels": "no series has the label model_name"}),
    "another model": (faults.relabelled("model_name", "huge"), {"labels": "no series matches"}),
    "milliseconds": (faults.rescaled(TTFT, Decimal(1000)), {"bucket": "the page seems to be in milliseconds"}),
    "a gauge": (faults.declared(E2E, "gauge"), {"type": f"{E2E} is a gauge; the rules read a histogram"}),
    "nothing counted": (faults.zeroed(ITL), {"samples": f"{ITL}_count is 0, while"}),
}


@pytest.mark.parametrize(("fault", "told"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found_as_what_it_is(
    fault: faults.Fault, told: dict[str, str], spec: Path, served: Served
) -> None:
    prove_found(spec, served.program, fault, told)


@pytest.mark.parametrize("metric", [TTFT, ITL, HTTP])
def test_a_counter_that_never_moves_is_found(metric: str, spec: Path, served: Served) -> None:
    prove_standstill_found(spec, served.program, metric)


def test_the_compiled_rules_count_what_was_sent(served: Served, promtool: str, tmp_path: Path) -> None:
    del promtool
    good = sum(request.times for request in PLAN.values() if request.status == 200)
    refused = sum(request.times for request in PLAN.values() if request.status >= 400)
    # Tokens but the first of each request.
    events = {sli: served.tokens - good if sli == "itl" else good for sli in LATENCIES}
    counts: dict[str, tuple[float, float]] = {
        f"tiny/live-{sli}": (events[sli], events[sli] - _within(served.after, *read) + _within(served.before, *read))
        for sli, read in LATENCIES.items()
    }
    counts |= {
        "tiny/live-availability": (good + refused, 0),
        "tiny/live-stopped": (good, PLAN["stopped"].times),
        "tiny/live-refused": (good + refused, refused),
    }
    prove_counts(tmp_path, SPEC, {"job": "vllm", "instance": "a:8000"}, (served.before, served.after), counts)


def _within(page: Page, metric: str, le: str) -> float:
    """How many events a page has within an edge."""
    return sum(value for labels, value in page.series[f"{metric}_bucket"] if labels["le"] == le)
