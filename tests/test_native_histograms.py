"""Latencies of native histograms: how a spec asks for them, at which edges they are read, and what is drawn of them."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.cli import cli
from slo_compiler.emit.promtool_tests.native import as_native
from slo_compiler.ir import Bound, Histogram, Native, Steps
from slo_compiler.live.compare import compare
from slo_compiler.live.pages import read_page
from slo_compiler.live.prometheus import page_of
from slo_compiler.live.results import Check, Live
from slo_compiler.promql.measurements import covered, events_over
from slo_compiler.resolve.buckets import exponential_edges
from slo_compiler.slis import load_slis
from tests.metrics_pages import Server
from tests.promtool_case import Compiled, compile_text, reads

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: acme/m
  engine: {name: vllm, version: "0.11"ENGINE}
  selector: {job: vllm}
  bucketPolicy: POLICY
  objectives: [OBJECTIVE]
"""
TTFT = "{sli: ttft, threshold: 150ms, target: 95%}"
CUSTOM = {"version": "3.5", "histograms": "custom-buckets"}
EXPONENTIAL = {"version": "3.5", "histograms": "exponential"}


def spec(folder: Path, objective: str = TTFT, engine: str = "", policy: str = "ceil", **prometheus: Any) -> Compiled:
    text = SPEC.replace("ENGINE", engine).replace("POLICY", policy).replace("OBJECTIVE", objective)
    return compile_text(folder, text, **prometheus)


def histogram(compiled: Compiled) -> Histogram:
    assert compiled.spec is not None, compiled.diagnostics
    measurement = compiled.spec.slos[0].measurement
    assert isinstance(measurement, Histogram)
    return measurement


# What the engine says, what the configuration says, and what is read.
FORMS: dict[str, tuple[str, dict[str, Any], Native | None]] = {
    "classic unless somebody says otherwise": ("", {}, None),
    "as the configuration says": ("", CUSTOM, Native()),
    "an engine of its own way": (", histograms: classic", CUSTOM, None),
    "one spec alone": (", histograms: custom-buckets", {"version": "v3.0.1"}, Native()),
    "exponential, as coarse as is usual": ("", EXPONENTIAL, Native(3)),
    "exponential, as coarse as configured": ("", {**EXPONENTIAL, "coarsestSchema": 5}, Native(5)),
    "exponential, as coarse as the spec says": (
        ", coarsestSchema: -1",
        {**EXPONENTIAL, "coarsestSchema": 5},
        Native(-1),
    ),
}


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_how_histograms_arrive(case: str, tmp_path: Path) -> None:
    engine, prometheus, native = FORMS[case]
    found = spec(tmp_path, engine=engine, **prometheus)
    assert histogram(found).native == native
    assert found.spec is not None
    assert [source.native for source in found.spec.sources] == [native is not None]


# The engine's words, the configuration, the place and the words of the one finding.
REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "no version is known": (", histograms: custom-buckets", {}, "SLO206", "prometheus.version is not set"),
    "an older server": (", histograms: exponential", {"version": "2.55.1"}, "SLO206", "prometheus.version is 2.55.1"),
    "a schema of custom buckets": (", coarsestSchema: 3", CUSTOM, "SLO203", "this spec reads none"),
    "a schema of classic buckets": (", coarsestSchema: 3", {}, "SLO203", "this spec reads none"),
    "a schema that there is not": (", coarsestSchema: 9", EXPONENTIAL, "SLO203", "must be at most 8"),
    "another form": (", histograms: native", CUSTOM, "SLO203", "custom-buckets"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_cannot_be_read_is_refused_once(case: str, tmp_path: Path) -> None:
    engine, prometheus, code, words = REFUSED[case]
    found = spec(tmp_path, engine=engine, **prometheus)
    (error,) = [one for one in found.diagnostics if one.severity.name == "ERROR"]
    assert (error.code.name, words in f"{error.message} {error.hint}") == (code, True), error
    assert error.span.line == 7
    assert found.rules == []


def test_a_configuration_without_a_version_says_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slo-compiler.yaml").write_text("prometheus: {histograms: custom-buckets}\n", encoding="utf-8")
    Path("chat.yaml").write_text(
        SPEC.replace("ENGINE", "").replace("POLICY", "ceil").replace("OBJECTIVE", TTFT), "utf-8"
    )
    result = CliRunner().invoke(cli, ["validate", "chat.yaml"])
    assert result.exit_code == 1
    assert "slo-compiler.yaml:1:26: error[SLO203]" in result.output
    assert 'version: "3.5" beside it' in result.output


def test_completion_is_refused_where_counts_are_none_of_their_own(tmp_path: Path) -> None:
    found = spec(tmp_path, "{sli: completion, target: 99%}", **CUSTOM)
    assert found.codes() >= {"SLO206"}
    assert "_count, which a native histogram does not have" in found.message("SLO206")
    assert (
        "SLO206"
        not in spec(tmp_path, "{sli: completion, target: 99%}", engine=", histograms: classic", **CUSTOM).codes()
    )


@pytest.mark.parametrize("policy", ["ceil", "floor"])
def test_custom_buckets_are_read_at_the_edges_of_classic_ones(policy: str, tmp_path: Path) -> None:
    native = histogram(spec(tmp_path, policy=policy, **CUSTOM))
    assert native._replace(native=None) == histogram(spec(tmp_path, policy=policy))


def test_a_promise_between_custom_buckets_is_refused_where_it_must_be_exact(tmp_path: Path) -> None:
    assert "is no bucket boundary" in spec(tmp_path, policy="exact", **CUSTOM).message("SLO403")


# Policy and threshold: the edge that is read, the other one, and what is said of it. By hand: 2^(-22/8) is 148.65 ms.
READ: dict[str, tuple[str, str, float, float | None, str]] = {
    "the next edge": ("ceil", "150ms", 2 ** (-21 / 8), 2 ** (-22 / 8), "the rules read 162.1ms"),
    "the edge below": ("floor", "150ms", 2 ** (-22 / 8), 2 ** (-21 / 8), "the rules read 148.7ms"),
    "a power of two": ("exact", "250ms", 0.25, None, ""),
    "over a minute": ("ceil", "70s", 2 ** (50 / 8), 2 ** (49 / 8), "the rules read 1m16.11s"),
}


@pytest.mark.parametrize("case", READ, ids=str)
def test_exponential_buckets_are_read_at_edges_of_the_coarsest_schema(case: str, tmp_path: Path) -> None:
    policy, threshold, measured, other, words = READ[case]
    found = spec(tmp_path, f"{{sli: e2e, threshold: {threshold}, target: 95%}}", policy=policy, **EXPONENTIAL)
    read = histogram(found)
    assert float(read.measured.edge) == pytest.approx(measured, rel=1e-15)
    assert (float(read.other.edge) if read.other is not None else None) == (other and pytest.approx(other, rel=1e-15))
    if words:
        assert words in found.message("SLO403")
    else:
        assert "SLO403" not in found.codes()


def test_a_promise_between_exponential_buckets_names_what_is_exact(tmp_path: Path) -> None:
    found = spec(tmp_path, policy="exact", **EXPONENTIAL)
    (error,) = [one for one in found.diagnostics if one.code.name == "SLO403"]
    assert error.hint.startswith("promise one of 125ms, 250ms, or bucketPolicy: ceil; a higher coarsestSchema")
    for threshold in ("125ms", "250ms"):
        mended = spec(tmp_path, f"{{sli: ttft, threshold: {threshold}, target: 95%}}", policy="exact", **EXPONENTIAL)
        assert "SLO403" not in mended.codes()


@given(
    st.decimals("0.0005", "90000", places=4),
    st.integers(-4, 8),
)
def test_exponential_edges_lie_around_every_threshold(threshold: Decimal, schema: int) -> None:
    """Prometheus, "Native Histograms": the upper bound of the bucket with index i is (2^(2^-schema))^i."""
    edges = exponential_edges(threshold, schema)
    assert edges[0] < threshold <= edges[-1]
    assert list(edges) == sorted(set(edges))
    for below, above in itertools.pairwise(edges):
        assert float(above / below) == pytest.approx(2 ** (2.0**-schema), rel=1e-14)
    # An edge of a schema is one of each finer schema.
    if schema < 8:
        assert {edge for edge in edges if edge in exponential_edges(edge, schema + 1)} == set(edges)


def test_what_rules_read_of_a_native_histogram(tmp_path: Path) -> None:
    found = spec(tmp_path, "{sli: itl, threshold: 50ms, target: 95%}", **CUSTOM)
    metrics = {read.metric for rule in found.rules for read in reads(rule.expr) if read.metric.startswith("vllm:")}
    names = {"vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"}
    gauges = {"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:generation_tokens_total"}
    assert metrics == names | gauges | {f"{name}_count" for name in names}
    counts = [rule.name for rule in found.rules for read in reads(rule.expr) if read.metric.endswith("_seconds_count")]
    assert set(counts) == {"slo:covered:ratio"}
    assert "SLOImpossibleData" not in {rule.name for rule in found.rules}
    assert "SLOImpossibleData" in {rule.name for rule in spec(tmp_path, engine=", histograms: classic", **CUSTOM).rules}


def test_every_name_joins_per_series_newest_first() -> None:
    one = Histogram(("new", "old"), (), Bound(Decimal("0.25"), ""), native=Native())
    assert (
        events_over(one, 30, Decimal(15))
        == "sum(histogram_count(rate(new[45s])) or histogram_count(rate(old[45s]))) * 30"
    )


def test_a_replica_with_classic_series_alone_is_not_covered() -> None:
    one = Histogram(("x",), (), Bound(Decimal("0.25"), ""), native=Native())
    assert covered(one, Steps(30, 240, Decimal(15))) == (
        "(sum(histogram_count(rate(x[45s]))) or vector(0))\n"
        "/ (sum(histogram_count(rate(x[45s])) or rate(x_count[45s])) > 0)"
    )


LOW = 'x_bucket{job="a",le="0.25"}'
HIGH = 'x_bucket{job="a",le="1.0"}'
COUNT = 'x_count{job="a"}'


def as_drawn(native: Native, series: dict[str, str]) -> dict[str, str]:
    items = [{"series": name, "values": text} for name, text in series.items()]
    found = as_native({"input_series": items}, {"x": native})["input_series"]
    return {item["series"]: item["values"] for item in found}


def custom(bounds: str, count: float, buckets: str) -> str:
    return f"{{{{schema:-53 custom_values:[{bounds}] count:{count} buckets:[{buckets}]}}}}"


def test_a_drawn_histogram_becomes_one_series() -> None:
    found = as_drawn(Native(), {COUNT: "_ 10+5x1 stale", LOW: "_ 4+2x1 stale", HIGH: "_ 9x1 stale", "y_count": "1x3"})
    first, second = (custom("0.125 0.25 1 2", count, held) for count, held in ((10, "0 4 5 1"), (15, "0 6 3 6")))
    assert found == {'x{job="a"}': f"_ {first} {second} stale", "y_count": "1x3"}


def test_events_lie_just_above_the_edges_that_they_are_over() -> None:
    """So that whoever reads an edge beside the right one cuts a bucket with events in it."""
    found = as_drawn(Native(2), {COUNT: "10x2", LOW: "4x2"})
    # 0.25 is 2^(-8/4): bucket -8 ends at it.
    assert found == {'x{job="a"}': "{{schema:2 count:10 offset:-8 buckets:[4 6]}}x2"}


def test_a_lost_bucket_leaves_the_classic_count() -> None:
    found = as_drawn(Native(), {COUNT: "10 11 12 13", LOW: "4 5 stale"})
    held = [custom("0.125 0.25 0.5", count, f"0 {low} 6") for count, low in ((10, 4), (11, 5))]
    assert found == {'x{job="a"}': f"{held[0]} {held[1]} stale _", COUNT: "_x2 12 13"}


def test_a_replica_without_the_bucket_stays_classic() -> None:
    found = as_drawn(Native(), {COUNT: "10x3", 'x_bucket{job="a",le="+Inf"}': "10x3"})
    assert found == {COUNT: "10x3", 'x_bucket{job="a",le="+Inf"}': "10x3"}


def test_a_count_alone_becomes_a_histogram() -> None:
    assert as_drawn(Native(), {"x{}": "3 _x2"}) == {"x{}": f"{custom('0.5 1 2', 3, '0 3 0')} _x2"}


def test_a_rounding_is_no_restart() -> None:
    found = as_drawn(Native(), {COUNT: "10 12", LOW: "4 6.000030517578125"})
    held = [
        custom("0.125 0.25 0.5", count, buckets)
        for count, buckets in ((10, "0 4 6"), (12.000030517578125, "0 6.000030517578125 6"))
    ]
    assert found == {'x{job="a"}': " ".join(held)}


OLD = '#!/bin/sh\necho "promtool, version 2.53.4 (branch: x)"\n'


def test_an_older_promtool_is_named_before_anything_is_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "promtool"
    program.write_text(OLD, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    Path("slo-compiler.yaml").write_text('prometheus: {version: "3.5", histograms: custom-buckets}\n', encoding="utf-8")
    Path("chat.yaml").write_text(
        SPEC.replace("ENGINE", "").replace("POLICY", "ceil").replace("OBJECTIVE", TTFT), "utf-8"
    )
    assert CliRunner().invoke(cli, ["compile", "chat.yaml", "-o", "out", "-q"]).exit_code == 0
    result = CliRunner().invoke(cli, ["test", "out", "--promtool", str(program)])
    assert result.exit_code == 3
    assert "tests/demo/chat.fast.test.yaml holds native histograms, which promtool 3 reads" in result.output
    assert "promtool is 2.53" in result.output
    assert len(result.output.splitlines()) == 1


def test_what_the_engine_shows_says_that_its_histograms_are_native(tmp_path: Path) -> None:
    for prometheus, native in ((CUSTOM, True), ({}, False)):
        found = spec(tmp_path, **prometheus).spec
        assert found is not None and found.engine is not None
        shown = {signal.role: signal.native for signal in found.engine.signals}
        assert (shown["ttft"], shown["queue_depth"]) == (native, False)


FIRST = "vllm:time_to_first_token_seconds"


def server(native: dict[str, list[list[Any]]], classic: tuple[str, ...] = (), name: str = FIRST) -> Live:
    """A server that has these replicas: native ones with their buckets, and classic ones."""
    samples: list[dict[str, Any]] = []
    for replica, buckets in native.items():
        labels = {"__name__": name, "job": "vllm", "instance": replica, "model_name": "acme/m"}
        count = sum(int(bucket[3]) for bucket in buckets)
        samples.append({"metric": labels, "histogram": [1, {"count": str(count), "sum": "1", "buckets": buckets}]})
    for replica in classic:
        labels = {"__name__": f"{name}_count", "job": "vllm", "instance": replica, "model_name": "acme/m"}
        samples.append({"metric": labels, "value": [1, "9"]})
    answers = {"query": {"result": samples}, "metadata": {name: [{"type": "histogram"}]}}

    def get(address: str, _: object) -> str:
        return json.dumps({"status": "success", "data": answers[address.rpartition("/")[2]]})

    page = page_of(get, "http://prometheus", [name])
    return Live(page, None, {}, load_slis(), frozenset({"job", "instance"}))


FINE = [[0, "0.1", "0.25", "7"], [0, "0.25", "0.5", "2"]]
# What the server has, and what is told of the type and of the bucket; None where nothing is wrong.
SERVERS: dict[str, tuple[Live, str, str | None]] = {
    "native ones with the edge": (server({"a": FINE, "b": FINE}), "custom-buckets", None),
    "an edge around which nothing lies": (server({"a": [[0, "0.001", "0.005", "3"]]}), "custom-buckets", None),
    "classic ones alone": (
        server({}, ("a", "b")),
        "custom-buckets",
        "is a classic histogram alone; the rules read native ones: convert_classic_histograms_to_nhcb: true",
    ),
    "a replica of either": (
        server({"a": FINE}, ("b",)),
        "exponential",
        "is a classic histogram alone in 1 of 2 series; the rules read native ones: scrape_native_histograms: true",
    ),
    "both of every replica": (server({"a": FINE, "b": FINE}, ("a", "b")), "custom-buckets", None),
    "a replica with other edges": (
        server({"a": FINE, "b": [[0, "0.2", "0.4", "3"]]}),
        "custom-buckets",
        "0.25 is read and is no edge in 1 of 2 series: a bucket reaches from 0.2 to 0.4",
    ),
    "a coarser schema": (
        server({"a": [[0, "0.176776695296637", "0.353553390593274", "3"]]}),
        "exponential",
        "a bucket reaches from 0.176777 to 0.353553; the buckets are coarser than those of schema 3: lower coarsestSchema",
    ),
    "a finer schema": (
        server({"a": [[0, "0.24", "0.25000000000000006", "3"], [0, "0.25", "0.26", "1"]]}),
        "exponential",
        None,
    ),
    "nothing at all": (server({}), "custom-buckets", "is not there"),
}


@pytest.mark.parametrize("case", SERVERS, ids=str)
def test_what_a_server_has_is_compared_with_what_is_read(case: str, tmp_path: Path) -> None:
    live, form, words = SERVERS[case]
    found = spec(tmp_path, "{sli: ttft, threshold: 250ms, target: 95%}", version="3.5", histograms=form).spec
    assert found is not None
    told = [result for result in compare(found, live) if result.slo == "chat-ttft"]
    broken = [result.message for result in told if result.ok is False]
    if words is None:
        assert broken == []
        assert {result.check: result.metric for result in told if result.ok} == {
            Check.METRIC: FIRST,
            Check.TYPE: FIRST,
            Check.LABELS: FIRST,
            Check.BUCKET: FIRST,
            Check.SAMPLES: FIRST,
        }
    else:
        assert len(broken) == 1
        assert words in broken[0]


def test_a_matcher_that_no_native_histogram_passes_is_named(tmp_path: Path) -> None:
    found = spec(tmp_path, "{sli: ttft, threshold: 250ms, target: 95%}", **CUSTOM).spec
    assert found is not None
    live = server({"a": FINE})
    live.page.native[FIRST] = [one._replace(labels={**one.labels, "job": "other"}) for one in live.page.native[FIRST]]
    broken = [result.message for result in compare(found, live) if result.ok is False and result.slo == "chat-ttft"]
    assert broken == ["""no series matches {job="vllm"}; job is 'other'"""]


@pytest.mark.parametrize(("form", "bucket"), [("custom-buckets", True), ("exponential", None)])
def test_the_page_of_a_program_is_compared_as_it_writes_it(form: str, bucket: bool | None, tmp_path: Path) -> None:
    found = spec(tmp_path, "{sli: ttft, threshold: 250ms, target: 95%}", version="3.5", histograms=form).spec
    assert found is not None
    program = Server(model="acme/m")
    program.serve(7)
    live = Live(read_page(program.page()), None, {}, load_slis(), frozenset({"job"}))
    told = {result.check: result.ok for result in compare(found, live) if result.slo == "chat-ttft"}
    assert told == {Check.METRIC: True, Check.TYPE: True, Check.LABELS: None, Check.BUCKET: bucket, Check.SAMPLES: True}
