"""`check-metrics`: a true page passes, and each planted fault is found as what it is, and as nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli
from slo_compiler.ir import Matcher
from slo_compiler.live.pages import NoPage, read_page
from slo_compiler.live.presence import presence
from slo_compiler.live.prometheus import page_of
from slo_compiler.live.results import Check, Live, Read, Teller
from tests.metrics_pages import FIRST_TOKEN, FIRST_TOKEN_OF_0_11, Server, served
from tests.test_schemas import output_faults

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: desk
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  experienceClass: conversational
  objectives:
    - {sli: ttft, threshold: 250ms, target: 95%}
    - {sli: itl, threshold: 25ms, target: 95%}
"""
FIRST = "vllm:time_to_first_token_seconds"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "chat.yaml"
    path.write_text(SPEC, "utf-8")
    return path


def check(spec: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check-metrics", str(spec), "-q", *arguments])


def results(spec: Path, *arguments: str) -> list[dict[str, Any]]:
    done = check(spec, "--format", "json", *arguments)
    document = json.loads(done.stdout)
    assert output_faults("check-metrics", document) == []
    broken = [result for result in document["results"] if result["ok"] is False]
    assert document["summary"]["broken"] == len(broken)
    assert done.exit_code == (1 if broken else 0), done.output
    return list(document["results"])


def page(tmp_path: Path, server: Server, name: str = "page.prom") -> str:
    path = tmp_path / name
    path.write_text(server.page(), "utf-8")
    return str(path)


def test_a_true_page_passes(spec: Path, tmp_path: Path) -> None:
    server = Server()
    server.serve(7)
    found = results(spec, "--scrape", page(tmp_path, server))
    assert {result["slo"] for result in found} == {"chat-ttft", "chat-itl", "chat"}
    told = {(result["slo"], result["check"], result["ok"]) for result in found}
    assert {("chat-ttft", check, True) for check in ("metric", "version", "type", "bucket", "samples")} <= told
    assert ("chat-ttft", "labels", None) in told  # job comes from scraping
    assert not [result for result in found if result["ok"] is False]


FAULTS: dict[str, tuple[Server, set[tuple[str, str]], str]] = {
    "a metric was renamed": (
        Server(names={FIRST: "vllm:time_to_first_byte_seconds"}),
        {("chat-ttft", "metric")},
        "is not there; near it are vllm:time_to_first_byte_seconds",
    ),
    "the bucket is gone": (
        Server(edges=[edge for edge in FIRST_TOKEN_OF_0_11 if edge != 0.25]),
        {("chat-ttft", "bucket")},
        "le='0.25' is read and is no bucket; around it are 0.1, 0.5",
    ),
    "the histogram counts milliseconds": (
        Server(edges=[1000 * edge for edge in FIRST_TOKEN_OF_0_11], seconds_are=1000),
        {("chat-ttft", "bucket")},
        "the page seems to be in milliseconds",
    ),
    "another model is served": (
        Server(model="acme/other"),
        {("chat-ttft", "labels"), ("chat-itl", "labels"), ("chat", "labels")},
        """no series matches {model_name="acme/chat"}; model_name is 'acme/other'""",
    ),
    "the model's label is gone": (
        Server(labels=("engine",)),
        {("chat-ttft", "labels"), ("chat-itl", "labels"), ("chat", "labels")},
        'no series has the label model_name of {model_name="acme/chat"}; its labels are engine',
    ),
    "a counter never moves": (
        Server(silent=frozenset([FIRST])),
        {("chat-ttft", "samples")},
        "it does not count these requests",
    ),
    "the histogram is a gauge": (
        Server(first_token_is_a_gauge=True),
        {("chat-ttft", "type")},
        "is a gauge; the rules read a histogram",
    ),
    "a newer release runs": (
        Server(without=frozenset(["vllm:time_per_output_token_seconds"])),
        {("chat", "version")},
        "the page is that of 0.12 to",
    ),
}


@pytest.mark.parametrize(("server", "broken", "message"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(
    server: Server, broken: set[tuple[str, str]], message: str, spec: Path, tmp_path: Path
) -> None:
    server = Server(**{name: getattr(server, name) for name in server.__dataclass_fields__})
    server.serve(7)
    found = results(spec, "--scrape", page(tmp_path, server))
    told = {(result["slo"], result["check"]): result["message"] for result in found if result["ok"] is False}
    assert broken <= set(told)
    # What follows from a fault may break too, of the same SLO or of what all share; nothing else does.
    assert {slo for slo, _ in told} <= {slo for slo, _ in broken} | {"chat"}
    assert any(message in text for text in told.values()), told


def test_a_fix_is_the_nearest_version_that_fits(spec: Path, tmp_path: Path) -> None:
    server = Server(without=frozenset(["vllm:time_per_output_token_seconds"]))
    server.serve(1)
    done = check(spec, "--scrape", page(tmp_path, server), "--fix")
    assert done.exit_code == 1
    assert 'fix: engine: {name: vllm, version: "0.12"}' in done.output


def test_a_threshold_between_buckets_is_bounded_by_both(spec: Path, tmp_path: Path) -> None:
    spec.write_text(SPEC.replace("threshold: 250ms", "threshold: 300ms"), "utf-8")
    server = Server()
    server.serve(920, 0.2)
    server.serve(50, 0.4)
    server.serve(30, 0.9)
    found = results(spec, "--scrape", page(tmp_path, server))
    bounds = [result for result in found if "were within" in result["message"]]
    assert [(result["ok"], result["message"]) for result in bounds] == [
        (None, "between 92% and 97% of 1,000 were within 300ms: undecidable at 95%")
    ]
    server.serve(9000, 0.1)
    found = results(spec, "--scrape", page(tmp_path, server))
    assert "between 99.2% and 99.7% of 10,000 were within 300ms: 95% is kept, whichever is true" in [
        result["message"] for result in found
    ]


def test_a_page_of_nobody_served_yet_breaks_nothing(spec: Path, tmp_path: Path) -> None:
    found = results(spec, "--scrape", page(tmp_path, Server()))
    samples = [result for result in found if result["check"] == "samples"]
    assert samples
    assert {result["ok"] for result in samples} == {None}


def test_pages_of_several_replicas_are_one_fleet(spec: Path, tmp_path: Path) -> None:
    one, other = Server(), Server(model="acme/other")
    one.serve(3)
    other.serve(4)
    found = results(spec, "--scrape", page(tmp_path, one, "one.prom"), "--scrape", page(tmp_path, other, "other.prom"))
    assert "has counted 3" in {result["message"] for result in found}
    assert not [result for result in found if result["ok"] is False]


def test_a_counter_that_nobody_has_needed_yet_reads_as_zero(spec: Path, tmp_path: Path) -> None:
    counters = "{bad: 'gw_total{code=~\"5..\"}', total: gw_total}"
    spec.write_text(f"{SPEC}    - {{sli: availability, target: 99%, source: {counters}}}\n", "utf-8")
    text = Path(page(tmp_path, Server())).read_text("utf-8")
    path = tmp_path / "gateway.prom"
    path.write_text(f'{text}# TYPE gw_total counter\ngw_total{{code="200"}} 9\n', "utf-8")
    found = [result for result in results(spec, "--scrape", str(path)) if result["slo"] == "chat-availability"]
    assert [(result["check"], result["ok"]) for result in found if result["ok"] is not True] == [("labels", None)]
    path.write_text(f'{text}# TYPE gw_total counter\ngw_total{{status="200"}} 9\n', "utf-8")
    found = [result for result in results(spec, "--scrape", str(path)) if result["slo"] == "chat-availability"]
    assert [result["message"] for result in found if result["ok"] is False] == [
        'no series has the label code of {code=~"5.."}; its labels are status'
    ]


@pytest.mark.loopback
def test_headers_are_sent_and_movement_is_seen(spec: Path) -> None:
    server = Server()
    with served(server, moves=True) as (address, seen):
        found = results(spec, "--scrape", address, "--header", "Authorization: Bearer s3cret", "--over", "1s")
    assert [headers["Authorization"] for headers in seen] == ["Bearer s3cret"] * 2
    assert {"has counted 3 in the meantime"} <= {item["message"] for item in found}


@pytest.mark.loopback
def test_a_counter_that_stands_still_while_others_move_is_broken(spec: Path) -> None:
    with served(Server(silent=frozenset([FIRST])), moves=True) as (address, _):
        found = results(spec, "--scrape", address, "--over", "1s")
    told = [(item["slo"], item["check"]) for item in found if item["ok"] is False]
    assert told == [("chat-ttft", "samples")]


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("status", "location", "said"),
    [(401, "", "HTTP 401 Unauthorized"), (302, "http://127.0.0.1:1/other", "redirects to http://127.0.0.1:1/other")],
    ids=["refused", "sent elsewhere"],
)
def test_what_gives_no_page_ends_with_3(spec: Path, status: int, location: str, said: str) -> None:
    with served(Server(), status=status, location=location) as (address, _):
        done = check(spec, "--scrape", address, "--header", "Authorization: Bearer s3cret")
    assert done.exit_code == 3
    assert said in done.output
    assert "s3cret" not in done.output


@pytest.mark.loopback
def test_nobody_listens(spec: Path) -> None:
    with served(Server()) as (address, _):
        pass
    done = check(spec, "--scrape", address)
    assert done.exit_code == 3
    assert f"error: {address}: Connection refused" in done.output


USAGE = {
    "neither a page nor a server": ([], "give --scrape"),
    "both": (["--scrape", "x", "--prometheus", "http://p"], "give --scrape"),
    "a header without a name": (["--scrape", "x", "--header", "secret"], "--header: write it as 'Name: value'"),
    "a certificate that is not there": (["--scrape", "x", "--cert", "/no/such"], "--cert: /no/such is no file"),
    "a time without a unit": (["--scrape", "x", "--timeout", "5"], "--timeout:"),
    "a saved page twice": (["--scrape", "PAGE", "--over", "5s"], "--over: a saved page does not change"),
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.values(), ids=USAGE)
def test_wrong_usage(arguments: list[str], said: str, spec: Path, tmp_path: Path) -> None:
    saved = page(tmp_path, Server())
    done = check(spec, *(saved if argument == "PAGE" else argument for argument in arguments))
    assert done.exit_code == 2, done.output
    assert said in done.output


UNREADABLE = {
    "no file": (None, "No such file"),
    "no page": ("<html>login</html>", "no page of metrics"),
    "an empty page": ("", "no page of metrics"),
    "credentials in the address": ("http://me:s3cret@example.com/metrics", "use --header"),
}


@pytest.mark.parametrize(("content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_pages_that_cannot_be_read(content: str | None, said: str, spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.prom"
    if content is not None and not content.startswith("http"):
        path.write_text(content, "utf-8")
    done = check(spec, "--scrape", content if content is not None and content.startswith("http") else str(path))
    assert done.exit_code == 3, done.output
    assert said in done.output
    assert "s3cret" not in done.output
    assert "Traceback" not in done.output


def test_a_broken_spec_is_told_before_anything_is_scraped(spec: Path, tmp_path: Path) -> None:
    spec.write_text(SPEC.replace("sli: ttft", "sli: tfft"), "utf-8")
    done = check(spec, "--scrape", str(tmp_path / "none"))
    assert done.exit_code == 1
    assert "error[SLO203]: unknown sli tfft" in done.output


def test_text_of_pages_cannot_paint_the_terminal(spec: Path, tmp_path: Path) -> None:
    server = Server(model="evil\x1b[31m")
    server.serve(1)
    done = check(spec, "--scrape", page(tmp_path, server))
    assert done.exit_code == 1
    assert "\x1b" not in done.output


def test_edges_of_a_page_are_what_the_library_writes() -> None:
    server = Server(edges=FIRST_TOKEN)
    server.serve(1)
    read = read_page(server.page())
    assert {one.labels["le"] for one in read.series[f"{FIRST}_bucket"]} == {*map(str, FIRST_TOKEN), "+Inf"}
    assert read.type_of(FIRST) == "histogram"
    assert read.type_of("vllm:generation_tokens_total") == "counter"
    with pytest.raises(NoPage):
        read_page("no { page")


def test_counters_keep_the_names_that_the_page_gives_them() -> None:
    lines = ["# TYPE envoy_rq counter", 'envoy_rq{class="5"} 7', "#  TYPE served_total counter ", "served_total 3"]
    read = read_page("\n".join([*lines, ""]))
    assert {name: [one.value for one in found] for name, found in read.series.items()} == {
        "envoy_rq": [7],
        "served_total": [3],
    }
    assert {read.type_of(name) for name in read.series} == {"counter"}


def test_a_misspelt_label_of_scraping_is_not_believed_to_come_from_it(spec: Path, tmp_path: Path) -> None:
    spec.write_text(SPEC.replace("{job: vllm}", "{jobb: vllm}"), "utf-8")
    broken = [result for result in results(spec, "--scrape", page(tmp_path, Server())) if result["ok"] is False]
    assert {result["check"] for result in broken} == {"labels"}
    assert "no series has the label jobb" in broken[0]["message"]
    assert broken[0]["message"].endswith("did you mean job?")


def test_a_label_that_the_settings_do_not_list_is_taken_on_trust_and_named(spec: Path, tmp_path: Path) -> None:
    spec.write_text(SPEC.replace("{job: vllm}", "{job: vllm, pool: spot}"), "utf-8")
    told = [result for result in results(spec, "--scrape", page(tmp_path, Server())) if result["check"] == "labels"]
    assert all(result["ok"] is None for result in told)
    assert "job, pool: added by scraping" in told[0]["message"]
    assert told[0]["message"].endswith("prometheus.targetLabels does not list pool")


NATIVE = {"model_name": "acme/chat", "job": "vllm", "instance": "a"}
CLASSIC = {"model_name": "acme/chat", "job": "vllm", "instance": "b"}
SHAPES: dict[str, tuple[list[dict[str, str]], list[dict[str, str]], str | None]] = {
    "native alone": ([NATIVE], [], f"is a native histogram alone; the rules read {FIRST}_bucket and {FIRST}_count"),
    "a replica of either": ([NATIVE], [CLASSIC], "is a native histogram alone in 1 of 2 series; "),
    "one replica has both": ([NATIVE, CLASSIC], [CLASSIC], "is a native histogram alone in 1 of 2 series; "),
    "all have both": ([NATIVE, CLASSIC], [NATIVE, CLASSIC], None),
    "native ones of another job": ([{**NATIVE, "job": "other"}], [CLASSIC], None),
}


@pytest.mark.parametrize(("native", "classic", "said"), SHAPES.values(), ids=SHAPES)
def test_native_histograms_without_classic_ones(
    native: list[dict[str, str]], classic: list[dict[str, str]], said: str | None
) -> None:
    """What a Prometheus answers that scrapes native histograms, or converts classic ones to native ones."""
    histogram = {"count": "7", "sum": "1.4", "buckets": [[0, "0.1", "0.25", "7"]]}
    samples: list[dict[str, Any]] = [
        {"metric": {"__name__": FIRST, **labels}, "histogram": [1, histogram]} for labels in native
    ]
    samples += [{"metric": {"__name__": f"{FIRST}_count", **labels}, "value": [1, "9"]} for labels in classic]
    answers = {"query": {"result": samples}, "metadata": {FIRST: [{"type": "histogram"}]}}

    def get(address: str, _: object) -> str:
        return json.dumps({"status": "success", "data": answers[address.rpartition("/")[2]]})

    read = Read((FIRST,), "histogram", (Matcher("job", "=", "vllm"),))
    live = Live(page_of(get, "http://prometheus", [FIRST, f"{FIRST}_count"]), None, {}, {}, frozenset())
    found = list(presence(read, None, live, Teller("desk", "chat-ttft", "ttft")))
    broken = [(result.check, result.message) for result in found if result.ok is False]
    if said is None:
        assert broken == []
    else:
        ((check_, message),) = broken
        assert check_ is Check.TYPE
        assert message.startswith(said)
        assert "always_scrape_classic_histograms: true" in message
