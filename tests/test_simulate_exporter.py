"""`simulate-exporter`: the pages are those of the engines, and count what the log says happened, as the engine counts it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from slo_compiler.cli import cli
from slo_compiler.documents.engine import MetricType, Role
from slo_compiler.edges import le_pattern
from slo_compiler.engines import load_builtin_engines
from slo_compiler.exporter.defaults import load_defaults
from slo_compiler.exporter.layout import layout_of, one_release, upgraded
from slo_compiler.exporter.request import QUANTITIES, STATES
from slo_compiler.live.pages import Page, read_page
from slo_compiler.resources import builtin_path

SCENARIOS = sorted(path.stem for path in builtin_path("scenarios").glob("*.yaml"))
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
    - {sli: availability, target: 99%, source: {engine: vllm, selector: {job: vllm}}}
"""
# Every kind of event in three minutes.
EVENTFUL = """\
apiVersion: slo-compiler/v1
kind: TrafficScenario
metadata: {name: eventful}
spec:
  concurrency: 3
  phases:
    - {for: 70s, requestsPerSecond: 3, outputTokens: 57, failures: 11%, aborts: 13%, rejections: 7%, spread: 0.5}
    - {for: 20s, requestsPerSecond: 3, outputTokens: 57, aborts: 30%, stalled: true}
    - {requestsPerSecond: 2, outputTokens: 57}
"""

# What ships lasts for minutes, and does the same.
SHORT = "apiVersion: slo-compiler/v1\nkind: TrafficScenario\nmetadata: {name: short}\nspec:\n  phases:\n"
OUTAGE = f"{SHORT}    - {{for: 10s}}\n    - {{for: 5s, unreachable: true}}\n    - {{}}\n"
CHURN = f"{SHORT}    - {{podLifetime: 20s}}\n"
UPGRADE = f"{SHORT}    - {{for: 10s}}\n    - {{for: 10s, upgradeTo: newest}}\n    - {{}}\n"


class Ran(NamedTuple):
    """A page, and what really happened."""

    page: Page
    text: str
    log: list[dict[str, Any]]

    def events(self, *names: str) -> list[dict[str, Any]]:
        return [told for told in self.log if told["event"] in names]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the series of a name that have these labels."""
        found = self.page.series.get(name, [])
        return sum(one.value for one in found if labels.items() <= one.labels.items())


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["simulate-exporter", *arguments])


def ran(tmp_path: Path, engine: str, scenario: str = EVENTFUL, *more: str, after: str = "3m") -> Ran:
    (tmp_path / "scenario.yaml").write_text(scenario, "utf-8")
    log = tmp_path / "log.jsonl"
    arguments = ["--engine", engine, "--scenario", str(tmp_path / "scenario.yaml"), "--print", after]
    done = invoke(*arguments, "--log", str(log), "--seed", "7", *more)
    assert done.exit_code == 0, done.output
    return Ran(read_page(done.stdout), done.stdout, [json.loads(line) for line in log.read_text("utf-8").splitlines()])


PAGES = ["vllm@0.8", "vllm@0.11", "vllm@0.33", "triton", "tgi@3.3", "sglang@0.4", "sglang@0.5", "litellm@1.80", "envoy"]


@pytest.mark.parametrize("name", sorted({*PAGES, *load_builtin_engines()}))
def test_page_has_the_names_labels_and_edges_of_the_engine_document(tmp_path: Path, name: str) -> None:
    base, _, version = name.partition("@")
    engine = one_release(load_builtin_engines()[base], version or None)
    document = engine.document.spec
    page, text, _ = ran(tmp_path, name, after="40s")
    assert list(text_string_to_metric_families(text))
    expected = {
        metric.name: metric
        for metric in document.metrics
        if metric.generation in ("any", "v1") and metric.versions.overlaps(engine.releases)
    }
    assert set(page.metrics()) == set(expected)
    for metric in expected.values():
        assert page.type_of(metric.name) == metric.type.value
        if metric.type is not MetricType.HISTOGRAM:
            continue
        (edges,) = [
            era.edges for era in document.bucket_sets[metric.buckets or ""] if era.versions.overlaps(engine.releases)
        ]
        written = list(dict.fromkeys(one.labels["le"] for one in page.series[f"{metric.name}_bucket"]))
        assert written[-1] == "+Inf"
        assert [Decimal(text) for text in written[:-1]] == list(edges)
        assert document.le_format is not None
        for text, edge in zip(written, edges, strict=False):
            assert re.fullmatch(le_pattern(edge, document.le_format), text)
        labels = {label for one in page.series[f"{metric.name}_count"] for label in one.labels}
        assert labels == engine.labels_named(metric.name) or metric.refused is not None


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("vllm@0.11", 'vllm:time_to_first_token_seconds_bucket{engine="0",le="1.0",model_name="acme/demo"} '),
        ("vllm@0.11", 'vllm:time_to_first_token_seconds_bucket{engine="0",le="2560.0",model_name="acme/demo"} '),
        ("triton", 'nv_inference_first_response_histogram_ms_bucket{le="500",model="acme/demo",version="1"} '),
        ("triton", "# TYPE nv_inference_request_success counter\n"),
        ("tgi@3.3", 'tgi_request_duration_bucket{le="0.00015000000000000001"} '),
        ("istio", 'istio_request_duration_milliseconds_bucket{destination_service="destination_service",'),
        ("envoy", 'le="3600000"} '),
        ("sglang@0.5", 'is_streaming="true",le="0.1",model_name="acme/demo"} '),
    ],
    ids=lambda value: value.split("_bucket")[0],
)
def test_page_is_written_as_the_engine_writes_it(name: str, line: str) -> None:
    assert line in invoke("--engine", name, "--print", "5s").stdout


def test_eras_differ_in_names_and_edges() -> None:
    pages = {
        version: read_page(invoke("--engine", f"vllm@{version}", "--print", "5s").stdout)
        for version in ("0.8.3", "0.8", "0.11", "0.12")
    }
    edges = {
        version: max(float(one.labels["le"]) for one in page.series["vllm:time_to_first_token_seconds_bucket"][:-1])
        for version, page in pages.items()
    }
    assert edges == {"0.8.3": 10, "0.8": 2560, "0.11": 2560, "0.12": 2560}
    old = {version for version, page in pages.items() if "vllm:time_per_output_token_seconds_count" in page.series}
    assert old == {"0.8.3", "0.8", "0.11"}


def test_vllm_counts_what_the_log_says(tmp_path: Path) -> None:
    run = ran(tmp_path, "vllm@0.33")
    kinds = {told["event"] for told in run.log}
    assert {"arrived", "first_token", "token", "finished", "failed", "aborted", "rejected"} <= kinds
    ended = run.events("finished", "cut")
    assert run.value("vllm:request_success_total", finished_reason="stop") == len(run.events("finished"))
    assert run.value("vllm:request_success_total", finished_reason="length") == len(run.events("cut"))
    assert run.value("vllm:request_success_total", finished_reason="error") == len(run.events("failed"))
    assert run.value("vllm:e2e_request_latency_seconds_count") == len(ended) + len(run.events("failed"))
    assert run.value("vllm:admission_rejections_total") == len(run.events("rejected"))
    answered = len(ended) + len(run.events("aborted"))
    assert run.value("http_requests_total", status="2xx") == answered
    assert run.value("http_requests_total", status="5xx") == len(run.events("failed", "rejected"))
    first, tokens = run.events("first_token"), sum(told["new"] for told in run.events("token"))
    assert run.value("vllm:generation_tokens_total") == len(first) + tokens
    assert run.value("vllm:inter_token_latency_seconds_count") == tokens
    assert run.value("vllm:prompt_tokens_total") == sum(told["promptTokens"] for told in first)


@pytest.mark.parametrize(
    ("engine", "metric", "le", "event", "field", "threshold"),
    [
        ("vllm@0.11", "vllm:time_to_first_token_seconds", "0.08", "first_token", "ttft", 0.08),
        ("vllm@0.11", "vllm:e2e_request_latency_seconds", "0.8", "finished", "e2e", 0.8),
        ("vllm@0.11", "vllm:request_queue_time_seconds", "0.3", "finished", "queue", 0.3),
        ("triton", "nv_inference_first_response_histogram_ms", "100", "first_token", "ttft", 0.1),
        ("tgi@3.3", "tgi_request_duration", "0.7481827642679213", "finished", "e2e", 0.7481827642679213),
        ("sglang@0.5", "sglang:time_to_first_token_seconds", "0.1", "first_token", "ttft", 0.1),
    ],
)
def test_buckets_hold_those_within_the_threshold(
    tmp_path: Path, engine: str, metric: str, le: str, event: str, field: str, threshold: float
) -> None:
    run = ran(tmp_path, engine)
    events = run.events(event, "cut") if event == "finished" else run.events(event)
    slow = [told for told in events if told[field] > threshold]
    assert 0 < len(slow) < len(events)
    assert run.value(f"{metric}_count") == len(events)
    assert run.value(f"{metric}_count") - run.value(f"{metric}_bucket", le=le) == len(slow)


@pytest.mark.parametrize(
    ("engine", "total", "reached"),
    [
        ("vllm@0.12", "vllm:request_success_total", ()),
        ("sglang@0.5", "sglang:num_aborted_requests_total", ("aborted",)),
        ("triton", "nv_inference_request_failure", ("failed", "aborted", "rejected")),
        ("tgi@3.3", "tgi_request_failure", ("failed", "aborted", "rejected")),
        ("tgi@3.3", "tgi_request_count", ("arrived",)),
        ("envoy", "envoy_http_downstream_rq_rx_reset", ("aborted",)),
        ("envoy", "envoy_http_downstream_rq_xx", ("finished", "cut", "failed", "rejected")),
    ],
)
def test_a_client_that_leaves_reaches_what_the_document_says(
    tmp_path: Path, engine: str, total: str, reached: tuple[str, ...]
) -> None:
    run = ran(tmp_path, engine)
    events = reached or ("finished", "cut")
    assert len(run.events("aborted")) > 3
    assert run.value(total) == len(run.events(*events))


@pytest.mark.parametrize("name", [name for name, engine in load_builtin_engines().items() if engine.spec.availability])
def test_availability_as_the_engine_sees_it_is_that_of_the_log(tmp_path: Path, name: str) -> None:
    run = ran(tmp_path, name, EVENTFUL.replace("aborts: 13%, rejections: 7%", "aborts: 0%").replace("30%", "0%"))
    view = load_builtin_engines()[name].spec.availability
    assert view is not None
    bad = sum(
        one.value
        for one in run.page.series.get(view.part or view.total, [])
        if all(re.fullmatch(pattern, one.labels[label]) for label, pattern in view.bad.items())
        and view.matchers.items() <= one.labels.items()
    )
    assert bad == len(run.events("failed")) > 3
    total = run.events("arrived") if view.part else run.events("finished", "cut", "failed")
    assert run.value(view.total, **view.matchers) == len(total)


def test_a_stall_holds_everything_and_shows_in_the_gauges(tmp_path: Path) -> None:
    run = ran(tmp_path, "vllm@0.11", after="89s")
    assert run.value("vllm:num_requests_running") == 3
    arrived, gone = run.events("arrived"), run.events("finished", "cut", "failed", "aborted", "rejected")
    waiting = run.value("vllm:num_requests_waiting")
    assert waiting == len(arrived) - len(gone) - 3 > 20
    stalled = [told for told in run.log if 70 < told["time"] <= 89]
    assert {told["event"] for told in stalled} <= {"phase", "arrived", "aborted"}
    after = ran(tmp_path, "vllm@0.11")
    assert max(told["gap"] for told in after.events("token")) > 19
    assert after.value("vllm:inter_token_latency_seconds_bucket", le="10.0") < after.value(
        "vllm:inter_token_latency_seconds_count"
    )


def test_an_outage_loses_requests_and_begins_at_zero(tmp_path: Path) -> None:
    run = ran(tmp_path, "vllm@0.11", OUTAGE, after="40s")
    lost = run.events("lost")
    assert lost
    assert {one["time"] for one in lost} == {10}
    assert all(10 <= one["time"] <= 15 for one in run.events("unreached"))
    assert len(run.events("unreached")) > 3
    (restarted,) = run.events("restarted")
    assert restarted["time"] == 15
    since = [one for one in run.events("first_token") if one["time"] > 15]
    assert run.value("vllm:time_to_first_token_seconds_count") == len(since) > 3
    assert {one["process"] for one in since} == {1}
    gone = invoke("--engine", "vllm@0.11", "--scenario", str(tmp_path / "scenario.yaml"), "--print", "12s")
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert "after 12s the replica does not answer" in gone.stderr


def test_a_rolling_upgrade_changes_names_one_replica_after_another(tmp_path: Path) -> None:
    old = "vllm:time_per_output_token_seconds_count"
    before = ran(tmp_path, "vllm@0.11", UPGRADE, "--replicas", "2", after="12s")
    assert old in before.page.series
    assert not before.events("restarted")
    after = ran(tmp_path, "vllm@0.11", UPGRADE, "--replicas", "2", after="40s")
    assert old not in after.page.series
    restarted = [(one["time"], one["replica"], one["version"]) for one in after.events("restarted")]
    assert restarted == [(12.5, 0, "0.33.0"), (17.5, 1, "0.33.0")]


def test_pods_are_replaced_and_all_replicas_serve(tmp_path: Path) -> None:
    run = ran(tmp_path, "sglang", CHURN, "--replicas", "3", after="70s")
    assert len(run.events("restarted")) > 4
    assert {one["replica"] for one in run.events("finished")} == {0, 1, 2}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_gives_the_same_page_and_another_does_not(scenario: str) -> None:
    arguments = ["--engine", "vllm@0.11", "--scenario", scenario, "--print", "20s", "-q"]
    first, again, other = (invoke(*arguments, "--seed", seed).stdout for seed in ("3", "3", "4"))
    assert first == again != other


def test_every_role_has_a_quantity() -> None:
    roles = load_defaults().roles
    assert set(roles) == {role.value for role in Role}
    assert {usual.shows for usual in roles.values()} <= {*QUANTITIES, *STATES}


@pytest.mark.parametrize(
    ("asked", "to", "becomes"),
    [("0.11", "next", "0.12.0"), ("0.33", "next", "0.33.0"), ("0.9", "newest", "0.33.0"), ("0.9", "0.10", "0.10.2")],
)
def test_upgrades(asked: str, to: str, becomes: str) -> None:
    engine = one_release(load_builtin_engines()["vllm"], asked)
    assert upgraded(engine, to).version == becomes


def test_one_release_of_a_minor_is_the_newest_that_was_looked_up() -> None:
    engines = load_builtin_engines()
    found = {name: one_release(engines["vllm"], name).version for name in ("0.11", "0.11.0", "0.8", "0.34")}
    assert found == {"0.11": "0.11.2", "0.11.0": "0.11.0", "0.8": "0.8.5", "0.34": "0.33.0"}
    assert layout_of(one_release(engines["triton"], None), {"version": "3"}).version == ""


FAULTS = {
    "an unknown field": ("{for: 10m, fails: 3%}", "SLO201", "phases[0] has no field fails"),
    "a share that is none": ("{failures: 0.3}", "SLO203", "write 30%"),
    "a phase that never ends and is followed": ("{}\n    - {}", "SLO203", "phase 1 never ends"),
    "an upgrade to what is unknown": ("{for: 10m, upgradeTo: '0.1'}", "SLO401", "older than 0.8"),
    "an upgrade that never ends": ("{upgradeTo: newest}", "SLO203", "phase 1 upgrades, and never ends"),
}


@pytest.mark.parametrize(("phase", "code", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_scenario_has_its_place(tmp_path: Path, phase: str, code: str, words: str) -> None:
    head = EVENTFUL.partition("  phases:")[0]
    path = tmp_path / "mine.yaml"
    path.write_text(f"{head}  phases:\n    - {phase}\n", "utf-8")
    done = invoke("--engine", "vllm", "--scenario", str(path), "--print", "5s", "-q")
    assert done.exit_code == 1
    assert re.search(rf"mine\.yaml:\d+:\d+: error\[{code}\]", done.stderr), done.stderr
    assert words in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "vlm"], "did you mean vllm?"),
        (["--engine", "vllm@0.1"], "known versions: 0.8, 0.9"),
        (["--engine", "vllm", "--scenario", "steddy"], "did you mean steady?"),
        (["--engine", "vllm", "--print", "5"], "write it as 90s"),
        (["--engine", "tgi", "--model", "a"], "has no label of the model"),
        (["--engine", "vllm", "--replicas", "0"], "--replicas"),
        ([], "--engine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage(arguments: list[str], words: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_labels_of_the_scenario_and_the_model_are_on_the_page(tmp_path: Path) -> None:
    scenario = EVENTFUL.replace("  concurrency: 3", "  labels: {engine: '5'}")
    run = ran(tmp_path, "vllm@0.11", scenario, "--model", "acme/chat")
    one = run.page.series["vllm:generation_tokens_total"][0]
    assert one.labels == {"engine": "5", "model_name": "acme/chat"}


# Live


@contextmanager
def exporter(*arguments: str) -> Iterator[tuple[str, str]]:
    """The address of a running exporter's first page, and what it prints; ended as a supervisor ends it."""
    command = [sys.executable, "-m", "slo_compiler", "simulate-exporter", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        assert lines[0], process.communicate()[1]
        while not lines[-1].endswith(f"instance: replica-{sum(line[0] == '#' for line in lines) - 1}}}\n"):
            lines.append(process.stdout.readline())
        yield lines[0].split()[-1], "".join(lines)
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "Traceback" not in said


def checked(spec: Path, text: str, *arguments: str) -> tuple[int, set[tuple[str, str]]]:
    spec.write_text(text, "utf-8")
    done = CliRunner().invoke(cli, ["check-metrics", str(spec), "-q", "--format", "json", *arguments])
    results = json.loads(done.stdout)["results"]
    return done.exit_code, {(result["slo"], result["check"]) for result in results if result["ok"] is False}


@pytest.mark.loopback
def test_check_metrics_passes_live_and_finds_what_is_wrong(tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    with exporter("--engine", "vllm@0.11", "--model", "acme/chat", "--speed", "60", "--port", "0") as (url, _):
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        time.sleep(0.5)
        assert checked(spec, SPEC, "--scrape", url) == (0, set())
        code, broken = checked(spec, SPEC.replace('"0.11"', '"0.12"'), "--scrape", url)
        assert (code, broken) == (1, {("chat", "version")})
        code, broken = checked(spec, SPEC.replace("acme/chat", "acme/other"), "--scrape", url)
        assert (code, {check for _, check in broken}) == (1, {"labels"})
        page = tmp_path / "page.prom"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode("utf-8")
        page.write_text("".join(line for line in text.splitlines(True) if 'le="0.25"' not in line), "utf-8")
        code, broken = checked(spec, SPEC, "--scrape", str(page))
        assert (code, broken) == (1, {("chat-ttft", "bucket")})
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url.replace("/0/metrics", "/7/metrics"), timeout=10)


@pytest.mark.loopback
def test_a_port_in_use_ends_with_3() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = invoke("--engine", "vllm", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 3
    assert "in use" in done.stderr


@pytest.mark.loopback
def test_sigint_ends_it_with_0_and_the_log_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "slo_compiler", "simulate-exporter", "--engine", "tgi", "--log", str(log)]
    process = subprocess.Popen([*command, "--speed", "100"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert len([json.loads(line) for line in log.read_text("utf-8").splitlines()]) > 100


@pytest.mark.e2e
def test_prometheus_scrapes_it_by_the_configuration_that_it_prints(tmp_path: Path) -> None:
    arguments = ["--engine", "vllm@0.11", "--model", "acme/chat", "--speed", "30", "--replicas", "2"]
    with exporter(*arguments) as (_, printed), socket.socket() as free:
        config = yaml.safe_load(printed)
        assert len(config["scrape_configs"][0]["static_configs"]) == 2
        (tmp_path / "prometheus.yaml").write_text(
            yaml.safe_dump({"global": {"scrape_interval": "500ms"}, **config}), "utf-8"
        )
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = ["prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--log.level=error"]
        command.append(f"--web.listen-address=127.0.0.1:{port}")
        server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_counted(address)
            told = checked(tmp_path / "chat.yaml", SPEC, "--prometheus", address, "--over", "2s")
            assert told == (0, set())
            told = checked(
                tmp_path / "chat.yaml", SPEC.replace("job: vllm", "job: other"), "--prometheus", address, "--over", "2s"
            )
            assert told[0] == 1
        finally:
            server.terminate()
            server.wait()


def _wait_until_counted(address: str) -> None:
    """Until two seconds can be looked back on."""
    query = (
        "/api/v1/query?query=vllm:generation_tokens_total%20-%20vllm:generation_tokens_total%20offset%202s%20%3E%200"
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}{query}", timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            found = []
        if len({one["metric"]["instance"] for one in found}) == 2:
            return
        time.sleep(0.2)
    pytest.fail("Prometheus did not scrape both replicas in time")
