"""Every engine that ships says of each type of breach what shows it, or why nothing does."""

from __future__ import annotations

import pytest

from slo_compiler.breaches import BREACH_LABELS, breach_answers
from slo_compiler.documents.sight import BreachType
from slo_compiler.engine_versions import known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine, load_builtin_engines
from slo_compiler.slis import load_slis

ENGINES = load_builtin_engines()


def newest(name: str) -> ResolvedEngine:
    return resolve_engine(ENGINES[name], next(iter(known_versions(ENGINES[name])[::-1]), None))


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_answers_all_five(name: str) -> None:
    answers = breach_answers(newest(name))
    assert list(answers) == list(BreachType)
    assert [breach.value for breach, answer in answers.items() if not (answer.is_shown or answer.says)] == []


@pytest.mark.parametrize("breach", [BreachType.INCOMPLETE, BreachType.TIMEOUT])
@pytest.mark.parametrize("name", ENGINES)
def test_what_an_sli_alone_does_not_tell_is_said_in_words(name: str, breach: BreachType) -> None:
    """A latency of finished requests knows no request that ran out of time, and no SLI knows all ways to break off."""
    assert ENGINES[name].spec.breaches[breach].says
    assert breach_answers(newest(name))[breach].says


def test_the_labels_are_those_of_the_slis() -> None:
    assert {sli.breach for sli in load_slis().values()} - {None} == set(BREACH_LABELS.values())


ANSWERS = [
    pytest.param("vllm", "ttft", {"ttft": ("vllm:time_to_first_token_seconds",)}, (), id="an SLI shows it"),
    pytest.param(
        "trtllm-serve",
        "itl",
        {"tpot": ("trtllm_time_per_output_token_seconds",)},
        (),
        id="a mean stands in for the gaps",
    ),
    pytest.param("tgi", "ttft", {"queue": ("tgi_request_queue_duration",)}, (), id="a part stands in for the whole"),
    pytest.param(
        "envoy", "incomplete", {}, ("envoy_http_downstream_rq_rx_reset",), id="a metric shows it that no SLI reads"
    ),
    pytest.param("llamacpp", "error", {}, (), id="nothing shows it"),
]


@pytest.mark.parametrize(("name", "breach", "slis", "metrics"), ANSWERS)
def test_what_shows_a_breach(
    name: str, breach: str, slis: dict[str, tuple[str, ...]], metrics: tuple[str, ...]
) -> None:
    answer = breach_answers(newest(name))[BreachType(breach)]
    assert (answer.slis, answer.metrics) == (slis, metrics)
    assert answer.is_shown == bool(slis or metrics)
    assert answer.is_shown or answer.says


def test_a_metric_that_the_version_lacks_shows_nothing() -> None:
    old, new = (breach_answers(resolve_engine(ENGINES["sglang"], version)) for version in ("0.4.6", "0.5"))
    assert new[BreachType.INCOMPLETE].metrics == ("sglang:num_aborted_requests_total",)
    assert not old[BreachType.INCOMPLETE].is_shown
