"""`engines import`: a page of an unknown program becomes an Engine document that loads, and says what it guessed."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from slo_compiler.cli import cli
from slo_compiler.documents.engine import Engine, LeFormat
from slo_compiler.documents.read import read_document
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.engine_versions import resolve_engine
from slo_compiler.engines import load_builtin_engines
from slo_compiler.live.engine_draft import draft_engine, le_format_of
from slo_compiler.live.engine_draft_text import draft_text
from slo_compiler.live.metric_words import is_ignored, load_metric_words, role_hint, unit_hint
from slo_compiler.live.pages import read_page
from slo_compiler.load.yaml import load_bytes
from tests.metrics_pages import Server, served

PAGES = Path(__file__).parent / "pages"
CAPTURES: dict[str, Any] = yaml.safe_load((PAGES / "expected.yaml").read_text("utf-8"))
SHIPPED = load_builtin_engines()
each_page = pytest.mark.parametrize("page", CAPTURES)


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["engines", "import", *arguments], input=io.BytesIO(stdin) if stdin else None)


def document_of(text: str) -> Engine:
    """The document that the text holds; every complaint fails the test."""
    loaded = load_bytes(text.encode(), "draft.yaml")
    assert loaded.diagnostics == []
    (source,) = loaded.documents
    document, found = read_document(source)
    assert found == []
    assert isinstance(document, Engine)
    return document


def imported(page: str, *arguments: str) -> tuple[Engine, str]:
    done = run(str(PAGES / f"{page}.prom"), *arguments)
    assert done.exit_code == 0, done.output
    return document_of(done.stdout), done.stdout


def shipped_version(page: str) -> list[str]:
    version = CAPTURES[page]["engine"].get("version")
    return ["--version", version] if version else []


# ---- against pages of real processes, and the documents that people wrote for them ----

# What a name says and the program does not do.
MISLEADING = {
    "vllm_router_requests_total": "counts good answers only",
    "vllm_router_request_errors_total": "counts attempts",
}
# The name does not tell whether an observation is a token or a request, and no request was served that would.
UNTOLD = {("vllm-0.10.2", "vllm:time_per_output_token_seconds")}


@each_page
def test_a_draft_agrees_with_the_document_that_ships(page: str) -> None:
    draft, _ = imported(page, *shipped_version(page))
    known = SHIPPED[CAPTURES[page]["engine"]["name"]]
    resolved = resolve_engine(known, CAPTURES[page]["engine"].get("version"))
    own = {metric.name: metric for metric in known.spec.metrics if metric.versions.overlaps(resolved.releases)}
    drafted = {metric.name: metric for metric in draft.spec.metrics}
    assert drafted.keys() <= own.keys()
    for name, metric in drafted.items():
        assert metric.type is own[name].type
        labels = frozenset(label for label in draft.spec.label_sets[metric.labels] if isinstance(label, str))
        assert labels <= resolved.labels_named(name)
        if metric.buckets is not None and own[name].buckets is not None:
            edges = draft.spec.bucket_sets[metric.buckets][0].edges
            eras = known.spec.bucket_sets[own[name].buckets or ""]
            assert edges in [era.edges for era in eras if era.versions.overlaps(resolved.releases)]
            assert metric.unit is own[name].unit
        if name in MISLEADING or (page, name) in UNTOLD:
            assert metric.role is not own[name].role
        else:
            assert (metric.role, metric.counts) == (own[name].role, own[name].counts), name
    assert draft.spec.model_label == known.spec.model_label
    assert draft.spec.finish_label == known.spec.finish_label
    assert draft.spec.le_format in (known.spec.le_format, LeFormat.ANY)


def test_a_draft_keeps_the_text_of_edges_and_says_what_it_guessed() -> None:
    _, text = imported("vllm-0.11.0", "--name", "acme", "--version", "0.11.0")
    assert "  name: acme\n" in text
    assert "0.75, 1.0, 2.5, 5.0," in text
    assert "# Guessed: ttft by 'time_to_first_token' in its name; seconds: by 'seconds' in its name." in text
    assert "# Guessed by the label's name; its values are 'tiny'." in text
    flat = " ".join(text.replace("#", " ").split())
    assert (
        "tpot by 'time_per_output_token' in its name, and it has counted many times what the first tokens are" in flat
    )
    assert not re.search(r"TODO|FIXME|XXX", text)
    _, text = imported("envoy-1.40.0")
    flat = " ".join(text.replace("#", " ").split())
    assert "milliseconds: its name says nothing, and its edges go up to 3600000." in flat
    assert "envoy_cluster_upstream_rq_xx: a counter: its name hints at no role" in flat
    assert "no metric on its page looked like ttft" in flat


PROVED: dict[str, list[dict[str, Any]]] = {
    "kserve-0.21.0": [{"sli": "e2e", "threshold": "10ms"}],
    "envoy-1.40.0": [{"sli": "e2e", "threshold": "2.5s"}, {"sli": "availability", "source": {"engine": "acme"}}],
    "vllm-0.32.0": [{"sli": "ttft", "threshold": "250ms"}, {"sli": "queue", "threshold": "1s"}],
    "llamacpp-b10434": [{"sli": "throughput", "rate": 41}],
}


@pytest.mark.promtool
@pytest.mark.parametrize("page", PROVED)
def test_a_spec_on_a_draft_compiles_and_its_tests_pass(page: str, tmp_path: Path) -> None:
    _, text = imported(page, "--name", "acme", *shipped_version(page))
    specs, out = tmp_path / "specs", tmp_path / "out"
    specs.mkdir()
    (specs / "acme.yaml").write_text(text, "utf-8")
    (specs / "odd.yaml").write_text(
        to_yaml(
            {
                "apiVersion": "slo-compiler/v1",
                "kind": "InferenceSLO",
                "metadata": {"name": "odd"},
                "spec": {
                    "service": "lab",
                    "model": "odd-7b",
                    "engine": {"name": "acme"},
                    "selector": {"job": "odd"},
                    "stage": "dev",
                    "objectives": [{**objective, "target": "97%"} for objective in PROVED[page]],
                },
            }
        ),
        "utf-8",
    )
    done = CliRunner().invoke(cli, ["compile", str(specs), "-o", str(out)])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(cli, ["test", str(out)])
    assert done.exit_code == 0, done.output


def test_a_spec_that_asks_a_draft_for_what_its_page_lacks_is_told_so(tmp_path: Path) -> None:
    _, text = imported("kserve-0.21.0", "--name", "acme")
    path = tmp_path / "all.yaml"
    spec = "{service: lab, model: m, engine: {name: acme}, objectives: [{sli: itl, threshold: 25ms, target: 95%}]}"
    path.write_text(
        f"{text}---\napiVersion: slo-compiler/v1\nkind: InferenceSLO\nmetadata: {{name: odd}}\nspec: {spec}\n", "utf-8"
    )
    done = CliRunner().invoke(cli, ["validate", str(path)])
    assert done.exit_code == 1
    assert "error[SLO402]" in done.output
    assert "no metric on its page looked like itl or tpot" in " ".join(done.output.split())


# ---- the words, against every document that ships ----

# Names that say something else than they count, and names that say nothing.
NOT_BY_NAME = {
    "llamacpp:tokens_predicted_seconds_total",
    "llamacpp:prompt_seconds_total",
    "nv_inference_request_duration_us",
    "nv_inference_queue_duration_us",
    "envoy_cluster_upstream_rq_xx",
    "haproxy_backend_http_responses_total",
    "haproxy_server_http_responses_total",
    "haproxy_backend_response_time_average_seconds",
    "smg_router_upstream_responses_total",
    "lmdeploy:num_requests_failed",
}
OTHERWISE = {
    "vllm_router_request_errors_total": "requests_error",
    "vllm_router_requests_total": "requests_total",
    "sglang:http_requests_total": "requests_total",
    "smg_router_requests_total": "requests_total",
    # By the name alone; what was counted tells.
    "lmdeploy:time_per_output_token_seconds": "tpot_request_mean",
    "vllm:time_per_output_token_seconds": "tpot_request_mean",
}


@pytest.mark.parametrize("engine", SHIPPED)
def test_words_give_every_metric_that_ships_its_role(engine: str) -> None:
    for metric in SHIPPED[engine].spec.metrics:
        hint = role_hint(metric.name, metric.type)
        role = hint.words.role if hint is not None else None
        assert role == (None if metric.name in NOT_BY_NAME else OTHERWISE.get(metric.name, metric.role)), metric.name
        assert not is_ignored(metric.name)
        if hint is not None and hint.words.unit is not None:
            assert hint.words.unit is metric.unit, metric.name
        elif hint is not None and metric.buckets is not None:
            edges = SHIPPED[engine].spec.bucket_sets[metric.buckets][-1].edges
            assert unit_hint(metric.name, edges[-1])[0] is metric.unit, metric.name


def test_no_hint_is_hidden_behind_another() -> None:
    """Each word finds its own entry in a name that holds nothing else, so that none is written in vain."""
    for entry in load_metric_words().roles:
        for word in entry.words:
            for kind in entry.kinds:
                hint = role_hint(f"acme_{word}_total", kind)
                assert hint is not None, word
                assert hint.words.role is entry.role, word


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("acme_prompt_tokens_cached_total", "counter"),
        ("acme_time_to_first_token_seconds", "gauge"),
        ("acme_headers_total", "counter"),
        ("acme_requests_totally_other", "gauge"),
        ("acme_battft_seconds", "histogram"),
    ],
)
def test_names_that_hint_at_nothing(name: str, kind: str) -> None:
    assert role_hint(name, kind) is None


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["0.5", "1.0", "1000000.0"], LeFormat.PYTHON_FLOAT),
        (["0.5", "1", "1e+06"], LeFormat.GO),
        (["0.5", "1", "3600000"], LeFormat.PLAIN),
        (["0.5", "1"], LeFormat.ANY),
        (["0.5", "2.5"], LeFormat.ANY),
        (["1", "2.0"], LeFormat.ANY),
    ],
    ids=["python", "go", "plain", "small whole edges", "no whole edge", "both"],
)
def test_how_edges_are_written(texts: list[str], said: LeFormat) -> None:
    assert le_format_of(texts) is said


# ---- pages of the test's own ----


def page_text(*metrics: str) -> str:
    registry = CollectorRegistry()
    made = {
        "histogram": Histogram("acme_ttft_seconds", "-", ["model"], buckets=(0.3, 1.7), registry=registry),
        "summary": Summary("acme_request_latency_seconds", "-", registry=registry),
        "gauge": Gauge("acme_requests_running", "-", registry=registry),
        "counter": Counter("acme_output_tokens_total", "-", registry=registry),
    }
    for name, metric in made.items():
        if metrics and name not in metrics:
            registry.unregister(metric)
    made["histogram"].labels("odd-7b").observe(0.4)  # type: ignore[attr-defined]
    return generate_latest(registry).decode()


def test_a_summary_is_in_the_draft_as_what_no_sli_can_read() -> None:
    done = run("-", stdin=page_text().encode())
    assert done.exit_code == 0, done.output
    document = document_of(done.stdout)
    (summary,) = [metric for metric in document.spec.metrics if metric.type == "summary"]
    assert summary.refused is not None
    assert "cannot be added up over replicas" in summary.refused
    assert document.spec.lacks["e2e"] == "no metric on its page looked like e2e"
    assert resolve_engine(document, None).refused(["e2e"]) == (f"{summary.name}: {summary.refused}",)


def test_a_histogram_is_preferred_to_a_summary_of_the_same_role() -> None:
    lines = ["# TYPE a_e2e_seconds summary", "a_e2e_seconds_count 3", "a_e2e_seconds_sum 4"]
    lines += ["# TYPE acme_request_duration_ms histogram", 'acme_request_duration_ms_bucket{le="70"} 3']
    lines += ['acme_request_duration_ms_bucket{le="+Inf"} 3', "acme_request_duration_ms_count 3"]
    done = run("-", stdin="\n".join([*lines, ""]).encode())
    (metric,) = document_of(done.stdout).spec.metrics
    assert (metric.name, metric.unit) == ("acme_request_duration_ms", "milliseconds")
    flat = " ".join(done.stdout.replace("#", " ").split())
    assert (
        "a_e2e_seconds: a summary that looks like e2e, too, which is acme_request_duration_ms here; a summary:" in flat
    )


def test_only_edges_that_all_series_have_are_edges() -> None:
    lines = ["# TYPE x_ttft_seconds histogram"]
    for model, edges in {"a": "0 0.3 1.7 +Inf", "b": "0.3 0.9 1.7 +Inf"}.items():
        lines += [f'x_ttft_seconds_bucket{{model="{model}",le="{edge}"}} 0' for edge in edges.split()]
    draft = draft_engine(read_page("\n".join([*lines, ""])))
    assert [metric.family.edges for metric in draft.metrics] == [("0.3", "1.7")]


@pytest.mark.loopback
def test_a_page_is_read_from_an_address_with_headers() -> None:
    with served(Server()) as (address, seen):
        done = run(address, "--header", "Authorization: Bearer s3cret", "--name", "acme")
    assert done.exit_code == 0, done.output
    assert [headers["Authorization"] for headers in seen] == ["Bearer s3cret"]
    assert document_of(done.stdout).metadata.name == "acme"
    assert "s3cret" not in done.output


def test_the_name_is_what_metrics_begin_with_and_none_that_ships(tmp_path: Path) -> None:
    path = tmp_path / "page.prom"
    path.write_text(page_text("histogram", "gauge"), "utf-8")
    done = run(str(path))
    assert document_of(done.stdout).metadata.name == "acme"
    assert "drafted engine acme: metrics with a role 2, to decide 0" in done.stderr
    assert run(str(path), "-q").stderr == ""
    assert imported("vllm-0.11.0")[0].metadata.name == "vllm-draft"


WRONG = {
    "no page": (["-"], b"<html>login</html>", 3, "no page of metrics"),
    "no file": (["no/such.prom"], None, 3, "no/such.prom: No such file"),
    "nothing that an SLI reads": (["-"], b"# TYPE a gauge\na 1\n", 1, "a: a gauge: its name hints at no role"),
    "a name that is none": (["-", "--name", "My Engine"], b"", 2, "use my-engine"),
    "half a release": (["-", "--version", "1.2"], b"", 2, "write it as 1.2.3"),
    "no release": (["-", "--version", "latest"], b"", 2, "is no release"),
    "a header without a name": (["-", "--header", "secret"], b"", 2, "--header: write it as"),
}


@pytest.mark.parametrize(("arguments", "stdin", "code", "said"), WRONG.values(), ids=WRONG)
def test_what_gives_no_draft(arguments: list[str], stdin: bytes | None, code: int, said: str) -> None:
    done = run(*arguments, stdin=stdin)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert done.stdout == ""


names = st.sampled_from([word for entry in load_metric_words().roles for word in entry.words]).flatmap(
    lambda word: st.sampled_from([f"x_{word}", f"x:{word}_seconds", f"{word}_total", f"{word}_on_off_ms"])
)
numbers = st.decimals("0.000001", "100000000", places=6).map(str)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@given(
    st.dictionaries(
        names, st.tuples(st.sampled_from(["histogram", "counter", "gauge", "summary"]), values, st.sets(numbers))
    )
)
def test_whatever_a_page_holds_the_draft_loads(families: dict[str, tuple[str, str, set[str]]]) -> None:
    lines = []
    for name, (kind, value, edges) in families.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f"# TYPE {name} {kind}")
        if kind == "histogram":
            lines += [f'{name}_bucket{{model="{escaped}",le="{edge}"}} 1' for edge in [*edges, "+Inf"]]
        lines.append(f'{name}{"_count" if kind in ("histogram", "summary") else ""}{{model="{escaped}"}} 1')
    if not lines:
        return
    draft = draft_engine(read_page("\n".join([*lines, ""])))
    if not draft.metrics:
        return
    document = document_of(draft_text(draft, "acme", None, "0" * 64))
    read = {metric.name: metric for metric in document.spec.metrics}
    assert read.keys() == {metric.family.name for metric in draft.metrics}
    for name, metric in read.items():
        if metric.buckets is not None:
            written = {Decimal(edge) for edge in families[name][2]}
            assert set(document.spec.bucket_sets[metric.buckets][0].edges) == written
