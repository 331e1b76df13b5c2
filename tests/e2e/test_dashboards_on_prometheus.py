"""Every query of every panel gets an answer from a real Prometheus that scrapes a simulated fleet under compiled rules.

The policy's steps are scaled down, so that half a minute is a history. Where nobody asks anything, nothing is answered,
and never NaN.
"""

from __future__ import annotations

import json
import math
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.documents.traffic_scenario import TrafficScenarioSpec
from slo_compiler.engines import load_builtin_engines
from slo_compiler.exporter.counters import CONTENT_TYPE
from slo_compiler.exporter.layout import layout_of, one_release
from slo_compiler.exporter.simulation import Simulation
from slo_compiler.external.page_server import Answer, serving
from tests.dashboard_rules import expanded, panels
from tests.real.process import fetched
from tests.real.prometheus import prometheus, queried, replicas

pytestmark = pytest.mark.e2e

REPLICAS = 2
HISTORY = 26.0  # seconds
SCRAPE = 1  # seconds
POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: seconds}
spec:
  steps: {fast: 2s, slow: 4s}
  tiers:
    - {factor: 2, longWindow: 12s, shortWindow: 4s, severity: page, minBadEvents: 1}
    - {factor: 1, longWindow: 16s, shortWindow: 8s, severity: ticket}
  worstReplica: {factor: 1, errorRatio: 10%, window: 5m, for: 5m, minBadEvents: 1}
"""
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: NAME, labels: {team: a}}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {job: JOB}
  timeWindow: [{duration: 1d, isRolling: true}]
  experienceClass: interactive
  traffic: {outputTokens: 30}
  alerting: {policy: seconds, worstReplica: true, queueWaitingPerReplica: 7}
  GROUPS
  objectives:
    - {sli: ttft, threshold: 150ms, target: 95%}
    - {sli: itl, threshold: 25ms, target: 95%}
    - {sli: e2e, threshold: 900ms, target: 90%, mode: page}
    - {sli: availability, target: 99%, source: {engine: vllm}}
"""
SLICES = "    - {sli: throughput, rate: 100000, slice: 4s, target: 90%}\n"
SPECS = {
    "busy": SPEC.replace("NAME", "busy").replace("JOB", "vllm").replace("GROUPS", "stage: production") + SLICES,
    "grouped": SPEC.replace("NAME", "grouped")
    .replace("JOB", "vllm")
    .replace("GROUPS", "groupBy: {labels: [instance]}"),
    "idle": SPEC.replace("NAME", "idle").replace("JOB", "nobody").replace("GROUPS", "stage: production") + SLICES,
}
# What Grafana puts in: of a panel half a minute wide, and all that a filter offers.
VARIABLES = {"__rate_interval": f"{4 * SCRAPE}s", "__range": "30s", "__range_s": "30"}
FILTERS = dict.fromkeys(("service", "team", "class", "severity"), ".*")
ONE = ("stat", "gauge")
# A budget that lasts is exhausted at no time: the panel says so.
LASTS = {"Throughput: exhausted in A"}


class Server(NamedTuple):
    """A server with half a minute of history, and the dashboards by the name of their spec."""

    address: str
    now: float
    dashboards: Mapping[str, dict[str, Any]]

    def ask(self, expression: str, *, instant: bool) -> list[dict[str, Any]]:
        """The series that answer a query.

        Raises:
            OSError: the server refuses it.
        """
        query = expanded(expression, {**VARIABLES, **FILTERS})
        if instant:
            return queried(self.address, query, time=f"{self.now}")
        return queried(self.address, query, start=f"{self.now - 16}", end=f"{self.now}", step="2")


def values(series: Mapping[str, Any]) -> list[float]:
    """All values of a series."""
    return [float(value) for _, value in series.get("values", [series.get("value")])]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, started once for all tests."""
    folder = tmp_path_factory.mktemp("dashboards")
    compiled(folder)
    traffic = {"requestsPerSecond": 16, "promptTokens": 1800, "outputTokens": 30, "interTokenLatency": "24ms"}
    scenario = {"concurrency": 12, "phases": [{**traffic, "failures": "20%"}]}
    layout = layout_of(one_release(load_builtin_engines()["vllm"], "0.11"), {"model_name": "acme/chat"})
    simulation = Simulation(TrafficScenarioSpec.model_validate(scenario), (layout, {}), replicas=REPLICAS, seed=7)
    begun, lock = time.time(), Lock()

    def answer(path: str) -> Answer:
        with lock:
            simulation.advance(time.time() - begun)
            return Answer(200, CONTENT_TYPE, simulation.page(int(path.split("/")[1])) or "")

    with serving("127.0.0.1", 0, answer) as port, prometheus(folder, config(port), REPLICAS) as address:
        time.sleep(HISTORY)
        found = {
            path.stem: json.loads(path.read_text("utf-8")) for path in (folder / "out" / "dashboards").rglob("*.json")
        }
        yield Server(address, time.time(), found)


def compiled(folder: Path) -> None:
    """Rules and dashboards of the specs."""
    texts = {**{f"{name}.yaml": text for name, text in SPECS.items()}, "policy.yaml": POLICY}
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "slo-compiler.yaml").write_text(f"prometheus: {{scrapeInterval: {SCRAPE}s}}\n", "utf-8")
    given = [*texts, "-o", "out", "--only", "rules,dashboards", "--config", "slo-compiler.yaml", "-q"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(cli, ["compile", *given])
    assert done.exit_code == 0, done.output


def config(port: int) -> dict[str, Any]:
    """What the server scrapes and evaluates."""
    targets = replicas(port, map(str, range(REPLICAS)))
    return {
        "rule_files": ["out/rules/assistant/*.yaml"],
        "scrape_configs": [{"job_name": "vllm", "static_configs": targets}],
    }


def asked(dashboard: dict[str, Any]) -> Iterator[tuple[str, str, bool, str]]:
    """Each target: where it is, its query, whether for one moment, and the type of its panel."""
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            where = f"{panel['title']} {target['refId']}"
            yield where, target["expr"], target["instant"], panel["type"]


@pytest.mark.parametrize("name", ["busy", "grouped", "overview"])
def test_every_query_is_answered(server: Server, name: str) -> None:
    silent, many, broken = [], [], []
    for where, expression, instant, kind in asked(server.dashboards[name]):
        found = server.ask(expression, instant=instant)
        if not found and where not in LASTS:
            silent.append(where)
        if kind in ONE and len(found) > 1:
            many.append(f"{where}: {len(found)}")
        if any(math.isnan(value) for series in found for value in values(series)[-1:]):
            broken.append(where)
    assert (silent, many, broken) == ([], [], [])


def test_where_nobody_asks_nothing_is_answered(server: Server) -> None:
    """No NaN, no zero that stands for nothing: the panels say `no traffic`."""
    spoken = set()
    for where, expression, instant, _ in asked(server.dashboards["idle"]):
        found = server.ask(expression, instant=instant)
        assert not any(math.isnan(value) for series in found for value in values(series)), where
        if found:
            spoken.add(where.rpartition(" ")[0])
    # The target, the age of the rules and the line of even spending are there without any traffic.
    assert spoken <= {"Objectives", "Age of the rules", "Budget left over 1d", "Share of the period that is recorded"}
    assert {"Objectives", "Age of the rules"} < spoken


def test_marks_are_answered(server: Server) -> None:
    found = {
        annotation["name"]: server.ask(annotation["target"]["expr"], instant=False)
        for annotation in server.dashboards["busy"]["annotations"]["list"]
        if "target" in annotation
    }
    assert set(found) == {"Burn alerts", "Objective changed", "Engine restarts"}
    assert {series["metric"]["alertname"] for series in found["Burn alerts"]} >= {"SLOBurnRatePage"}
    assert found["Objective changed"] == []


def test_what_is_shown_is_so(server: Server) -> None:
    """The good share of a second promise is its burn rate turned round, and the bounds of goodput hold the truth."""
    dashboard = server.dashboards["busy"]
    shown = {where: expression for where, expression, _, _ in asked(dashboard)}

    def now(where: str) -> float:
        (series,) = server.ask(shown[where], instant=True)
        return values(series)[0]

    share, other = now("TTFT: good share, target 95% A"), now("TTFT: good share, target 95% B")
    assert 0 < other <= share < 1
    everything, most, least = (now(f"Goodput: requests that keep every promise, by the second {ref}") for ref in "ABC")
    assert 0 <= least <= most < everything
    assert everything == pytest.approx(16, rel=0.5)
    assert now("TTFT: quantiles (promised 150ms, measured at 250ms) A") < 1
    assert now("Objectives with data, of 5 A") == 5
    (lasting,) = LASTS
    assert now("Throughput: burn rate, 16s, x A") < 1 and server.ask(shown[lasting], instant=True) == []
    assert now("Targets up A") == 1


def test_filters_offer_what_there_is(server: Server) -> None:
    for variable in server.dashboards["overview"]["templating"]["list"]:
        if variable["type"] == "query":
            series, _, label = variable["query"]["query"].removeprefix("label_values(").rpartition(", ")
            path = f"label/{label.removesuffix(')')}/values?{urllib.parse.urlencode({'match[]': series})}"
            assert json.loads(fetched(f"{server.address}/api/v1/{path}"))["data"], variable["name"]
