"""Grafana's own components draw a dashboard from a real Prometheus: `make dashboards`.

Heatmaps and state timelines live in Grafana itself and cannot be drawn outside; their data are asked for all the same.
"""

from __future__ import annotations

import functools
import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page

from slo_compiler.cli import cli
from slo_compiler.documents.traffic_scenario import TrafficScenarioSpec
from slo_compiler.engines import load_builtin_engines
from slo_compiler.exporter.counters import CONTENT_TYPE
from slo_compiler.exporter.layout import layout_of, one_release
from slo_compiler.exporter.simulation import Simulation
from slo_compiler.external.page_server import Answer, serving
from tests.browser import browser
from tests.real.process import folder_of
from tests.real.prometheus import prometheus, replicas

pytestmark = [pytest.mark.loopback, pytest.mark.slow_engines]

VIEW = folder_of("DASHBOARD_VIEW_DIR", "dashboard-view") / "dist"
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "dashboard.png"
NAMES = ("chat-0", "chat-1", "chat-2")
# Good traffic, slow prefill, good traffic, failures, good traffic.
PHASES: list[dict[str, Any]] = [
    {"for": "60s"},
    {"for": "40s", "promptTokens": 4096, "prefillTokensPerSecond": 2700},
    {"for": "60s"},
    {"for": "20s", "failures": "10%"},
    {"for": "20s"},
]
HISTORY = 200  # seconds
SPEC = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: minutes}
spec:
  steps: {fast: 2s, slow: 4s}
  tiers:
    - {factor: 14.4, longWindow: 60s, shortWindow: 10s, severity: page}
    - {factor: 6, longWindow: 2m, shortWindow: 30s, severity: page}
    - {factor: 1, longWindow: 4m, shortWindow: 60s, severity: ticket}
---
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata:
  name: llama-70b-chat
  displayName: Llama 3.1 70B, chat
  labels: {team: ml-platform}
  annotations: {slo-compiler/runbook: "https://runbooks.example.com/chat"}
spec:
  service: assistant
  model: meta-llama/Llama-3.1-70B-Instruct
  servedModelName: chat-70b
  endpoint: /v1/chat/completions
  engine: {name: vllm, version: "0.11"}
  selector: {namespace: prod, job: vllm-chat}
  useCase: chatbot
  timeWindow: [{duration: 1d, isRolling: true}]
  objectives:
    - {sli: ttft}
    - {sli: itl}
    - {sli: availability, target: 99.9%, source: {engine: vllm}}
  alerting: {policy: minutes, queueWaitingPerReplica: 24}
"""
# What says something by having no value: a budget that lasts.
MAY_BE_SILENT = ("exhausted in",)


class Drawn(NamedTuple):
    """The page, and what it tells of each panel: its samples, or what went wrong."""

    page: Page
    told: dict[str, dict[str, Any]]
    said: list[str]
    dashboard: dict[str, Any]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    """The dashboard, three minutes and more after its fleet began."""
    folder = tmp_path_factory.mktemp("view")
    (folder / "spec.yaml").write_text(SPEC, "utf-8")
    (folder / "slo-compiler.yaml").write_text("prometheus: {scrapeInterval: 1s}\n", "utf-8")
    given = ["spec.yaml", "-o", "out", "--only", "rules,dashboards", "--config", "slo-compiler.yaml", "-q"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(cli, ["compile", *given])
    assert done.exit_code == 0, done.output
    (path,) = (folder / "out" / "dashboards" / "assistant").glob("*.json")
    dashboard = json.loads(path.read_text("utf-8"))
    with fleet() as port:
        targets = {"job_name": "vllm-chat", "static_configs": replicas(port, NAMES, namespace="prod")}
        config = {"rule_files": ["out/rules/assistant/*.yaml"], "scrape_configs": [targets]}
        with prometheus(folder, config, len(NAMES), "--web.cors.origin=.*") as address:
            time.sleep(HISTORY)
            now = int(time.time())
            shown = {"dashboard": dashboard, "prometheus": address, "from": now - HISTORY, "to": now, "mode": "dark"}
            with served({**shown, "rate": 4}) as view, browser() as started:
                yield looked_at(started.new_page(viewport={"width": 1460, "height": 1000}), view, dashboard)


def looked_at(page: Page, address: str, dashboard: dict[str, Any]) -> Drawn:
    """The page when everything on it is drawn."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if _is_fault(message) else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.goto(address)
    page.wait_for_function("window.drawn === true", timeout=120_000)
    page.wait_for_timeout(1500)  # plots are drawn a frame after their data
    return Drawn(page, page.evaluate("window.told"), said, dashboard)


def _is_fault(message: ConsoleMessage) -> bool:
    """Icons come from a Grafana, which is not there."""
    return message.type == "error" and "/public/" not in message.location.get("url", "")


@contextmanager
def fleet() -> Iterator[int]:
    """The port of three replicas that live through the phases."""
    phases = [{"requestsPerSecond": 6, **phase} for phase in PHASES]
    scenario = TrafficScenarioSpec.model_validate({"phases": phases})
    layout = layout_of(one_release(load_builtin_engines()["vllm"], "0.11"), {"model_name": "chat-70b"})
    simulation = Simulation(scenario, (layout, {}), replicas=len(NAMES), seed=7)
    begun, lock = time.time(), Lock()

    def answer(path: str) -> Answer:
        with lock:
            simulation.advance(time.time() - begun)
            return Answer(200, CONTENT_TYPE, simulation.page(NAMES.index(path.split("/")[1])) or "")

    with serving("127.0.0.1", 0, answer) as port:
        yield port


@contextmanager
def served(shown: dict[str, Any]) -> Iterator[str]:
    """The address of the page, beside it what it shows."""
    if not (VIEW / "index.html").is_file():
        pytest.fail(f"{VIEW} is missing; scripts/ensure_dashboard_view.sh builds it", pytrace=False)

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/config.json":
                super().do_GET()
                return
            body = json.dumps(shown).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(VIEW)))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_every_panel_has_data_and_none_fails(drawn: Drawn) -> None:
    faults = {what["title"]: what["fault"] for what in drawn.told.values() if "fault" in what}
    silent = [
        what["title"]
        for what in drawn.told.values()
        if what["targets"] and not what.get("samples") and not what["title"].endswith(MAY_BE_SILENT)
    ]
    assert (faults, silent, drawn.said) == ({}, [], [])
    ids = {str(panel["id"]) for row in drawn.dashboard["panels"] for panel in (row, *row.get("panels", ()))}
    rows = {str(row["id"]) for row in drawn.dashboard["panels"] if row["type"] == "row"}
    assert set(drawn.told) == ids - rows


def test_the_threshold_is_a_dashed_line_across_the_quantiles(drawn: Drawn) -> None:
    number = next(number for number, what in drawn.told.items() if what["title"].startswith("TTFT: quantiles"))
    shot = drawn.page.locator(f"[data-panel='{number}']").screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    width, height = picture.size
    pixels = picture.load()
    assert pixels is not None
    most = max(sum(_is_red(pixels[x, y]) for x in range(width)) for y in range(height))
    assert width / 4 < most < width  # dashes and gaps


def _is_red(pixel: Any) -> bool:
    """The line is drawn over the canvas, and not quite opaque; the quantiles are green, orange and purple."""
    red, green, blue = pixel
    return bool(red > 140 and green < 110 and blue < 130)


def test_what_is_drawn_is_kept_as_a_picture(drawn: Drawn) -> None:
    picture = Image.open(io.BytesIO(drawn.page.screenshot(full_page=True))).convert("RGB")
    assert picture.height > 3000
    assert len(picture.getcolors(1 << 24) or ()) > 100
    if os.environ.get("UPDATE_IMAGES"):
        picture.quantize(128, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
