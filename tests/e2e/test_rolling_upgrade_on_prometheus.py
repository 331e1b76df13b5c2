"""A real Prometheus scrapes a fleet while one replica after another moves over a rename of vLLM.

Replicas of 0.9 expose time_per_output_token alone, those of 0.12 inter_token_latency alone, and those of 0.10 both, with
the same observations. As in the rolling upgrade of a Deployment, a new pod answers before requests go to it, and an old
one answers until its last request ended.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

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
from tests.real.prometheus import prometheus, queried, replicas

pytestmark = pytest.mark.e2e

SLO = "assistant/chat-itl"
# Fifteen times as fast as usual and more, so that an upgrade takes half a minute. A tile is two scrapes long, as it is.
STEPS = {"fast": 2, "slow": 4}  # seconds
CONFIG = "prometheus: {scrapeInterval: 1s}\n"
POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: seconds}
spec:
  steps: {fast: 2s, slow: 4s}
  tiers:
    - {factor: 5, longWindow: 12s, shortWindow: 4s, severity: page}
"""
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.10"}
  selector: {job: vllm}
  experienceClass: interactive
  objectives:
    - {sli: itl, threshold: 25ms, target: 90%}
  alerting: {policy: seconds}
"""
THRESHOLD = 0.025  # seconds

# The run, in seconds from its begin. A pod is there for a while before and after it gets requests.
BEGINS, ENDS, OVER = 2.0, 22.0, 27.5
MOVES = {"0.10": (5.5, 8.0, 10.5), "0.12": (13.0, 15.5, 18.0)}
EARLY, LATE = 1.8, 2.2
# Of a counter that stood at 0 the first tile sees two thirds and more; here each counter's first tile is a seventh of its
# life. A machine that is busy scrapes late, besides.
FEWER, MORE = -0.07, 0.03

Series = list[tuple[float, float]]  # seconds since 1970, value


class Pod:
    """One process of vLLM, as `simulate-exporter` shows it, and what it really did."""

    def __init__(self, replica: int, version: str, begins: float, ends: float) -> None:
        self.name = f"chat-{replica}-{version.replace('.', '-')}"
        self.begins, self.ends = begins, ends
        self._there = (begins - EARLY, ends + LATE)
        self._lock = Lock()
        self._log: list[dict[str, Any]] = []
        traffic = {"requestsPerSecond": 25, "outputTokens": 50, "spread": 0.4}
        phases = [
            {"for": f"{EARLY}s", "requestsPerSecond": 0},
            {"for": f"{ends - begins:g}s", **traffic},
            {"requestsPerSecond": 0},
        ]
        engine = one_release(load_builtin_engines()["vllm"], version)
        scenario = TrafficScenarioSpec.model_validate({"concurrency": 200, "phases": phases})
        layout = layout_of(engine, {"model_name": "acme/chat"})
        self._simulation = Simulation(
            scenario, (layout, {}), replicas=1, seed=replica, log=lambda told: self._log.append(dict(told))
        )

    def page(self, now: float) -> str | None:
        """Its metrics page; None before it is there, and after."""
        since, until = self._there
        if not since <= now < until:
            return None
        with self._lock:
            self._simulation.advance(now - since)
            return self._simulation.page(0)

    @property
    def tokens(self) -> list[tuple[int, float]]:
        """How many came at once, and the seconds between two of them."""
        return [(told["new"], told["gap"]) for told in self._log if told["event"] == "token"]


def pods() -> list[Pod]:
    """Three replicas, each over three versions."""
    found = []
    for replica, (first, second) in enumerate(zip(MOVES["0.10"], MOVES["0.12"], strict=True)):
        times = (BEGINS, first, second, ENDS)
        for version, begins, ends in zip(("0.9", "0.10", "0.12"), times, times[1:], strict=False):
            found.append(Pod(replica, version, begins, ends))
    return found


class ByHand(NamedTuple):
    """What is written instead of the joined names.

    Attributes:
        text: by the new and the old side of what is summed.
        fast, slow: what is wrong with its tiles.
    """

    text: Callable[[str, str], str]
    fast: str
    slow: str


BY_HAND = {
    "the sums are added": ByHand(lambda new, old: f"(sum({new}) + sum({old}))", "gap", "too many"),
    "the sums are added, or 0": ByHand(
        lambda new, old: f"((sum({new}) or vector(0)) + (sum({old}) or vector(0)))", "too many", "too many"
    ),
    "the new sum, or the old": ByHand(lambda new, old: f"(sum({new}) or sum({old}))", "too few", "too few"),
    "the new name alone": ByHand(lambda new, _: f"sum({new})", "too few", "too few"),
    "the old name alone": ByHand(lambda _, old: f"sum({old})", "too few", "too few"),
}


class Run(NamedTuple):
    """What happened, and what Prometheus recorded of it.

    Attributes:
        begun: seconds since 1970.
        tokens: how many there were but for the first of each request, and how many of them came late.
        recorded: the samples by `slo_id`, name and level.
    """

    begun: float
    tokens: tuple[int, int]
    recorded: Mapping[tuple[str, str, str], Series]

    def faults(self, slo_id: str, level: str) -> list[str]:
        """What is wrong with the tiles of an SLO: gaps, and too many or too few events."""
        tiles, step = self.recorded[slo_id, "events", level], STEPS[level]
        # A tile ends within a step of the first request, and within a step of the last.
        begins, ends = self.begun + BEGINS, self.begun + ENDS
        known = [begins, *(at for at, _ in tiles if begins < at < ends + step), ends + step]
        gaps = [at - self.begun for at, after in pairwise(known) if after - at > 1.5 * step]
        found = [f"gap after {gap:.1f}s" for gap in gaps]
        off = sum(value for _, value in tiles) / self.tokens[0] - 1
        if not FEWER < off < MORE:
            found.append(f"too {'many' if off > 0 else 'few'}: {off:+.1%}")
        return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole upgrade, once for all tests."""
    folder = tmp_path_factory.mktemp("upgrade")
    files = _rule_files(folder)
    fleet, begun = pods(), [0.0]
    by_path = {f"/{pod.name}/metrics": pod for pod in fleet}

    def answer(path: str) -> Answer:
        page = by_path[path].page(time.time() - begun[0]) if begun[0] else None
        return Answer(200, CONTENT_TYPE, page) if page is not None else Answer(503, "text/plain", "gone\n")

    with (
        serving("127.0.0.1", 0, answer) as port,
        prometheus(folder, _config(files, port, fleet), len(fleet)) as address,
    ):
        begun[0] = time.time()
        time.sleep(OVER)
        recorded = {
            (slo_id, name, level): _samples(address, f'slo:{name}:{level}{{slo_id="{slo_id}"}}')
            for slo_id in (SLO, *BY_HAND)
            for name in ("events", "bad_events")
            for level in STEPS
        }
    tokens = [token for pod in fleet for token in pod.tokens]
    late = sum(count for count, gap in tokens if gap > THRESHOLD)
    return Run(begun[0], (sum(count for count, _ in tokens), late), recorded)


def _rule_files(folder: Path) -> list[str]:
    """The compiled rules, and one file for each way in which they would be written by hand."""
    for name, text in {"slo-compiler.yaml": CONFIG, "chat.yaml": SPEC, "policy.yaml": POLICY}.items():
        (folder / name).write_text(text, "utf-8")
    given = ["chat.yaml", "policy.yaml", "-o", "out", "--only", "rules", "--config", "slo-compiler.yaml", "-q"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(cli, ["compile", *given])
    assert done.exit_code == 0, done.output
    compiled = folder / "out" / "rules" / "assistant" / "chat.yaml"
    for number, (name, instead) in enumerate(BY_HAND.items()):
        changed = _by_hand(yaml.safe_load(compiled.read_text("utf-8")), name, instead.text)
        (folder / f"{number}.yaml").write_text(yaml.safe_dump(changed), "utf-8")
    return [str(compiled), *(f"{number}.yaml" for number in range(len(BY_HAND)))]


def _by_hand(rules: Any, name: str, written: Callable[[str, str], str]) -> Any:
    """The rules that record tiles, for an SLO of another name."""
    for group in rules["groups"]:
        group["name"] = f"{name}, {group['name']}"
        group["rules"] = [rule for rule in group["rules"] if "events:" in rule.get("record", "")]
        group["rules"] = [rule for rule in group["rules"] if "period" not in rule["record"]]
        for rule in group["rules"]:
            joined = re.compile(r"sum\((rate.*?) or (rate.*?)\) \*")
            changed, count = joined.subn(lambda sides: f"{written(sides[1], sides[2])} *", rule["expr"])
            assert count == 1, rule["expr"]
            rule["expr"] = changed.replace(SLO, name)
            rule["labels"]["slo_id"] = name
    rules["groups"] = [group for group in rules["groups"] if group["rules"]]
    return rules


def _config(files: list[str], port: int, fleet: list[Pod]) -> dict[str, Any]:
    targets = replicas(port, (pod.name for pod in fleet))
    return {"rule_files": files, "scrape_configs": [{"job_name": "vllm", "static_configs": targets}]}


def _samples(address: str, selector: str) -> Series:
    """Every sample of the one series that was ever recorded."""
    found = queried(address, f"{selector}[5m]")
    assert len(found) <= 1, found
    return [(float(at), float(value)) for one in found for at, value in one["values"]]


@pytest.mark.parametrize("level", STEPS)
def test_no_tile_is_missing_and_every_token_is_counted_once(run: Run, level: str) -> None:
    assert run.tokens[0] > 50_000
    assert run.faults(SLO, level) == []


@pytest.mark.parametrize("level", STEPS)
def test_the_error_ratio_is_that_of_the_log(run: Run, level: str) -> None:
    bad, events = (sum(value for _, value in run.recorded[SLO, name, level]) for name in ("bad_events", "events"))
    total, late = run.tokens
    assert late / total > 0.05
    assert bad / events == pytest.approx(late / total, abs=0.015)


@pytest.mark.parametrize("level", STEPS)
@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_written_by_hand_is_found_out(run: Run, name: str, level: str) -> None:
    faults = run.faults(name, level)
    assert any(fault.startswith(getattr(BY_HAND[name], level)) for fault in faults), faults
