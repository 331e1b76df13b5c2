"""`check-metrics` on programs that run: true specs pass, planted faults are found, and engine documents say what is there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from slo_compiler.documents.engine import LeFormat, MetricType
from slo_compiler.edges import native_text
from slo_compiler.engines import load_builtin_engines
from slo_compiler.live.pages import read_page
from tests.real import faults, programs
from tests.real.checks import broken, checked, prove_found, prove_standstill_found
from tests.real.process import fetched
from tests.real.programs import KSERVE_PLAN, Program, summed
from tests.real.traffic import CLASSES, PLAN

pytestmark = [pytest.mark.loopback, pytest.mark.engines]

HAPROXY = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: writer-haproxy}
spec:
  service: engines
  model: acme/writer
  engine: {name: haproxy, version: "2.6"}
  selector: {job: haproxy, proxy: writer}
  objectives:
    - {sli: availability, target: 99%, source: {engine: haproxy}}
"""
ENGINES = ("envoy", "haproxy", "kserve")


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An Envoy that has answered."""
    with programs.envoy(tmp_path_factory.mktemp("envoy")) as program:
        yield program


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A HAProxy that has answered."""
    with programs.haproxy(tmp_path_factory.mktemp("haproxy")) as program:
        yield program


@pytest.fixture(scope="module")
def kserve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A model server that has answered."""
    with programs.kserve(tmp_path_factory.mktemp("kserve")) as program:
        yield program


@pytest.fixture
def program(request: pytest.FixtureRequest, engine: str) -> Program:
    """The program of the test's engine."""
    found: Program = request.getfixturevalue(engine)
    return found


@pytest.fixture
def spec(engine: str, specs: Path, tmp_path: Path) -> Path:
    """A spec of the test's engine that is true of how the program runs."""
    path = tmp_path / f"{engine}.yaml"
    text = HAPROXY if engine == "haproxy" else (specs / "engines" / f"{engine}.yaml").read_text("utf-8")
    # The address of a model of this server is its name, which has no slash.
    path.write_text(
        text.replace("  model: acme/ranker\n", "  model: acme/ranker\n  servedModelName: ranker\n"), "utf-8"
    )
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_a_true_spec_passes(spec: Path, program: Program) -> None:
    code, results = checked(spec, program.page)
    assert broken(results) == {}
    assert code == 0
    assert {"metric", "type", "samples"} <= {result["check"] for result in results if result["ok"]}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_moves_is_seen_to_move(spec: Path, program: Program) -> None:
    with faults.planted(program.page, lambda page: page, program.move) as address:
        code, results = checked(spec, address, "--over", "1s")
    assert (code, broken(results)) == (0, {})
    moved = [result["message"] for result in results if result["check"] == "samples"]
    assert moved and all(message.startswith("has counted ") for message in moved)


TIME = "envoy_http_downstream_rq_time"
ANSWERS = "haproxy_frontend_http_responses_total"
PREDICTED = "request_predict_seconds"
FAULTS: dict[str, tuple[str, faults.Fault, dict[str, str]]] = {
    "envoy renamed its histogram": (
        "envoy",
        faults.renamed(TIME, "envoy_http_downstream_rq_duration"),
        {"metric": f"{TIME} is not there; near it are envoy_http_downstream_rq_"},
    ),
    "envoy lost a bucket": (
        "envoy",
        faults.without_bucket(TIME, "5000"),
        {"bucket": f"{TIME} le='5000' is read and is no bucket; around it are 2500, 10000"},
    ),
    "envoy tells no listeners": (
        "envoy",
        faults.without_label("envoy_http_conn_manager_prefix"),
        {"labels": f"{TIME} no series has the label envoy_http_conn_manager_prefix"},
    ),
    "envoy measures in seconds": (
        "envoy",
        faults.rescaled(TIME, Decimal("0.001")),
        {"bucket": "the page seems to be in seconds"},
    ),
    "envoy measures in microseconds": (
        "envoy",
        faults.rescaled(TIME, Decimal(1000)),
        {"bucket": "the page seems to be in microseconds"},
    ),
    "envoy shows a gauge": (
        "envoy",
        faults.declared(TIME, "gauge"),
        {"type": f"{TIME} is a gauge; the rules read a histogram"},
    ),
    "haproxy renamed its counter": (
        "haproxy",
        faults.renamed(ANSWERS, "haproxy_frontend_http_answers_total"),
        {"metric": f"{ANSWERS} is not there; near it are"},
    ),
    "haproxy tells no frontends": (
        "haproxy",
        faults.without_label("proxy"),
        {"labels": f"{ANSWERS} no series has the label proxy"},
    ),
    "haproxy shows a gauge": (
        "haproxy",
        faults.declared(ANSWERS, "gauge"),
        {"type": f"{ANSWERS} is a gauge; the rules read a counter"},
    ),
    "kserve renamed its histogram": (
        "kserve",
        faults.renamed(PREDICTED, "request_prediction_seconds"),
        {"metric": f"{PREDICTED} is not there; near it are request_prediction_seconds"},
    ),
    "kserve lost a bucket": (
        "kserve",
        faults.without_bucket(PREDICTED, "0.75"),
        {"bucket": f"{PREDICTED} le='0.75' is read and is no bucket; around it are 0.5, 1"},
    ),
    "kserve tells no models": (
        "kserve",
        faults.without_label("model_name"),
        {"labels": f"{PREDICTED} no series has the label model_name"},
    ),
    "kserve serves another model": (
        "kserve",
        faults.relabelled("model_name", "acme/other"),
        {"labels": f"{PREDICTED} no series matches"},
    ),
    "kserve measures in milliseconds": (
        "kserve",
        faults.rescaled(PREDICTED, Decimal(1000)),
        {"bucket": "the page seems to be in milliseconds"},
    ),
    "kserve counts nothing": (
        "kserve",
        faults.zeroed(PREDICTED),
        {"samples": f"{PREDICTED}_count is 0, while"},
    ),
}


@pytest.mark.parametrize(("engine", "fault", "told"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found_as_what_it_is(
    fault: faults.Fault, told: dict[str, str], spec: Path, program: Program
) -> None:
    prove_found(spec, program, fault, told)


STUCK = {"envoy": TIME, "haproxy": ANSWERS, "kserve": PREDICTED}


@pytest.mark.parametrize(("engine", "metric"), STUCK.items())
def test_a_counter_that_never_moves_is_found(metric: str, spec: Path, program: Program) -> None:
    prove_standstill_found(spec, program, metric)


def le_of(edge: Decimal, le_format: LeFormat | None) -> str:
    """An edge as Python's client or another library writes it, where it needs no exponent."""
    return repr(float(edge)) if le_format is LeFormat.PYTHON_FLOAT else native_text(edge, le_format or LeFormat.ANY)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_document_says_what_the_page_shows(engine: str, program: Program) -> None:
    document = load_builtin_engines()[engine]
    page = read_page(fetched(program.page))
    for metric in document.spec.metrics:
        labels = frozenset(map(str, document.spec.label_sets[metric.labels]))
        histogram = metric.type is MetricType.HISTOGRAM
        series = page.series[f"{metric.name}_bucket" if histogram else metric.name]
        assert page.type_of(metric.name) == metric.type.value, metric.name
        assert {frozenset(one.labels) - {"le"} for one in series} == {labels}, metric.name
        if histogram:
            assert metric.buckets is not None
            (era,) = document.spec.bucket_sets[metric.buckets]
            written = {le_of(edge, document.spec.le_format) for edge in era.edges}
            by_series: dict[frozenset[tuple[str, str]], set[str]] = {}
            for one in series:
                key = frozenset((label, value) for label, value in one.labels.items() if label != "le")
                by_series.setdefault(key, set()).add(one.labels["le"])
            assert {frozenset(texts) for texts in by_series.values()} == {frozenset({*written, "+Inf"})}, metric.name


def test_envoy_counts_what_was_sent(envoy: Program) -> None:
    page = fetched(envoy.page)
    writer = 'envoy_http_conn_manager_prefix="writer"'
    name = "envoy_http_downstream_rq_xx"
    found = {digit: summed(page, name, writer, f'envoy_response_code_class="{digit}"') for digit in "245"}
    # Other tests ask for one good answer at a time.
    more = found["2"] - CLASSES["2"]
    assert more >= 0
    assert found == {**CLASSES, "2": CLASSES["2"] + more}
    assert summed(page, "envoy_http_downstream_rq_rx_reset", writer) == PLAN["/left"]
    assert summed(page, f"{TIME}_count", writer) == sum(PLAN.values()) - PLAN["/left"] + more
    assert summed(page, f"{TIME}_bucket", writer, 'le="100"') == summed(page, f"{TIME}_count", writer) - PLAN["/slow"]


def test_haproxy_counts_what_was_sent(haproxy: Program) -> None:
    page = fetched(haproxy.page)
    found = {digit: summed(page, ANSWERS, 'proxy="writer"', f'code="{digit}xx"') for digit in "245"}
    assert found["2"] >= CLASSES["2"]
    assert {**found, "2": CLASSES["2"]} == CLASSES


def test_kserve_counts_what_was_predicted(kserve: Program) -> None:
    page = fetched(kserve.page)
    more = summed(page, "request_postprocess_seconds_count") - KSERVE_PLAN["good"][0] - KSERVE_PLAN["slow"][0]
    predicted = sum(KSERVE_PLAN[what][0] for what in ("good", "failing", "slow"))
    assert more >= 0
    assert summed(page, f"{PREDICTED}_count") == predicted + more
    assert summed(page, f"{PREDICTED}_bucket", 'le="0.1"') == predicted + more - KSERVE_PLAN["slow"][0]
