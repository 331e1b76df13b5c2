"""The engine documents that ship beside vLLM's: what each gives an SLI at a version, and what it refuses."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.engine_versions import UnknownVersion, known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine, load_builtin_engines
from slo_compiler.ir import Counters, Histogram, Selector, Slices, Slo, Throughput
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.promql.build import selector
from slo_compiler.resolve.environment import Environment
from slo_compiler.slis import load_slis
from slo_compiler.units import Duration

ENGINES = load_builtin_engines()
SLIS = load_slis()


def engine(name: str) -> ResolvedEngine:
    name, _, version = name.partition("@")
    return resolve_engine(ENGINES[name], version or None)


def row(sentence: str, *values: object) -> ParameterSet:
    return pytest.param(*values, id=sentence)


def milliseconds(edges: tuple[Decimal, ...]) -> list[Decimal]:
    return [edge * 1000 for edge in edges]


def compiled(
    engine: dict[str, str], *objectives: dict[str, Any], documents: str = "", **spec: Any
) -> tuple[list[Slo], list[Diagnostic]]:
    body = {
        "apiVersion": "slo-compiler/v1",
        "kind": "InferenceSLO",
        "metadata": {"name": "probe"},
        "spec": {
            "service": "lab",
            "model": "acme/odd-7b",
            "engine": engine,
            "selector": {"job": "odd"},
            "objectives": list(objectives),
            **spec,
        },
    }
    loaded = [load_bytes(to_yaml(body).encode(), "probe.yaml")]
    if documents:
        loaded.append(load_bytes(documents.encode(), "own.yaml"))
    checked = check_loaded(iter(loaded), Environment())
    return [slo for one in checked.specs for slo in one.slos], checked.diagnostics


def histogram_of(slos: list[Slo]) -> Histogram:
    (slo,) = slos
    assert isinstance(slo.measurement, Histogram)
    return slo.measurement


def only_error(found: list[Diagnostic]) -> Diagnostic:
    (error,) = [item for item in found if item.severity is Severity.ERROR]
    return error


# ---- names and buckets, by hand ----

NAMES = [
    row("sglang reads ttft", "sglang@0.5", "ttft", "sglang:time_to_first_token_seconds"),
    row("sglang reads itl", "sglang@0.4", "itl", "sglang:inter_token_latency_seconds"),
    row("sglang 0.5.2 calls the queue otherwise", "sglang@0.5.2", "queue_time", "sglang:queue_time_s"),
    row("sglang 0.5.3 calls it as now", "sglang@0.5.3", "queue_time", "sglang:queue_time_seconds"),
    row("tgi has a mean per token", "tgi@3.3", "tpot_request_mean", "tgi_request_mean_time_per_token_duration"),
    row("tgi reads e2e without a unit in the name", "tgi@1.4.5", "e2e", "tgi_request_duration"),
    row("litellm reads ttft", "litellm@1.65", "ttft", "litellm_llm_api_time_to_first_token_metric"),
    row("litellm reads e2e", "litellm@1.109", "e2e", "litellm_request_total_latency_metric"),
    row("envoy reads e2e where clients come in", "envoy", "e2e", "envoy_http_downstream_rq_time"),
    row("istio reads e2e", "istio", "e2e", "istio_request_duration_milliseconds"),
    row("ingress-nginx reads e2e", "ingress-nginx@1.15", "e2e", "nginx_ingress_controller_request_duration_seconds"),
    row("triton reads the first response", "triton", "ttft", "nv_inference_first_response_histogram_ms"),
    row(
        "trtllm-serve has a mean, not gaps", "trtllm-serve", "tpot_request_mean", "trtllm_time_per_output_token_seconds"
    ),
    row("dynamo reads itl", "dynamo", "itl", "dynamo_frontend_inter_token_latency_seconds"),
    row("gaie 1.0 has the old name", "gaie-epp@1.0", "e2e", "inference_model_request_duration_seconds"),
    row("gaie 1.1 has the new one", "gaie-epp@1.1", "e2e", "inference_objective_request_duration_seconds"),
    row(
        "gaie reads the mean without the first token",
        "gaie-epp@1.5",
        "tpot_request_mean",
        "inference_objective_request_tpot_seconds",
    ),
    row("llm-d 0.8 has the old name", "llm-d-router@0.8", "ttft", "inference_objective_request_ttft_seconds"),
    row("llm-d 0.9 has the new one", "llm-d-router@0.9", "ttft", "llm_d_epp_request_ttft_seconds"),
    row("the simulator has vLLM's name", "llm-d-inference-sim@0.7", "itl", "vllm:inter_token_latency_seconds"),
    row("envoy-ai-gateway reads ttft", "envoy-ai-gateway@0.2", "ttft", "gen_ai_server_time_to_first_token_seconds"),
    row("otel-genai has a mean", "otel-genai@1.37", "tpot_request_mean", "gen_ai_server_time_per_output_token_seconds"),
    row("lmdeploy reads itl", "lmdeploy@0.18", "itl", "lmdeploy:iter_token_latency"),
    row("llama.cpp counts tokens", "llamacpp@b10434", "generation_tokens", "llamacpp:tokens_predicted_total"),
    row("ray-serve reads e2e", "ray-serve@2.55", "e2e", "ray_serve_http_request_latency_ms"),
    row("kserve reads predictions", "kserve@0.21", "e2e", "request_predict_seconds"),
    row("mlserver reads answers", "mlserver@1.7", "e2e", "rest_server_request_duration_seconds"),
    row("sglang-router reads what has a model", "sglang-router@0.3", "e2e", "smg_router_request_duration_seconds"),
    row("vllm-router reads e2e", "vllm-router@0.1", "e2e", "vllm_router_generate_duration_seconds"),
]


@pytest.mark.parametrize(("name", "role", "metric"), NAMES)
def test_the_metric_of_a_role(name: str, role: str, metric: str) -> None:
    found = engine(name).metric(role)
    assert found is not None
    assert found.name == metric


EDGES = [
    row("sglang ttft", "sglang@0.5", "ttft", [100, 200, 400, 600, 1000, 2000], [150, 300, 500]),
    row("sglang itl", "sglang@0.4.10", "itl", [20, 25, 30, 35, 40, 80, 200], [45, 50]),
    row("sglang e2e before 0.5.2", "sglang@0.4", "e2e", [400000, 800000], [600000, 1200000]),
    row("sglang e2e from 0.5.2", "sglang@0.5.4", "e2e", [600000, 2400000], [800000]),
    row("sglang e2e of any 0.5 has what all have", "sglang@0.5", "e2e", [400000], [600000, 800000]),
    row("sglang queue of 0.5.4", "sglang@0.5.4", "queue_time", [100, 200, 500], [10, 50]),
    row("sglang queue of 0.5.11", "sglang@0.5.11", "queue_time", [100, 200, 500], [10, 50]),
    row("sglang queue of 0.5.12", "sglang@0.5.12", "queue_time", [10, 50, 100], [20]),
    row("tgi has no round edge", "tgi@3.3", "e2e", [], [100, 150, 250, 500, 1000, 5000, 10000]),
    row("litellm 1.80", "litellm@1.80", "ttft", [100, 500, 1000, 1500, 2000, 2500], [150, 200, 250, 300, 400, 600]),
    row("litellm 1.106", "litellm@1.106", "ttft", [100, 250, 500, 1000, 2000], [150, 200, 300, 400, 1500]),
    row("litellm 1.83 is the last with the old ones", "litellm@1.83", "ttft", [100, 1500], [250]),
    row("litellm 1.84 has the new ones", "litellm@1.84", "ttft", [100, 250], [1500]),
    row("otel-genai by piece of an answer", "otel-genai@1.41", "itl", [20, 40, 80], [25, 50]),
    row("litellm by token", "litellm@1.106", "tpot_request_mean", [25, 50, 75, 100], [20, 30, 35, 40, 45, 80, 200]),
    row("envoy in milliseconds", "envoy", "e2e", [Decimal("0.5"), 1, 250, 1000, 3600000], [20, 2000]),
    row("istio in milliseconds", "istio", "e2e", [250, 2500, 30000], [2000]),
    row("triton in milliseconds", "triton", "ttft", [100, 500, 2000, 5000], [150, 200, 300, 400, 600, 1000]),
    row("trtllm-serve ttft", "trtllm-serve", "ttft", [100, 250, 500, 1000], [150, 200, 300, 400, 600, 2000]),
    row("trtllm-serve by token", "trtllm-serve", "tpot_request_mean", [25, 50, 200], [20, 30, 35, 40, 45, 80]),
    row("dynamo ttft", "dynamo", "ttft", [100, 220, 470, 1000], [150, 200, 300, 400, 500, 600, 2000]),
    row("dynamo itl", "dynamo", "itl", [24, 45, 84], [20, 25, 30, 35, 40, 50, 80, 200]),
    row("dynamo e2e", "dynamo", "e2e", [2000, 130000, 510000], [1000, 512000]),
    row("gaie ttft", "gaie-epp@1.3", "ttft", [100, 200, 400, 600, 1000, 2000], [150, 300, 500]),
    row("gaie by token", "gaie-epp@1.5", "tpot_request_mean", [20, 40, 80, 200], [25, 30, 35, 45, 50]),
    row("llm-d 0.8 goes to an hour", "llm-d-router@0.8", "ttft", [400, 120000, 3600000], [150, 300, 500]),
    row("llm-d 0.9 goes to two minutes", "llm-d-router@0.9", "ttft", [400, 120000], [150, 300, 500, 180000]),
    row("llm-d itl", "llm-d-router@0.10", "itl", [20, 40, 80, 200], [25, 30, 35, 45, 50]),
    row("the simulator's ttft", "llm-d-inference-sim@0.9", "ttft", [100, 250, 500, 2560000], [150, 300]),
    row("envoy-ai-gateway 0.4 ends at 10 s", "envoy-ai-gateway@0.4", "ttft", [100, 500, 10000], [150, 15000, 60000]),
    row("envoy-ai-gateway 0.5 at a minute", "envoy-ai-gateway@0.5", "ttft", [100, 500, 15000, 60000], [150, 2000]),
    row("envoy-ai-gateway e2e doubles", "envoy-ai-gateway@1.1", "e2e", [640, 1280, 10240, 81920], [1000, 10000]),
    row("otel-genai by token", "otel-genai@1.41", "tpot_request_mean", [25, 50, 200], [20, 30, 35, 40, 45, 80]),
    row("lmdeploy itl begins at 5 ms", "lmdeploy@0.10", "itl", [5, 10, 25, 50, 200], [20, 30, 35, 40, 45, 80]),
    row("ray-serve in milliseconds", "ray-serve@2.60", "e2e", [1, 200, 300, 400, 600000], [150, 250, 600]),
    row("kserve has the client's own", "kserve@0.21", "e2e", [75, 750, 7500, 10000], [150, 2000]),
    row("mlserver has them, too", "mlserver@1.7", "e2e", [75, 750, 7500, 10000], [150, 2000]),
    row("sglang-router ends at 4 minutes", "sglang-router@0.3", "e2e", [250, 45000, 240000], [150, 20000]),
    row("vllm-router has the same", "vllm-router@0.1", "e2e", [250, 45000, 240000], [150, 20000]),
    row("ingress-nginx ends at 10 s", "ingress-nginx", "e2e", [5, 250, 10000], [30000, 60000]),
]


@pytest.mark.parametrize(("name", "role", "there", "missing"), EDGES)
def test_edges_in_milliseconds(name: str, role: str, there: list[int], missing: list[int]) -> None:
    edges = milliseconds(engine(name).edges(role))
    assert edges
    assert [edge for edge in there if edge not in edges] == []
    assert [edge for edge in missing if edge in edges] == []


# ---- pages: excerpts of what real processes showed, without their values ----

# Series of a metric -> labels and, of a histogram, the text of le.
PAGES: dict[str, list[str]] = {
    "litellm@1.106": [
        'litellm_llm_api_time_to_first_token_metric_bucket{model_group="tiny",requested_model="tiny",le="0.25"}',
        'litellm_request_total_latency_metric_bucket{model="openai/tiny",requested_model="tiny",le="420.0"}',
        'litellm_proxy_total_requests_metric_total{requested_model="tiny",route="/chat/completions",status_code="408"}',
    ],
    "envoy": [
        'envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="llm",le="0.5"}',
        'envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="llm",le="2500"}',
        'envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="llm",le="3600000"}',
        'envoy_http_downstream_rq_xx{envoy_response_code_class="5",envoy_http_conn_manager_prefix="llm"}',
        'envoy_http_downstream_rq_rx_reset{envoy_http_conn_manager_prefix="llm"}',
        'envoy_cluster_upstream_rq_xx{envoy_response_code_class="4",envoy_cluster_name="engine"}',
        'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="engine",le="1800000"}',
    ],
    "llamacpp@b10434": [
        "llamacpp:requests_processing",
        "llamacpp:requests_deferred",
        "llamacpp:prompt_tokens_total",
        "llamacpp:tokens_predicted_total",
        "llamacpp:prompt_seconds_total",
        "llamacpp:tokens_predicted_seconds_total",
    ],
    "kserve": [
        'request_predict_seconds_bucket{le="0.075",model_name="toy"}',
        'request_predict_seconds_bucket{le="1.0",model_name="toy"}',
        'request_predict_seconds_bucket{le="10.0",model_name="toy"}',
    ],
    "ray-serve@2.60": [
        'ray_serve_http_request_latency_ms_bucket{application="a",method="POST",route="/",status_code="200",le="300.0"}',
        'ray_serve_num_http_requests_total{application="a",method="POST",route="/",status_code="499"}',
    ],
    "sglang-router": [
        'smg_http_responses_total{status_code="503",error_code="no_available_workers"}',
        'smg_router_request_duration_seconds_bucket{router_type="http",model="tiny",endpoint="chat",le="2.5"}',
    ],
    "vllm-router": [
        'vllm_router_generate_duration_seconds_bucket{le="0.001"}',
        'vllm_router_generate_duration_seconds_bucket{le="240"}',
        'vllm_router_requests_total{route="/v1/chat/completions"}',
        'vllm_router_retries_exhausted_total{route="/v1/chat/completions"}',
        'vllm_router_request_errors_total{route="/v1/chat/completions",error_type="no_available_workers"}',
    ],
    "haproxy": [
        'haproxy_frontend_http_responses_total{proxy="llm",code="5xx"}',
        'haproxy_backend_client_aborts_total{proxy="engine"}',
    ],
}
_SERIES = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"]*)"')


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in PAGES.items() for line in lines])
def test_a_line_of_a_real_page_is_what_the_document_says(name: str, line: str) -> None:
    match = _SERIES.fullmatch(line)
    assert match is not None
    resolved, labels = engine(name), dict(_LABEL.findall(match[2] or ""))
    le = labels.pop("le", None)
    base = match[1].removesuffix("_bucket") if le is not None else match[1]
    assert labels.keys() <= resolved.labels_named(base)
    if le is None:
        return
    (metric,) = [item for item in ENGINES[resolved.name].spec.metrics if item.name == base]
    unit = metric.unit
    patterns = [resolved.le_pattern(edge, unit) for edge in resolved.edges(metric.role)]
    assert sum(re.fullmatch(pattern, le) is not None for pattern in patterns) == 1


# ---- availability: 5xx is bad, 429 and 499 never ----

AVAILABILITY = [
    row("litellm", "litellm@1.80", "status_code", ["500", "503", "408"], ["200", "400", "404", "429", "499"]),
    row("istio", "istio", "response_code", ["500", "503", "504"], ["0", "200", "408", "429", "499"]),
    row("ingress-nginx", "ingress-nginx", "status", ["500", "502", "504"], ["200", "408", "429", "499"]),
    row("haproxy", "haproxy", "code", ["5xx"], ["2xx", "4xx", "other"]),
    row("envoy", "envoy", "envoy_response_code_class", ["5"], ["1", "2", "3", "4"]),
    row("sglang", "sglang@0.5.9", "status_code", ["500", "503"], ["200", "400", "408", "429", "499"]),
    row("mlserver", "mlserver", "status_code", ["500", "503"], ["200", "404", "408", "422", "429", "499"]),
    row("ray-serve", "ray-serve@2.60", "status_code", ["500", "503", "408"], ["200", "404", "429", "499"]),
    row("sglang-router", "sglang-router", "status_code", ["500", "503"], ["200", "400", "408", "429", "499"]),
    row(
        "dynamo",
        "dynamo",
        "error_type",
        ["internal", "overload", "not_implemented", "response_timeout", "unavailable"],
        ["", "validation", "not_found", "cancelled"],
    ),
]


@pytest.mark.parametrize(("name", "label", "bad", "good"), AVAILABILITY)
def test_which_answers_are_bad(name: str, label: str, bad: list[str], good: list[str]) -> None:
    view = engine(name).availability
    assert view is not None
    assert list(view.bad) == [label]
    assert all(re.fullmatch(view.bad[label], value) for value in bad)
    assert not any(re.fullmatch(view.bad[label], value) for value in good)
    assert label in engine(name).labels_named(view.part or view.total)


READ = [
    row(
        "istio counts one reporter, and no client that left",
        "istio",
        {"destination_service_name": "odd"},
        'istio_requests_total{destination_service_name="odd",reporter="source",response_code!="0"}',
        'istio_requests_total{destination_service_name="odd",reporter="source",response_code!="0",response_code=~"5.."}',
    ),
    row(
        "litellm knows the model",
        "litellm@1.106",
        {"job": "gw"},
        'litellm_proxy_total_requests_metric_total{job="gw",requested_model="acme/odd-7b"}',
        'litellm_proxy_total_requests_metric_total{job="gw",requested_model="acme/odd-7b",status_code=~"5..|408"}',
    ),
    row(
        "litellm takes the model that the selector names",
        "litellm@1.106",
        {"requested_model": "odd"},
        'litellm_proxy_total_requests_metric_total{requested_model="odd"}',
        'litellm_proxy_total_requests_metric_total{requested_model="odd",status_code=~"5..|408"}',
    ),
    row(
        "envoy leaves out its admin listener",
        "envoy",
        {"job": "edge"},
        'envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix!="admin",job="edge"}',
        'envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix!="admin",job="edge",envoy_response_code_class="5"}',
    ),
    row(
        "envoy reads the listener that the selector names",
        "envoy",
        {"envoy_http_conn_manager_prefix": "llm"},
        'envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix="llm"}',
        'envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix="llm",envoy_response_code_class="5"}',
    ),
]


@pytest.mark.parametrize(("source", "chosen", "total", "bad"), READ)
def test_what_a_boundary_availability_reads(source: str, chosen: dict[str, str], total: str, bad: str) -> None:
    objective = {"sli": "availability", "target": "99.7%", "source": {"engine": source, "selector": chosen}}
    slos, found = compiled({"name": "vllm", "version": "0.11"}, objective)
    (slo,) = slos
    assert [item for item in found if item.severity is Severity.ERROR] == []
    assert isinstance(slo.measurement, Counters)
    assert selector(slo.measurement.total) == total
    assert selector(slo.measurement.part) == bad
    assert slo.at_boundary


# ---- latencies ----


def test_milliseconds_are_read_in_the_histograms_own_unit() -> None:
    slos, found = compiled({"name": "envoy"}, {"sli": "e2e", "threshold": "700ms", "target": "97%"})
    measured = histogram_of(slos)
    assert (measured.measured.edge, measured.measured.le_pattern) == (Decimal(1000), r"1000(\.0)?")
    assert measured.other is not None
    assert (measured.other.edge, measured.other.le_pattern) == (Decimal(500), r"500(\.0)?")
    assert str(slos[0].measured) == "1s"
    (warning,) = [item for item in found if item.code is Code.SLO403]
    assert "the rules read 1s (buckets around it: 500ms, 1s)" in warning.message


def test_a_long_edge_in_milliseconds_is_found_in_every_spelling() -> None:
    slos, _ = compiled({"name": "envoy"}, {"sli": "e2e", "threshold": "1h", "target": "97%"})
    pattern = histogram_of(slos).measured.le_pattern
    assert all(re.fullmatch(pattern, text) for text in ("3600000", "3600000.0", "3.6e+06"))
    assert not any(re.fullmatch(pattern, text) for text in ("360000", "36000000", "3.6e+07"))


def test_answers_with_an_error_are_no_fast_answers() -> None:
    slos, _ = compiled({"name": "istio"}, {"sli": "e2e", "threshold": "2.5s", "target": "97%"})
    labels = {item.label: (item.op, item.value) for item in histogram_of(slos).matchers}
    assert labels == {"job": ("=", "odd"), "reporter": ("=", "source"), "response_code": ("!~", "0|[45]..")}


MATCHERS = [
    row(
        "ray-serve leaves out errors",
        {"name": "ray-serve", "version": "2.60"},
        {"sli": "e2e", "threshold": "300ms", "target": "97%"},
        'ray_serve_http_request_latency_ms{job="odd",status_code!~"[45].."}',
    ),
    row(
        "mlserver leaves out probes, too",
        {"name": "mlserver", "version": "1.7"},
        {"sli": "e2e", "threshold": "750ms", "target": "97%"},
        'rest_server_request_duration_seconds{job="odd",method="POST",status_code!~"[45].."}',
    ),
    row(
        "envoy-ai-gateway leaves out what has an error type",
        {"name": "envoy-ai-gateway", "version": "0.5"},
        {"sli": "e2e", "threshold": "5.12s", "target": "97%"},
        'gen_ai_server_request_duration_seconds{error_type!~".+",gen_ai_request_model="acme/odd-7b",job="odd"}',
    ),
    row(
        "llm-d reads one name where two would count twice",
        {"name": "llm-d-router", "version": "0.10"},
        {"sli": "ttft", "threshold": "400ms", "target": "97%"},
        'llm_d_epp_request_ttft_seconds{job="odd",model_name="acme/odd-7b"}',
    ),
    row(
        "vllm-router has no label",
        {"name": "vllm-router", "version": "0.1"},
        {"sli": "e2e", "threshold": "30s", "target": "97%"},
        'vllm_router_generate_duration_seconds{job="odd"}',
    ),
]


@pytest.mark.parametrize(("reference", "objective", "series"), MATCHERS)
def test_which_series_of_a_latency_are_read(reference: dict[str, str], objective: dict[str, Any], series: str) -> None:
    slos, _ = compiled(reference, objective)
    measured = histogram_of(slos)
    assert [selector(Selector(name, measured.matchers)) for name in measured.names] == [series]


def test_a_renamed_metric_joins_its_older_name() -> None:
    objective = {"sli": "e2e", "threshold": "3s", "target": "97%"}
    slos, _ = compiled({"name": "gaie-epp", "version": "1.0"}, objective)
    assert histogram_of(slos).names == (
        "inference_objective_request_duration_seconds",
        "inference_model_request_duration_seconds",
    )


def test_throughput_is_read_where_there_is_no_histogram() -> None:
    objective = {"sli": "throughput", "rate": 40, "target": "97%"}
    slos, found = compiled({"name": "llamacpp", "version": "b10434"}, objective)
    (slo,) = slos
    assert isinstance(slo.measurement, Slices)
    assert isinstance(slo.measurement.inner, Throughput)
    assert [selector(item) for item in slo.measurement.inner.tokens] == ['llamacpp:tokens_predicted_total{job="odd"}']
    assert [item for item in found if item.severity is Severity.ERROR] == []


def test_an_edge_that_no_round_number_is_keeps_every_digit() -> None:
    slos, _ = compiled({"name": "tgi", "version": "3.3"}, {"sli": "e2e", "threshold": "5s", "target": "97%"})
    assert histogram_of(slos).measured.le_pattern == r"5\.681512866159528"


@pytest.mark.parametrize(
    ("version", "severity"),
    [row("1.106 has the label", "1.106", None), row("1.80 has another one", "1.80", Severity.WARNING)],
)
def test_a_metric_without_the_model_is_said_to_be_read_whole(version: str, severity: Severity | None) -> None:
    objective = {"sli": "ttft", "threshold": "500ms", "target": "97%"}
    slos, found = compiled({"name": "litellm", "version": version}, objective)
    labels = {item.label for item in histogram_of(slos).matchers}
    assert ("requested_model" in labels) == (severity is None)
    assert [item.severity for item in found if item.code is Code.SLO409] == ([severity] if severity else [])


def test_a_label_of_the_metrics_own_stands_in_for_the_models() -> None:
    objective = {"sli": "ttft", "threshold": "500ms", "target": "97%"}
    chosen = {"job": "odd", "model": "openai/odd"}
    _, found = compiled({"name": "litellm", "version": "1.80"}, objective, selector=chosen)
    assert [item.severity for item in found if item.code is Code.SLO409] == []


# ---- refusals ----

REFUSED = [
    row("tgi knows no first token", "tgi@3.3", "ttft", "no metric knows the first token"),
    row("tgi names a gateway instead", "tgi@3.3", "ttft", "litellm"),
    row("haproxy names its mean and says why", "haproxy@2.6", "e2e", "haproxy_backend_response_time_average_seconds"),
    row("istio knows no tokens", "istio", "itl", "a mesh knows whole answers"),
    row("sglang 0.4 names the later release", "sglang@0.4", "queue", "sglang:queue_time_seconds is in SGLang >=0.5.3"),
    row("triton names its summary", "triton", "e2e", "nv_inference_request_summary_us: a summary, whose quantiles"),
    row("triton names its sum", "triton", "queue", "nv_inference_queue_duration_us: a sum of durations"),
    row("mlserver has a summary", "mlserver@1.7", "tpot", "not tokens"),
    row("llama.cpp names a gateway", "llamacpp@b10434", "ttft", "litellm"),
    row("ray-serve says where vLLM's metrics are", "ray-serve@2.60", "ttft", "ray_vllm_"),
    row("kserve names the engine inside", "kserve@0.21", "itl", "engine vllm"),
    row("gaie 1.1 names the later release", "gaie-epp@1.1", "ttft", "is in Gateway API inference extension >=1.2.0"),
    row(
        "llm-d 0.8 knows no gaps",
        "llm-d-router@0.8",
        "itl",
        "llm_d_epp_request_streaming_itl_seconds is in llm-d router >=0.9",
    ),
    row("litellm 1.75 has no mean by token", "litellm@1.75", "tpot", "is in LiteLLM >=1.80.0"),
]


@pytest.mark.parametrize(("name", "sli", "words"), REFUSED)
def test_an_sli_that_an_engine_lacks_is_refused_with_what_there_is(name: str, sli: str, words: str) -> None:
    program, _, version = name.partition("@")
    reference = {"name": program, **({"version": version} if version else {})}
    slos, found = compiled(reference, {"sli": sli, "threshold": "400ms", "target": "97%"})
    error = only_error(found)
    assert slos == []
    assert error.code is Code.SLO402
    assert error.message.startswith(f"{engine(name).title} exposes no metric for {sli}")
    assert words in error.hint


def test_availability_that_a_version_does_not_count_is_refused_with_the_reason() -> None:
    objective = {"sli": "availability", "target": "99.7%", "source": {"engine": "sglang"}}
    _, found = compiled({"name": "sglang", "version": "0.5.8"}, objective)
    error = only_error(found)
    assert error.code is Code.SLO402
    assert "from release 0.5.9 on" in error.hint
    assert "source: {bad: ..., total: ...}" in error.hint


@pytest.mark.parametrize("name", ENGINES)
def test_what_the_newest_version_cannot_answer_has_a_reason(name: str) -> None:
    newest = resolve_engine(ENGINES[name], next(iter(known_versions(ENGINES[name])[::-1]), None))
    for sli in SLIS.values():
        enough = any if sli.kind == "histogram" else all
        if sli.roles and not enough(newest.has(role) for role in sli.roles):
            assert newest.lacks(sli.name) or newest.refused(sli.roles), f"{newest.title}: {sli.name}"
    assert newest.availability is not None or newest.lacks("availability")


@pytest.mark.parametrize("name", ENGINES)
def test_reasons_are_about_slis_that_there_are(name: str) -> None:
    assert set(ENGINES[name].spec.lacks) <= {*SLIS}


@pytest.mark.parametrize("name", ENGINES)
def test_every_latency_of_the_newest_version_compiles(name: str) -> None:
    version = next(iter(known_versions(ENGINES[name])[::-1]), None)
    newest = resolve_engine(ENGINES[name], version)
    for sli in (item for item in SLIS.values() if item.kind == "histogram"):
        if not any(newest.has(role) for role in sli.roles):
            continue
        edges = newest.edges_of(tuple(sli.roles))
        objective = {"sli": sli.name, "threshold": str(Duration(edges[len(edges) // 2])), "target": "97%"}
        slos, found = compiled({"name": name, **({"version": version} if version else {})}, objective)
        measured = histogram_of(slos)
        assert [item for item in found if item.severity is Severity.ERROR] == []
        assert not [item for item in found if item.code is Code.SLO403]
        carried = newest.labels_of(tuple(sli.roles))
        assert {item.label for item in measured.matchers} <= {"job", *carried}
        assert (newest.model_label in {item.label for item in measured.matchers}) == (newest.model_label in carried)


# ---- versions ----


@pytest.mark.parametrize(
    ("name", "message"),
    [
        row("a patch before the first that was looked up", "sglang@0.4.3", "SGLang 0.4.3 is older than 0.4.5, the"),
        row("a minor release before it", "sglang@0.3", "SGLang 0.3 is older than 0.4, the oldest"),
    ],
)
def test_versions_older_than_the_document_are_refused(name: str, message: str) -> None:
    with pytest.raises(UnknownVersion, match=re.escape(message)):
        engine(name)


def test_a_minor_release_is_read_from_the_first_patch_that_is_known() -> None:
    assert engine("sglang@0.4").has("ttft")
    assert engine("tgi@1.4").has("e2e")


def test_releases_that_are_not_told_apart_need_no_version() -> None:
    resolved = engine("istio")
    assert (resolved.title, resolved.notice) == ("Istio", None)
    asked = engine("istio@1.24")
    assert asked.notice == "Istio is the same in every version; 1.24 changes nothing"
    assert asked.has("e2e")


def test_a_version_of_an_engine_without_versions_is_warned_of() -> None:
    _, found = compiled({"name": "istio", "version": "1.24"}, {"sli": "e2e", "threshold": "1s", "target": "97%"})
    (warning,) = [item for item in found if item.code is Code.SLO401]
    assert (warning.severity, warning.hint) == (Severity.WARNING, "leave version out")


# ---- a document of one's own ----

OWN = """\
apiVersion: slo-compiler/v1
kind: Engine
metadata: {name: in-house, displayName: In-house server}
spec:
  versions: {oldest: b7, newest: b31, known: [b7, b31]}
  leFormat: plain
  lacks: {itl: it answers in one piece}
  source: our own program
  verifiedAt: [b31]
  labelSets: {all: [deployment]}
  bucketSets:
    wait:
      - {versions: "<b31", edges: [10, 170]}
      - {versions: ">=b31", edges: [10, 330]}
  metrics:
    - {role: ttft, name: inhouse_wait_ms, type: histogram, unit: milliseconds, counts: requests, labels: all, buckets: wait}
    - {role: e2e, name: inhouse_answer, type: summary, unit: seconds, labels: all, refused: quantiles cannot be added up}
"""


@pytest.mark.parametrize(
    ("version", "read", "edge"),
    [
        row("an old build", "b7", "b7", 170),
        row("one between, as the lower", "b12", "b7", 170),
        row("the newest", "b31", "b31", 330),
    ],
)
def test_one_yaml_file_adds_an_engine_with_builds_for_versions(version: str, read: str, edge: int) -> None:
    objective = {"sli": "ttft", "threshold": f"{edge}ms", "target": "97%"}
    slos, found = compiled({"name": "in-house", "version": version}, objective, documents=OWN)
    assert [item for item in found if item.severity is Severity.ERROR] == []
    assert histogram_of(slos).measured.edge == edge
    notices = [item.message for item in found if item.code is Code.SLO401]
    assert notices == (
        [] if version == read else ["In-house server b12 is not known; the nearest lower release b7 is read"]
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        row("an older build", "b3", "In-house server b3 is older than b7, the oldest release that is known"),
        row("a number with dots", "0.11", "'0.11' is no version of In-house server; write one such as b31"),
    ],
)
def test_builds_and_numbers_are_not_compared(version: str, message: str) -> None:
    objective = {"sli": "ttft", "threshold": "10ms", "target": "97%"}
    _, found = compiled({"name": "in-house", "version": version}, objective, documents=OWN)
    assert only_error(found).message == message


def test_a_summary_is_refused_by_name_and_reason() -> None:
    objective = {"sli": "e2e", "threshold": "3s", "target": "97%"}
    _, found = compiled({"name": "in-house", "version": "b31"}, objective, documents=OWN)
    assert "inhouse_answer: quantiles cannot be added up" in only_error(found).hint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        row(
            "a summary without a reason",
            ", refused: quantiles cannot be added up",
            "",
            "say why in refused",
        ),
        row("histograms without a format", "leFormat: plain", "generations: {}", "histograms need an leFormat"),
        row(
            "a gauge with matchers",
            "type: summary, unit",
            "type: gauge, matchers: {a: b}, unit",
            "only histograms have",
        ),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(old: str, new: str, message: str) -> None:
    assert old in OWN
    objective = {"sli": "ttft", "threshold": "10ms", "target": "97%"}
    _, found = compiled({"name": "in-house", "version": "b31"}, objective, documents=OWN.replace(old, new))
    assert any(message in item.message + item.hint for item in found), [item.message for item in found]


def test_names_of_a_role_in_two_units_are_refused() -> None:
    other = OWN + (
        "    - {role: ttft, name: inhouse_wait_seconds, type: histogram, unit: seconds, counts: requests, labels: all, "
        "buckets: wait}\n"
    )
    objective = {"sli": "ttft", "threshold": "10ms", "target": "97%"}
    _, found = compiled({"name": "in-house", "version": "b31"}, objective, documents=other)
    assert any("are read together, and differ in unit" in item.message for item in found)


def test_names_that_would_count_twice_are_not_joined() -> None:
    both = OWN.replace("labels: all, buckets: wait}", 'labels: all, buckets: wait, versions: "<b31", joined: false}')
    both += (
        "    - {role: ttft, name: inhouse_first_milliseconds, type: histogram, unit: milliseconds, counts: requests, "
        'labels: all, buckets: wait, versions: ">=b31", joined: false}\n'
    )
    objective = {"sli": "ttft", "threshold": "10ms", "target": "97%"}
    for version, name in (("b7", "inhouse_wait_ms"), ("b31", "inhouse_first_milliseconds")):
        slos, _ = compiled({"name": "in-house", "version": version}, objective, documents=both)
        assert histogram_of(slos).names == (name,)


def test_the_hint_of_an_odd_edge_can_be_pasted() -> None:
    _, found = compiled({"name": "tgi", "version": "3.3"}, {"sli": "e2e", "threshold": "10s", "target": "97%"})
    (warning,) = [item for item in found if item.code is Code.SLO403]
    (promise,) = re.findall(r"promise (\S+),", warning.hint)
    slos, again = compiled({"name": "tgi", "version": "3.3"}, {"sli": "e2e", "threshold": promise, "target": "97%"})
    assert histogram_of(slos).measured.le_pattern == r"12\.783403948858936"
    assert not [item for item in again if item.code is Code.SLO403]
