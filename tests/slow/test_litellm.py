"""`check-metrics` on a LiteLLM proxy that runs, and what the compiled rules count of known traffic: `make litellm`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from slo_compiler.live.pages import Page, read_page
from tests.real import faults
from tests.real.between import prove_counts
from tests.real.checks import broken, checked, prove_found, prove_standstill_found
from tests.real.litellm import ANSWERS, PLAN, TTFT, litellm
from tests.real.process import fetched
from tests.real.programs import Program

pytestmark = [pytest.mark.loopback, pytest.mark.slow_engines]


@dataclass(frozen=True)
class Proxy:
    """The program, and its page before and after the planned traffic."""

    program: Program
    before: Page
    after: Page


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A LiteLLM that has answered."""
    with litellm(tmp_path_factory.mktemp("litellm")) as (program, before):
        yield Proxy(program, before, read_page(fetched(program.page)))


@pytest.fixture
def spec(specs: Path) -> Path:
    """A spec that is true of how the proxy runs."""
    return specs / "engines" / "litellm.yaml"


def test_a_true_spec_passes(spec: Path, proxy: Proxy) -> None:
    code, results = checked(spec, proxy.program.page)
    assert (code, broken(results)) == (0, {})
    seen = {(result["slo"], result["check"]) for result in results if result["ok"]}
    assert seen >= {
        (f"writer-litellm-{sli}", check) for sli in ("ttft", "availability") for check in ("metric", "type", "samples")
    }


def test_what_moves_is_seen_to_move(spec: Path, proxy: Proxy) -> None:
    with faults.planted(proxy.program.page, lambda page: page, proxy.program.move) as address:
        code, results = checked(spec, address, "--over", "1s")
    assert (code, broken(results)) == (0, {})
    moved = [result["message"] for result in results if result["check"] == "samples"]
    assert len(moved) == 2
    assert all(message.startswith("has counted ") for message in moved)


FAULTS: dict[str, tuple[faults.Fault, dict[str, str]]] = {
    "a renamed histogram": (
        faults.renamed(TTFT, "litellm_time_to_first_token_seconds"),
        {"metric": f"{TTFT} is not there; near it are "},
    ),
    "a renamed counter": (
        faults.renamed(ANSWERS, "litellm_proxy_requests_total"),
        {"metric": f"{ANSWERS} is not there; near it are "},
    ),
    "a lost bucket": (
        faults.without_bucket(TTFT, "0.5"),
        {"bucket": f"{TTFT} le='0.5' is read and is no bucket; around it are 0.25, 1"},
    ),
    "no status": (faults.without_label("status_code"), {"labels": f"{ANSWERS} no series has the label status_code"}),
    "another model": (faults.relabelled("requested_model", "reader"), {"labels": "no series matches"}),
    "milliseconds": (faults.rescaled(TTFT, Decimal(1000)), {"bucket": "the page seems to be in milliseconds"}),
    "a gauge": (faults.declared(ANSWERS, "gauge"), {"type": f"{ANSWERS} is a gauge; the rules read a counter"}),
    "nothing counted": (faults.zeroed(TTFT), {"samples": f"{TTFT}_count is 0, while"}),
}


@pytest.mark.parametrize(("fault", "told"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found_as_what_it_is(
    fault: faults.Fault, told: dict[str, str], spec: Path, proxy: Proxy
) -> None:
    prove_found(spec, proxy.program, fault, told)


@pytest.mark.parametrize("metric", [TTFT, ANSWERS])
def test_a_counter_that_never_moves_is_found(metric: str, spec: Path, proxy: Proxy) -> None:
    prove_standstill_found(spec, proxy.program, metric)


def test_the_compiled_rules_count_what_was_sent(spec: Path, proxy: Proxy, promtool: str, tmp_path: Path) -> None:
    del promtool
    within = _within(proxy.after) - _within(proxy.before)
    streamed = PLAN["streamed"][0]
    answered = sum(times for what, (times, _) in PLAN.items() if what != "unknown")
    prove_counts(
        tmp_path,
        spec.read_text("utf-8"),
        {"job": "litellm", "namespace": "gateways", "instance": "a:4000"},
        (proxy.before, proxy.after),
        {
            "engines/writer-litellm-ttft": (streamed, streamed - within),
            "engines/writer-litellm-availability": (answered, PLAN["failing"][0] + PLAN["late"][0]),
        },
    )


def _within(page: Page) -> float:
    """How many first tokens came within half a second."""
    return sum(value for labels, value in page.series[f"{TTFT}_bucket"] if labels["le"] == "0.5")
