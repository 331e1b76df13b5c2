"""Engine documents: against pages of real servers, and by version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from pydantic import ValidationError

from slo_compiler.documents.engine import BucketEra, Engine, Metric, MetricType, Unit
from slo_compiler.documents.releases import VersionRange
from slo_compiler.engine_versions import UnknownVersion, known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine, load_builtin_engines

VLLM = load_builtin_engines()["vllm"]
PAGES = Path(__file__).parent / "pages"
PAGE_VERSIONS = ("0.10.2", "0.11.0", "0.15.1", "0.32.0")
LOADED_PAGES = PAGE_VERSIONS[1:]

TTFT = "vllm:time_to_first_token_seconds"
ITL = "vllm:inter_token_latency_seconds"
TPOT = "vllm:time_per_output_token_seconds"
TPOT_MEAN = "vllm:request_time_per_output_token_seconds"
KV_CACHE = "vllm:kv_cache_usage_perc"
GPU_CACHE = "vllm:gpu_cache_usage_perc"
TAIL = ("20", "40", "80", "160", "640", "2560")

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"]*)"')


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: Decimal


class Page:
    """A metrics page in the text format of Prometheus."""

    def __init__(self, version: str) -> None:
        self.samples: list[Sample] = []
        self.types: dict[str, str] = {}
        for line in (PAGES / f"vllm-{version}.prom").read_text(encoding="utf-8").splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.types[name] = kind
            elif not line.startswith("#"):
                match = _SAMPLE.fullmatch(line)
                assert match is not None, line
                self.samples.append(Sample(match[1], dict(_LABEL.findall(match[2] or "")), Decimal(match[3])))

    def of(self, name: str, **labels: str) -> list[Sample]:
        return [item for item in self.samples if item.name == name and labels.items() <= item.labels.items()]

    def sum(self, name: str, **labels: str) -> int:
        return int(sum(item.value for item in self.of(name, **labels)))

    def le_texts(self, name: str) -> list[str]:
        return [item.labels["le"] for item in self.of(f"{name}_bucket") if item.labels["le"] != "+Inf"]


def vllm(version: str, generation: str = "v1") -> ResolvedEngine:
    return resolve_engine(VLLM, version, generation=generation)


def present(engine: ResolvedEngine) -> dict[str, Metric]:
    """What the document says is on the page of one release, by name."""
    names = {name for role in engine.roles() for name in engine.names_in_version(role)}
    found = {}
    for metric in VLLM.spec.metrics:
        if metric.name in names and metric.generation in ("any", "v1"):
            found[metric.name] = metric
    return found


def series_of(metric: Metric) -> str:
    return f"{metric.name}_count" if metric.type is MetricType.HISTOGRAM else metric.name


def decimals(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


def row(sentence: str, *values: object) -> ParameterSet:
    return pytest.param(*values, id=sentence)


def each_metric() -> Iterator[ParameterSet]:
    for version in PAGE_VERSIONS:
        page_lacks_http = version == "0.10.2"  # that page is the metrics logger's alone, without the HTTP server
        for name in present(vllm(version)):
            if not (page_lacks_http and name.startswith("http_")):
                yield pytest.param(version, name, id=f"{name} on the page of {version}")


# ---- against pages ----


@pytest.mark.parametrize(("version", "name"), list(each_metric()))
def test_what_the_document_gives_a_version_is_on_its_page(version: str, name: str) -> None:
    page, engine = Page(version), vllm(version)
    metric = present(engine)[name]
    samples = page.of(series_of(metric))
    assert page.types[name] == metric.type.value
    assert samples
    resolved = engine.metric(metric.role)
    assert resolved is not None
    for sample in samples:
        assert frozenset(sample.labels) == engine.labels(metric.role)
    if metric.type is MetricType.HISTOGRAM:
        assert tuple(Decimal(text) for text in page.le_texts(name)) == engine.edges(metric.role) == resolved.edges


@pytest.mark.parametrize("version", PAGE_VERSIONS)
def test_no_page_has_a_metric_that_the_document_denies_its_version(version: str) -> None:
    shown = {name for name, _ in Page(version).types.items()}
    assert shown <= set(present(vllm(version)))


@pytest.mark.parametrize("version", PAGE_VERSIONS)
def test_every_le_text_on_a_page_matches_the_pattern_of_its_edge_and_of_no_other(version: str) -> None:
    page, engine = Page(version), vllm(version)
    for name, metric in present(engine).items():
        for text in page.le_texts(name):
            both = {text, text.removesuffix(".0")}  # as the Python client writes it, and as Go, Rust and C++ do
            matching = [
                edge
                for edge in engine.edges(metric.role)
                if all(re.fullmatch(engine.le_pattern(edge), spelling) for spelling in both)
            ]
            assert matching == [Decimal(text)]


@pytest.mark.parametrize("version", PAGE_VERSIONS)
def test_pages_stay_small_and_say_what_they_are(version: str) -> None:
    text = (PAGES / f"vllm-{version}.prom").read_text(encoding="utf-8")
    assert len(text) < 25_000
    assert text.startswith("# ")
    assert version in text.splitlines()[0]


@dataclass(frozen=True)
class Load:
    """What one load left on a page."""

    first_tokens: int
    later_tokens: int
    prompt_tokens: int


LOADS = {
    "0.11.0": Load(first_tokens=66, later_tokens=1822, prompt_tokens=8645),
    "0.15.1": Load(first_tokens=64, later_tokens=1487, prompt_tokens=8605),
    "0.32.0": Load(first_tokens=66, later_tokens=1488, prompt_tokens=8645),
}
each_loaded_page = pytest.mark.parametrize("version", LOADED_PAGES)


@each_loaded_page
def test_finished_requests_are_counted_alike_by_every_metric_that_counts_them(version: str) -> None:
    page = Page(version)
    assert page.sum("vllm:request_success_total", finished_reason="stop") == 5
    assert page.sum("vllm:request_success_total", finished_reason="length") == 52
    for name in (
        "vllm:e2e_request_latency_seconds",
        "vllm:request_queue_time_seconds",
        "vllm:request_prefill_time_seconds",
        "vllm:request_decode_time_seconds",
        "vllm:request_inference_time_seconds",
        TPOT_MEAN,
    ):
        assert page.sum(f"{name}_count") == 57


@each_loaded_page
def test_nine_requests_that_the_client_left_are_seen_as_good_by_http_and_by_nothing_else(version: str) -> None:
    page = Page(version)
    answered = page.sum("http_requests_total", status="2xx")
    assert answered - page.sum("vllm:request_success_total") == 9
    assert page.sum("vllm:request_success_total", finished_reason="abort") == 0


@each_loaded_page
def test_client_errors_are_4xx_and_no_5xx_series_exists_before_the_first(version: str) -> None:
    page = Page(version)
    assert page.sum("http_requests_total", handler="/v1/chat/completions", status="2xx") == 45
    assert page.sum("http_requests_total", handler="/v1/completions", status="2xx") == 21
    assert page.sum("http_requests_total", handler="/v1/chat/completions", status="4xx") == 7
    assert page.sum("http_requests_total", handler="/v1/completions", status="4xx") == 4
    assert page.of("http_requests_total", status="5xx") == []


@each_loaded_page
def test_itl_counts_every_token_but_the_first_of_each_request(version: str) -> None:
    page, load = Page(version), LOADS[version]
    assert page.sum(f"{TTFT}_count") == load.first_tokens
    assert page.sum(f"{ITL}_count") == load.later_tokens
    assert page.sum("vllm:generation_tokens_total") == load.first_tokens + load.later_tokens
    assert page.sum("vllm:prompt_tokens_total") == load.prompt_tokens


def test_the_old_name_of_itl_carries_the_same_observations_where_both_are_exposed() -> None:
    page = Page("0.11.0")
    old, new = page.of(f"{TPOT}_bucket"), page.of(f"{ITL}_bucket")
    assert [(item.labels, item.value) for item in old] == [(item.labels, item.value) for item in new]
    assert page.sum(f"{TPOT}_count") == 1822


def test_the_engines_own_availability_view_selects_what_is_on_the_page() -> None:
    view = vllm("0.32").availability
    assert view is not None
    page = Page("0.32.0")
    (label, pattern), *others = view.bad.items()
    assert not others
    statuses = {item.labels[label] for item in page.of(view.total, **view.matchers)}
    assert statuses == {"2xx", "4xx"}
    assert not any(re.fullmatch(pattern, status) for status in statuses)
    assert all(re.fullmatch(pattern, status) for status in ("5xx", "500", "503"))


# ---- versions ----


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        row("a minor release is any of its releases", "0.8", "0.8"),
        row("a release is itself", "0.8.3", "0.8.3"),
        row("0.9 is known", "0.9", "0.9"),
        row("0.10 is not 0.1", "0.10", "0.10"),
        row("0.10.2 is itself", "0.10.2", "0.10.2"),
        row("0.11 is known", "0.11", "0.11"),
        row("0.15.1 is itself", "0.15.1", "0.15.1"),
        row("0.32 is known", "0.32", "0.32"),
        row("the newest is known", "0.33", "0.33"),
        row("a patch of a known minor release is read as it is", "0.11.9", "0.11.9"),
        row("a leading v is passed over", "v0.11.0", "0.11.0"),
        row("a post release is its release", "0.9.2.post1", "0.9.2"),
        row("a candidate is its release", "0.11.0rc1", "0.11.0"),
        row("a candidate with a dash is its release", "0.11.0-rc.1", "0.11.0"),
        row("a local build is its release", "0.11.0+cpu", "0.11.0"),
        row("a wildcard letter is the minor release", "0.11.x", "0.11"),
        row("a fourth number is passed over", "0.8.5.1", "0.8.5"),
    ],
)
def test_known_versions_are_read_without_a_notice(asked: str, read: str) -> None:
    engine = vllm(asked)
    assert engine.version == read
    assert engine.title == f"vLLM {read}"
    assert engine.notice is None


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        row("above the newest", "0.40", "0.33"),
        row("a release above the newest", "0.40.2", "0.33"),
        row("the next major release", "1.0", "0.33"),
    ],
)
def test_unknown_versions_take_the_nearest_lower_one_and_say_so(asked: str, read: str) -> None:
    engine = vllm(asked)
    assert engine.version == read
    assert engine.notice == f"vLLM {asked} is not known; the nearest lower release {read} is read"


def test_a_version_between_two_known_ones_takes_the_lower() -> None:
    gap = {"oldest": "0.8.0", "newest": "0.12.0", "known": ("0.8", "0.12")}
    engine = resolve_engine(changed(versions=gap), "0.11.2")
    assert engine.version == "0.8"
    assert engine.notice == "vLLM 0.11.2 is not known; the nearest lower release 0.8 is read"


def test_no_version_is_read_as_the_newest_and_says_so() -> None:
    engine = resolve_engine(VLLM, None)
    assert engine.title == "vLLM 0.33"
    assert engine.notice == "no version of vLLM is given; its newest known release 0.33 is read"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        row("below the oldest", "0.7", "vLLM 0.7 is older than 0.8, the oldest release that is known"),
        row("a release below the oldest", "0.7.3", "vLLM 0.7.3 is older than 0.8, the oldest release that is known"),
        row("a word", "latest", "'latest' is no version of vLLM; write one such as 0.33"),
        row("one number", "11", "'11' is no version of vLLM; write one such as 0.33"),
        row("nothing", "", "'' is no version of vLLM; write one such as 0.33"),
        row("a line after the version", "0.11\n", "'0.11\\n' is no version of vLLM; write one such as 0.33"),
        row("words after the version", "0.11 or so", "'0.11 or so' is no version of vLLM; write one such as 0.33"),
        row("digits of another script", "٠.١١", "'٠.١١' is no version of vLLM; write one such as 0.33"),
    ],
)
def test_versions_that_cannot_be_read_are_refused(asked: str, message: str) -> None:
    with pytest.raises(UnknownVersion) as fault:
        vllm(asked)
    assert str(fault.value) == message


# ---- names ----


@pytest.mark.parametrize(
    ("role", "names"),
    [
        row("the cache gauge under both names, newest first", "kv_cache_usage", (KV_CACHE, GPU_CACHE)),
        row("a name that is gone stays", "tpot", (TPOT,)),
        row("a name that is not there yet comes too", "itl", (ITL,)),
        row("an unknown role has none", "no_such_role", ()),
    ],
)
@pytest.mark.parametrize("version", ["0.8", "0.10.2", "0.33"])
def test_names_are_those_of_all_versions(version: str, role: str, names: tuple[str, ...]) -> None:
    assert vllm(version).names(role) == names


@pytest.mark.parametrize(
    ("version", "role", "names"),
    [
        row("0.8 has the old cache name", "0.8", "kv_cache_usage", (GPU_CACHE,)),
        row("0.9 has both, since 0.9.2 has", "0.9", "kv_cache_usage", (KV_CACHE, GPU_CACHE)),
        row("0.9.1 has the old cache name", "0.9.1", "kv_cache_usage", (GPU_CACHE,)),
        row("0.10.2 has both cache names", "0.10.2", "kv_cache_usage", (KV_CACHE, GPU_CACHE)),
        row("0.11 has the new cache name", "0.11", "kv_cache_usage", (KV_CACHE,)),
        row("0.10.1 has no ITL under its new name", "0.10.1", "itl", ()),
        row("0.10 has it in some release", "0.10", "itl", (ITL,)),
        row("0.11 still has the old name", "0.11", "tpot", (TPOT,)),
        row("0.12 has it no more", "0.12", "tpot", ()),
        row("0.10 has no request mean", "0.10", "tpot_request_mean", ()),
        row("0.11 has one", "0.11", "tpot_request_mean", (TPOT_MEAN,)),
    ],
)
def test_names_in_a_version_are_what_it_exposes(version: str, role: str, names: tuple[str, ...]) -> None:
    assert vllm(version).names_in_version(role) == names


def test_roles_that_carry_the_same_data_join_newest_first() -> None:
    assert vllm("0.9").names_of(("itl", "tpot")) == (ITL, TPOT)


@pytest.mark.parametrize(
    ("version", "role", "has"),
    [
        row("not every 0.10 has the new name of ITL", "0.10", "itl", False),
        row("0.10.2 has", "0.10.2", "itl", True),
        row("every 0.9 has the cache gauge under one name or the other", "0.9", "kv_cache_usage", True),
        row("not every 0.8 is looked up to count HTTP requests", "0.8", "requests_total", False),
        row("0.8.5 counts them", "0.8.5", "requests_total", True),
        row("0.31 counts no rejections", "0.31", "requests_rejected", False),
        row("0.32 does", "0.32", "requests_rejected", True),
    ],
)
def test_a_version_has_a_role_where_every_release_has(version: str, role: str, has: bool) -> None:
    engine = vllm(version)
    assert engine.has(role) is has
    assert (role in engine.roles()) is has


def test_the_queue_is_never_counted_twice() -> None:
    assert vllm("0.33").names("queue_depth") == ("vllm:num_requests_waiting",)
    assert vllm("0.33").names("queue_depth_by_reason") == ("vllm:num_requests_waiting_by_reason",)


def test_alternatives_say_which_version_has_the_role_and_what_this_one_exposes() -> None:
    text = vllm("0.9").alternatives(("tpot_request_mean",))
    assert text.startswith(f"{TPOT_MEAN} is in vLLM >=0.11.0; vLLM 0.9 exposes {TTFT}, {TPOT}, ")


def test_generation_v0_is_read_only_when_asked_for() -> None:
    old = vllm("0.9", "v0")
    assert old.labels("ttft") == {"model_name"}
    assert old.names("kv_cache_usage") == (GPU_CACHE,)
    assert not old.has("inference_time")
    assert old.has("requests_total")
    assert vllm("0.9").labels("ttft") == {"model_name", "engine"}


@pytest.mark.parametrize("generation", ["v0", "v9"])
def test_a_generation_that_the_version_lacks_is_refused(generation: str) -> None:
    with pytest.raises(
        UnknownVersion, match=f"vLLM 0.11 has no generation {generation}; v1 is in >=0.8.0, v0 is in <0.10.0"
    ):
        vllm("0.11", generation)


# ---- labels and edges ----


@pytest.mark.parametrize(
    ("version", "labels"),
    [
        row("0.8.2 has no engine label", "0.8.2", {"model_name"}),
        row("0.8.3 has one", "0.8.3", {"model_name", "engine"}),
        row("some release of 0.8 has one", "0.8", {"model_name", "engine"}),
    ],
)
def test_labels_are_those_that_some_release_of_the_version_has(version: str, labels: set[str]) -> None:
    assert vllm(version).labels("ttft") == labels


@pytest.mark.parametrize(
    ("version", "last"),
    [
        row("0.8.3 ends at 10 s", "0.8.3", "10"),
        row("0.8.4 has the long tail", "0.8.4", "2560"),
        row("0.8 ends where its shortest does", "0.8", "10"),
        row("0.9 has the long tail", "0.9", "2560"),
    ],
)
def test_edges_are_those_of_every_release_of_the_version(version: str, last: str) -> None:
    edges = vllm(version).edges("ttft")
    assert edges[0] == Decimal("0.001")
    assert edges[-1] == Decimal(last)


def test_edges_are_exact() -> None:
    edges = vllm("0.33").edges("itl")
    assert edges[:5] == decimals("0.01", "0.025", "0.05", "0.075", "0.1")
    assert [str(edge) for edge in edges[:5]] == ["0.01", "0.025", "0.05", "0.075", "0.1"]


def test_edges_of_several_roles_are_those_that_the_names_in_the_version_share() -> None:
    assert vllm("0.8").edges_of(("itl", "tpot"))[-1] == Decimal("2.5")
    assert vllm("0.10").edges_of(("itl", "tpot"))[-1] == Decimal("80")
    assert vllm("0.10").edges_of(()) == ()
    assert vllm("0.10").edges("running") == ()


@pytest.mark.parametrize("minor", known_versions(VLLM))
def test_every_histogram_has_edges_in_every_known_release(minor: str) -> None:
    engine = vllm(minor)
    for role in engine.roles():
        metric = engine.metric(role)
        assert metric is not None
        assert bool(metric.edges) == (metric.type is MetricType.HISTOGRAM)
        assert metric.verified_at


def test_buckets_can_be_set_from_0_32_on() -> None:
    assert vllm("0.31").buckets_configurable is None
    setting = vllm("0.32").buckets_configurable
    assert setting is not None
    assert "custom_histogram_buckets" in setting


@pytest.mark.parametrize(
    ("edge", "pattern", "spellings"),
    [
        row("a fraction has one spelling", "0.25", r"0\.25", ["0.25"]),
        row("a whole number has two", "1", r"1(\.0)?", ["1", "1.0"]),
        row("a trailing zero changes nothing", "10.0", r"10(\.0)?", ["10", "10.0"]),
        row("zeros of a whole number stay", "2560", r"2560(\.0)?", ["2560", "2560.0"]),
        row("a million has an exponent", "1000000", r"1e\+06", ["1e+06"]),
        row("so has a million and a half", "1500000", r"1\.5e\+06", ["1.5e+06"]),
        row("the Python client puts a zero before a long exponent", "1e10", r"1e\+0?10", ["1e+10", "1e+010"]),
        row("a ten-thousandth has none", "0.0001", r"0\.0001", ["0.0001"]),
        row("less than that has one", "0.00005", r"5e-05", ["5e-05"]),
    ],
)
def test_le_patterns_match_every_spelling(edge: str, pattern: str, spellings: list[str]) -> None:
    found = vllm("0.33").le_pattern(Decimal(edge))
    assert found == pattern
    assert all(re.fullmatch(found, spelling) for spelling in spellings)


def test_le_is_written_in_the_unit_of_the_metric() -> None:
    assert vllm("0.33").le_pattern(Decimal("0.25"), Unit.MILLISECONDS) == r"250(\.0)?"


def test_edges_in_milliseconds_are_given_in_seconds() -> None:
    metric = VLLM.spec.metrics[0].model_copy(update={"unit": Unit.MILLISECONDS})
    engine = resolve_engine(
        changed(metrics=[metric.model_dump()], availability=None, completion=None, breaches={}), "0.33"
    )
    assert engine.edges("ttft")[:3] == decimals("0.000001", "0.000005", "0.00001")


# ---- the document ----


def changed(**spec: Any) -> Engine:
    data = VLLM.model_dump()
    return Engine.model_validate({**data, "spec": {**data["spec"], **spec}})


def metric(**fields: Any) -> dict[str, Any]:
    return {**VLLM.spec.metrics[0].model_dump(), **fields}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        row("a label set that is not there", {"metrics": [metric(labels="nobody")]}, "no label set 'nobody'"),
        row("a bucket set that is not there", {"metrics": [metric(buckets="nobody")]}, "no bucket set 'nobody'"),
        row("a histogram without buckets", {"metrics": [metric(buckets=None)]}, "histograms have buckets"),
        row("a histogram that counts nothing", {"metrics": [metric(counts=None)]}, "say what they count"),
        row("a role that nobody knows", {"metrics": [metric(role="speed")]}, "metrics.0.role"),
        row("a range that is none", {"metrics": [metric(versions="0.8+")]}, "write bounds of three numbers"),
        row("an empty range", {"metrics": [metric(versions=">=0.9.0,<0.8.0")]}, "holds no version"),
        row("a view of a metric that is not there", {"metrics": [metric()]}, "no metric 'http_requests_total'"),
        row(
            "a breach that a metric shows which is not there",
            {"breaches": {"error": {"metrics": ["vllm:odd_total"], "says": "odd"}}},
            "breaches: error: no metric 'vllm:odd_total'",
        ),
        row(
            "two eras of one bucket set that overlap",
            {
                "bucket_sets": {
                    "first_token": [{"versions": ">=0.1.0", "edges": ["1"]}, {"versions": "<0.2.0", "edges": ["1"]}]
                }
            },
            "two bucket eras overlap",
        ),
        row(
            "known releases out of order",
            {"versions": {"oldest": "0.9.0", "newest": "0.8.0", "known": ["0.9", "0.8"]}},
            "known releases must ascend",
        ),
        row(
            "known releases that do not reach the newest",
            {"versions": {"oldest": "0.8.0", "newest": "0.33.0", "known": ["0.8", "0.9"]}},
            "must begin with the oldest and end with the newest",
        ),
    ],
)
def test_documents_that_contradict_themselves_are_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        changed(**spec)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        row("edges out of order", ["2", "1"], "edges must ascend"),
        row("an edge twice", ["1", "1.0"], "edges must ascend"),
        row("infinity", ["1", "Infinity"], "not finite; .*Inf is not listed"),
        row("a word", ["one"], "expected a bucket edge"),
        row("a float, whose text is lost", [0.1], "expected a bucket edge"),
        row("none", [], "at least 1"),
    ],
)
def test_bucket_edges_that_are_none_are_refused(edges: list[Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BucketEra.model_validate({"versions": ">=0.1.0", "edges": edges})


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        row("ranges that meet share nothing", "<0.8.4", ">=0.8.4", False),
        row("ranges that reach into each other do", "<0.8.5", ">=0.8.4", True),
        row("one within the other does", ">=0.8.0", ">=0.9.0,<0.9.1", True),
        row("one after the other does not", ">=0.8.0,<0.9.0", ">=0.10.0", False),
    ],
)
def test_version_ranges_overlap(one: str, other: str, overlap: bool) -> None:
    first, second = VersionRange.parse(one), VersionRange.parse(other)
    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap
    assert str(first) == one
