"""What each SLI is: the entries fit the words of the language and the engines that ship."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from slo_compiler.engine_versions import resolve_engine
from slo_compiler.engines import load_builtin_engines
from slo_compiler.slis import Sli, load_slis

SLIS = load_slis()
LATENCIES = ("ttft", "itl", "tpot", "e2e", "queue")
each_sli = pytest.mark.parametrize("name", list(SLIS))


def test_the_slis_of_the_language_are_there() -> None:
    assert set(SLIS) == {*LATENCIES, "availability", "ratio", "completion", "throughput", "job_completion"}


@pytest.mark.parametrize(
    ("name", "roles", "counts"),
    [
        pytest.param("ttft", ("ttft",), "requests", id="ttft counts requests"),
        pytest.param("itl", ("itl", "tpot"), "tokens", id="itl counts tokens, under either name"),
        pytest.param("tpot", ("tpot_request_mean",), "requests", id="tpot is the mean of a request, never of a token"),
        pytest.param("e2e", ("e2e",), "requests", id="e2e is the engine's own"),
        pytest.param("queue", ("queue_time",), "requests", id="queue is the time in the queue"),
    ],
)
def test_latencies_are_histograms_of_engine_roles(name: str, roles: tuple[str, ...], counts: str) -> None:
    sli = SLIS[name]
    assert (sli.kind, sli.roles, sli.counts, sli.unit) == ("histogram", roles, counts, "seconds")


@pytest.mark.parametrize("name", LATENCIES)
def test_an_engine_metric_counts_what_its_sli_says(name: str) -> None:
    engine = resolve_engine(load_builtin_engines()["vllm"], "0.11")
    for role in SLIS[name].roles:
        metric = engine.metric(role)
        assert metric is not None
        assert metric.counts == SLIS[name].counts


@each_sli
def test_every_sli_has_its_words(name: str) -> None:
    sli = SLIS[name]
    assert sli.name == name
    assert sli.title == sli.title.strip() != ""
    assert len(sli.short) <= 20
    assert sli.user.endswith(".")
    assert {"name", "sli", "target", "mode"} <= set(sli.fields)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        pytest.param("ttft", {"threshold"}, id="a latency has a threshold"),
        pytest.param("availability", {"source"}, id="availability has a source"),
        pytest.param("ratio", {"good", "bad", "total"}, id="a ratio has its selectors"),
        pytest.param("completion", set(), id="completion has nothing but its target"),
        pytest.param("throughput", {"rate", "slice"}, id="a throughput has a rate and a slice"),
        pytest.param("job_completion", {"threshold", "source"}, id="a job has a deadline and a source"),
    ],
)
def test_an_sli_takes_its_own_fields(name: str, own: set[str]) -> None:
    assert set(SLIS[name].fields) - {"name", "sli", "target", "mode"} == own


def test_only_what_is_counted_at_its_end_leaves_short_windows_out() -> None:
    least = {name: (sli.long_windows_from, sli.short_windows_from) for name, sli in SLIS.items()}
    assert {name: tuple(map(str, windows)) for name, windows in least.items() if any(windows)} == {
        "completion": ("6h", "1h"),
        "job_completion": ("6h", "None"),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"roles": ()}, "read from engine roles", id="a histogram without a role"),
        pytest.param({"kind": "counters"}, "read from engine roles", id="counters with a role"),
        pytest.param({"unit": None}, "a threshold has a unit", id="a threshold without a unit"),
        pytest.param({"breach": "boredom"}, "breach", id="a breach that is none"),
        pytest.param({"roles": ("speed",)}, "roles", id="a role that is none"),
    ],
)
def test_entries_that_contradict_themselves_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Sli.model_validate({**SLIS["ttft"].model_dump(), **change})
