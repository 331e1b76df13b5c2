"""A real Prometheus feeds a real Alertmanager, as both are compiled: an incident is one page, with links that lead on.

Requests fail, and then those that do not are slow. Windows last seconds, by a policy with small steps; nothing else differs
from what people run, but for who is told.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.documents.traffic_scenario import TrafficScenarioSpec
from slo_compiler.engines import load_builtin_engines
from slo_compiler.exporter.counters import CONTENT_TYPE
from slo_compiler.exporter.layout import layout_of, one_release
from slo_compiler.exporter.simulation import Simulation
from slo_compiler.external.page_server import Answer, serving
from tests.real.process import fetched, free_port, running, wait_until

pytestmark = pytest.mark.e2e

POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: seconds}
spec:
  steps: {fast: 2s, slow: 4s}
  tiers:
    - {factor: 6, longWindow: 12s, shortWindow: 4s, severity: page}
    - {factor: 4, longWindow: 24s, shortWindow: 8s, severity: page}
    - {factor: 2, longWindow: 24s, shortWindow: 12s, severity: ticket, for: 8s}
"""
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: odd-chat}
spec:
  service: lab
  model: acme/odd
  endpoint: /v1/odd
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  experienceClass: interactive
  objectives:
    - {sli: ttft, threshold: 500ms, target: 95%}
    - {sli: availability, target: 95%, source: {engine: vllm}}
  alerting: {policy: seconds}
"""
CONFIG = """\
prometheus: {{scrapeInterval: 1s}}
urls: {{runbooks: "{pages}/runbooks", grafana: "{pages}"}}
outputs: {{alertmanager: {{receivers: {{page: on-call}}}}}}
"""
PHASES = [
    {"for": "4s", "requestsPerSecond": 30, "outputTokens": 5},
    {"for": "10s", "requestsPerSecond": 30, "outputTokens": 5, "failures": "70%"},
    # Then those that do not wait for prompts that are read a thousand times as slowly.
    {"requestsPerSecond": 30, "outputTokens": 5, "failures": "70%", "prefillTokensPerSecond": 300},
]
TICKET_LATEST, PAGE_LATEST = 40.0, 30.0  # seconds that they may take


class Told:
    """Who is told what: each notification with its receiver."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: list[tuple[str, dict[str, Any]]] = []

    def add(self, receiver: str, notification: dict[str, Any]) -> None:
        with self._lock:
            self._found.append((receiver, notification))

    def by(self, receiver: str) -> list[dict[str, Any]]:
        with self._lock:
            return [notification for name, notification in self._found if name == receiver]


@contextmanager
def hooks(told: Told) -> Iterator[int]:
    """Receivers of webhooks: the path is the name of the receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.add(self.path.strip("/"), json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Run:
    """What was told, what Alertmanager knows in the end, and the pages that alerts link to."""

    def __init__(self, told: Told, alerts: list[dict[str, Any]], pages: dict[str, str]) -> None:
        self.told = told
        self.alerts = alerts
        self.pages = pages

    def of(self, name: str, sli: str) -> list[dict[str, Any]]:
        return [item for item in self.alerts if item["labels"]["alertname"] == name and item["labels"]["sli"] == sli]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole incident, once for all tests."""
    folder = tmp_path_factory.mktemp("incident")
    told, begun, lock = Told(), time.monotonic(), Lock()
    engine = one_release(load_builtin_engines()["vllm"], "0.11")
    scenario = TrafficScenarioSpec.model_validate({"concurrency": 400, "phases": PHASES})
    simulation = Simulation(scenario, (layout_of(engine, {"model_name": "acme/odd"}), {}), replicas=1, seed=3)

    def answer(path: str) -> Answer:
        if path == "/metrics":
            with lock:
                simulation.advance(time.monotonic() - begun)
                return Answer(200, CONTENT_TYPE, simulation.page(0) or "")
        if path.startswith("/d/"):  # as Grafana finds a dashboard: by its uid
            for file in sorted((folder / "out/dashboards/lab").glob("*.json")):
                text = file.read_text("utf-8")
                if json.loads(text)["uid"] == path.removeprefix("/d/"):
                    return Answer(200, "application/json", text)
            return Answer(404, "text/plain", "no such dashboard\n")
        file = folder / "out" / path.lstrip("/")
        found = file.is_file() and file.resolve().is_relative_to(folder.resolve())
        return Answer(200, "text/markdown", file.read_text("utf-8")) if found else Answer(404, "text/plain", "gone\n")

    with serving("127.0.0.1", 0, answer) as port, hooks(told) as hook:
        compile_all(folder, f"http://127.0.0.1:{port}")
        with alertmanager(folder, hook) as receiver, prometheus(folder, port, receiver):
            begun = time.monotonic()

            def alerts() -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = json.loads(fetched(f"http://{receiver}/api/v2/alerts"))
                return found

            def firing(name: str, sli: str) -> bool:
                return any(item["labels"]["alertname"] == name and item["labels"]["sli"] == sli for item in alerts())

            wait_until(lambda: bool(told.by("on-call")), "nobody is paged", PAGE_LATEST)
            wait_until(lambda: firing("SLOBurnRateTicket", "availability"), "no ticket", TICKET_LATEST)
            wait_until(lambda: firing("SLOBurnRatePage", "ttft"), "no late first token", TICKET_LATEST)
            time.sleep(4)  # longer than a group waits
            known = alerts()
            pages = {
                address: fetched(address)
                for item in known
                for address in (item["annotations"]["runbook_url"], item["annotations"]["dashboard_url"])
            }
            yield Run(told, known, pages)


def compile_all(folder: Path, pages: str) -> None:
    for name, text in {
        "slo-compiler.yaml": CONFIG.format(pages=pages),
        "odd.yaml": SPEC,
        "policy.yaml": POLICY,
    }.items():
        (folder / name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        kinds = "rules,runbooks,dashboards,alertmanager"
        done = CliRunner().invoke(cli, ["compile", "odd.yaml", "policy.yaml", "-o", "out", "--only", kinds, "-q"])
    assert done.exit_code == 0, done.output


@contextmanager
def alertmanager(folder: Path, hook: int) -> Iterator[str]:
    """Alertmanager with the compiled configuration, of which each receiver tells a webhook."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.fail("Alertmanager is missing; scripts/ensure_alertmanager.sh installs it", pytrace=False)
    config = yaml.safe_load((folder / "out/alertmanager/alertmanager.yml").read_text("utf-8"))
    config["route"] |= {"group_wait": "2s", "group_interval": "1s"}
    for item in config["receivers"]:
        item["webhook_configs"] = [{"url": f"http://127.0.0.1:{hook}/{item['name']}", "send_resolved": False}]
    own = folder / "alertmanager"
    own.mkdir()
    (own / "alertmanager.yml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [program, "--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="]
    command.append(f"--web.listen-address={address}")
    with running(command, f"http://{address}/-/ready", own, within=30):
        yield address


@contextmanager
def prometheus(folder: Path, port: int, receiver: str) -> Iterator[str]:
    """Prometheus with the compiled rules."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("prometheus is not on the PATH; scripts/ensure_promtool.sh installs it", pytrace=False)
    config = {
        "global": {"scrape_interval": "1s"},
        "rule_files": [str(folder / "out/rules/lab/odd-chat.yaml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [receiver]}]}]},
        "scrape_configs": [{"job_name": "vllm", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"http://127.0.0.1:{free_port()}"
    command = [program, "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--log.level=error"]
    command.append(f"--web.listen-address={address.removeprefix('http://')}")
    with running(command, f"{address}/-/ready", folder, within=60):
        yield address


def test_an_incident_is_one_page_though_three_tiers_and_two_slos_burn(run: Run) -> None:
    pages = run.told.by("on-call")
    assert {page["groupLabels"]["slo_id"] for page in pages} == {"lab/odd-chat-availability"}
    assert {page["groupLabels"]["alertname"] for page in pages} == {"SLOBurnRatePage"}
    assert len({page["groupKey"] for page in pages}) == 1
    tiers = {item["labels"]["tier"] for page in pages for item in page["alerts"]}
    assert tiers == {"6x", "4x"}


def test_the_ticket_and_the_late_first_tokens_are_inhibited(run: Run) -> None:
    for name, sli in (("SLOBurnRateTicket", "availability"), ("SLOBurnRatePage", "ttft")):
        for item in run.of(name, sli):
            assert item["status"]["state"] == "suppressed", item
            assert item["status"]["inhibitedBy"], item
    assert run.told.by("slo-ticket") == []
    assert all(item["status"]["state"] == "active" for item in run.of("SLOBurnRatePage", "availability"))


def test_the_links_of_the_page_lead_to_its_runbook_and_its_dashboard(run: Run) -> None:
    (alert, *_) = run.told.by("on-call")[0]["alerts"]
    runbook = urllib.parse.urldefrag(alert["annotations"]["runbook_url"])
    assert f'<a id="{runbook.fragment}"></a>\n\n## SLOBurnRatePage\n' in run.pages[alert["annotations"]["runbook_url"]]
    dashboard = json.loads(run.pages[alert["annotations"]["dashboard_url"]])
    assert "odd-chat" in json.dumps(dashboard["panels"])
