"""`check-metrics` asks a real Prometheus that scrapes a page on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from tests.metrics_pages import Server, served
from tests.native_page import native_served
from tests.real.process import wait_until
from tests.real.prometheus import prometheus, queried
from tests.test_check_metrics import SPEC

pytestmark = pytest.mark.e2e
_PATIENCE = 60.0
# So long that a scrape or two may be late.
_OVER = "6s"
NATIVE = ("vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that has scraped a moving vLLM as job vllm.

    Job native has its latencies as native histograms alone, job half has a replica of either.
    """
    folder = tmp_path_factory.mktemp("prometheus")
    labels = {"engine": "0", "model_name": "acme/chat"}
    with served(Server(), moves=True) as (page, _), native_served(NATIVE, labels) as native:
        target = page.removeprefix("http://").partition("/")[0]
        jobs = {"vllm": [target], "native": [native], "half": [target, native]}
        scrapes = [{"job_name": job, "static_configs": [{"targets": targets}]} for job, targets in jobs.items()]
        config = {"global": {"scrape_interval": "500ms"}, "scrape_configs": scrapes}
        with prometheus(folder, config, 4, "--enable-feature=native-histograms") as address:
            # A counter has moved over a while that the server can look back on.
            moved = f"vllm:generation_tokens_total - vllm:generation_tokens_total offset {_OVER} > 0"
            wait_until(lambda: bool(queried(address, moved)), "a counter that does not move", _PATIENCE)
            yield address


def check(server: str, spec: Path) -> tuple[int, dict[tuple[str, str], bool | None], list[str]]:
    arguments = ["check-metrics", str(spec), "-q", "--prometheus", server, "--over", _OVER, "--format", "json"]
    done = CliRunner().invoke(cli, arguments)
    results = json.loads(done.stdout)["results"]
    told = {(result["slo"], result["check"]): result["ok"] for result in results}
    return done.exit_code, told, [result["message"] for result in results if result["ok"] is False]


def test_the_true_spec_passes_with_the_labels_that_scraping_adds(server: str, tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(SPEC, "utf-8")
    code, told, broken = check(server, spec)
    assert (code, broken) == (0, [])
    assert {
        (slo, what): True for slo in ("chat-ttft", "chat-itl") for what in ("type", "labels", "bucket", "samples")
    }.items() <= told.items()


def test_a_job_that_nobody_scrapes_is_found(server: str, tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(SPEC.replace("{job: vllm}", "{job: vllm-chat}"), "utf-8")
    code, told, broken = check(server, spec)
    assert code == 1
    assert told["chat-ttft", "labels"] is False
    assert """no series matches {job="vllm-chat"}; job is 'half', 'vllm'""" in broken


@pytest.mark.parametrize(("job", "share"), [("native", ""), ("half", " in 1 of 2 series")])
def test_native_histograms_alone_are_found(server: str, tmp_path: Path, job: str, share: str) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(SPEC.replace("{job: vllm}", f"{{job: {job}}}"), "utf-8")
    code, told, broken = check(server, spec)
    assert code == 1
    assert (told["chat-ttft", "type"], told["chat-itl", "type"]) == (False, False)
    assert [
        text for text in broken if text.startswith(f"is a native histogram alone{share}; the rules read {NATIVE[0]}")
    ]
    assert all("always_scrape_classic_histograms: true" in text for text in broken if text.startswith("is a native"))


def test_an_answer_of_something_else_ends_with_3(tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(SPEC, "utf-8")
    with served(Server()) as (page, _):
        done = CliRunner().invoke(cli, ["check-metrics", str(spec), "-q", "--prometheus", page])
    assert done.exit_code == 3
    assert "no answer of Prometheus's HTTP API" in done.output


# The native page has buckets of schema 0, with all events between 125 ms and 250 ms.
@pytest.mark.parametrize(
    ("job", "threshold", "said"),
    [
        pytest.param("native", "250ms", [], id="an edge of every schema"),
        pytest.param("native", "150ms", ["a bucket reaches from 0.125 to 0.25; the buckets are coarser"], id="coarser"),
        pytest.param("half", "250ms", ["is a classic histogram alone in 1 of 2 series"], id="a replica of either"),
        pytest.param("vllm", "250ms", ["is a classic histogram alone; the rules read native ones"], id="classic"),
    ],
)
def test_a_spec_that_reads_native_histograms(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str, threshold: str, said: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slo-compiler.yaml").write_text('prometheus: {version: "3.5", histograms: exponential}\n', "utf-8")
    spec = tmp_path / "chat.yaml"
    text = SPEC.replace("{job: vllm}", f"{{job: {job}}}").replace("threshold: 250ms", f"threshold: {threshold}")
    spec.write_text(re.sub(r"(?m)^    - \{sli: itl.*\n", "", text), "utf-8")
    code, told, broken = check(server, spec)
    # Nothing on that page shows queues.
    own = [message for message in broken if not message.startswith(("is not there", "no series matches"))]
    assert code == int(bool(broken))
    assert len(own) == len(said)
    assert all(words in message for words, message in zip(said, own, strict=True)), own
    assert told["chat-ttft", "bucket"] is (threshold == "250ms") if job == "native" else True


POLICY = """\
---
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: seconds}
spec: {steps: {fast: 2s, slow: 4s}, tiers: [{factor: 5, longWindow: 12s, shortWindow: 4s, severity: page}]}
"""


def test_the_emitted_scraping_gives_the_rules_their_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two specs of one engine: it is scraped once, under labels that the page does not have, and both see events."""
    monkeypatch.chdir(tmp_path)
    with served(Server(), moves=True) as (page, _):
        target, _, path = page.removeprefix("http://").partition("/")
        more = f"  alerting: {{policy: seconds}}\n  scraping: {{targets: ['{target}'], path: /{path}}}\n"
        for number, zone in enumerate(("", ", zone: b")):
            name, selector = f"chat-{number}", f"{{job: vllm-odd, namespace: live{zone}}}"
            text = SPEC.replace("name: chat}", f"name: {name}}}").replace("{job: vllm}", selector)
            Path(f"{name}.yaml").write_text(text + more + (POLICY if number == 0 else ""), "utf-8")
        Path("slo-compiler.yaml").write_text(
            "prometheus: {scrapeInterval: 1s}\noutputs: {monitors: {kind: scrape-config}}\n", "utf-8"
        )
        done = CliRunner().invoke(cli, ["compile", "chat-0.yaml", "chat-1.yaml", "-o", "out", "-q"])
        assert done.exit_code == 0, done.output
        config = {
            "global": {"scrape_interval": "1m"},
            **yaml.safe_load(Path("out/monitors/monitors.yaml").read_text("utf-8")),
            "rule_files": [str(tmp_path / "out/rules/desk/*.yaml")],
        }
        with prometheus(tmp_path, config, 1) as address:
            both = 'count(slo:events:fast{slo_id=~"desk/chat-[01]-ttft"} > 0) == 2'
            wait_until(lambda: bool(queried(address, both)), "rules that see no events", _PATIENCE)
            (up,) = queried(address, "up")
    labels = {name: up["metric"][name] for name in ("job", "namespace", "zone")}
    assert labels == {"job": "vllm-odd", "namespace": "live", "zone": "b"}
