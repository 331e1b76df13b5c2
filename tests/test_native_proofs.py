"""Rules on native histograms under a promtool 3: the generated tests hold, notice faults, and agree with a log of requests.

Older releases of promtool cannot draw such series: `make promtool3` runs these tests.
"""

from __future__ import annotations

import bisect
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.emit import promtool_tests
from slo_compiler.emit.base import Context
from slo_compiler.emit.rules import rules_path
from slo_compiler.external import promtool
from tests.promtool_case import Case, Compiled, compile_text

pytestmark = [pytest.mark.promtool3, pytest.mark.usefixtures("promtool3")]

ROOT = Path(__file__).resolve().parent.parent
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: acme/m
  engine: {name: vllm, version: "0.11", histograms: FORM}
  selector: {job: vllm}
  objectives: [OBJECTIVE]
"""
# The edges around it are 25 ms and 50 ms; the metric has had two names.
ITL = "{sli: itl, threshold: 30ms, target: 95%}"
TTFT = "{sli: ttft, threshold: 250ms, target: 95%}"


def compiled(folder: Path, form: str, objective: str) -> Compiled:
    found = compile_text(folder, SPEC.replace("FORM", form).replace("OBJECTIVE", objective), version="3.5")
    assert found.spec is not None, found.diagnostics
    return found


@pytest.mark.parametrize("spec", ["chat", "gateway"])
def test_generated_tests_prove_the_examples(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "examples" / "native-histograms")
    result = CliRunner().invoke(cli, ["compile", f"specs/{spec}.yaml", "-o", str(tmp_path / "out"), "-q"])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(cli, ["test", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "1 rule file," in result.output


BAD, EVENTS, COVERED = "slo:bad_events:fast", "slo:events:fast", "slo:covered:ratio"
SLOW_BAD, POSSIBLE, ABSENT = "slo:bad_events:slow", "slo:possible_bad_events:slow", "SLOSourceAbsent"
# The rule that is changed, what is replaced in it by a regular expression, and by what. \\1 is the one name, \\2 the other.
FAULTS: dict[str, tuple[str, str, str]] = {
    "the edge below": (BAD, r"-Inf, 0\.05\b", "-Inf, 0.025"),
    "the edge above": (BAD, r"-Inf, 0\.05\b", "-Inf, 0.075"),
    "hardly over the edge": (BAD, r"-Inf, 0\.05\b", "-Inf, 0.051"),
    "the promise itself, which is between edges": (BAD, r"-Inf, 0\.05\b", "-Inf, 0.03"),
    "the share beyond the edge": (BAD, r"-Inf, 0\.05\b", "0.05, +Inf"),
    "shares that are not weighed by events": (BAD, r" \* \(histogram_count\([^>]*> 0\)", ""),
    "a share of nothing": (BAD, r"\((histogram_count\([^>]*) > 0\)", r"\1"),
    "no bad events in an idle fleet": (BAD, r" or on \(\) 0 \* [^)]*\)", ")"),
    "an idle fleet that reads another SLO's events": (BAD, r"(0 \* slo:events:fast)\{[^}]*\}", r"\1"),
    "slow tiles without bad events in an idle fleet": (SLOW_BAD, r" or on \(\) 0 \* [^)]*\)", ")"),
    "a share of nothing in slow tiles": (SLOW_BAD, r"\((histogram_count\([^>]*) > 0\)", r"\1"),
    "coverage that misses the classic part's older name": (COVERED, r" or rate\(vllm:time_per_\S*_count\{[^)]*\)", ""),
    "good events of the newer name alone": (BAD, r"( > 0\)) or .*? > 0\)", r"\1"),
    "good events of a shorter window": (BAD, r"\[45s\]", "[30s]"),
    "good events of a longer window": (BAD, r"\[45s\]", "[1m]"),
    "slow tiles that end one scrape early": (SLOW_BAD, r"\[4m15s\]", "[4m]"),
    "all events of the newer name alone": (EVENTS, r" or histogram_count.*?\]\)\)", ""),
    "all events of a shorter window": (EVENTS, r"\[45s\]", "[30s]"),
    "the looser edge for what is possibly bad": (POSSIBLE, r"-Inf, 0\.025\b", "-Inf, 0.05"),
    "coverage without the classic part of a fleet": (COVERED, r" or rate\([^)]*_count\{[^)]*\)", ""),
    "coverage of the classic part alone": (COVERED, r"histogram_count\((rate\(\S*?)\{", r"sum(\1_count{"),
    "a source that nobody exposes": (ABSENT, r"count\((vllm:\w+)\{", r"count(\1_count{"),
    "traffic that is no number": (ABSENT, r"histogram_count\((increase\([^)]*\))\)", r"\1"),
}


def rules_of(compiled: Compiled) -> str:
    return compiled.rule_file.read_text("utf-8")


def spoilt(text: str, name: str, pattern: str, replacement: str) -> str:
    """The rule file with a fault in the rules of one name."""
    found = []
    changed = 0
    for part in re.split(r"(?m)^(?=  - (?:record|alert): )", text):
        if part.startswith((f"  - record: {name}\n", f"  - alert: {name}\n")):
            expression, rest = part.split("    labels:", 1) if "    for:" not in part else part.split("    for:", 1)
            after = "    labels:" if "    for:" not in part else "    for:"
            expression, count = re.subn(pattern, replacement, expression)
            changed += count
            part = f"{expression}{after}{rest}"
        found.append(part)
    assert changed, f"nothing in {name} is {pattern}"
    return "".join(found)


def proof_of(compiled: Compiled) -> promtool.Result:
    """What the generated tests say of the rule file as it now is; only those on raw series, which are quick."""
    assert compiled.spec is not None
    rules = compiled.folder / rules_path(compiled.spec)
    rules.parent.mkdir(parents=True)
    rules.write_text(compiled.rule_file.read_text("utf-8"), encoding="utf-8")
    fast, *_ = promtool_tests.emit(compiled.spec, Context())
    path = compiled.folder / fast.path
    path.parent.mkdir(parents=True)
    path.write_text(fast.text, encoding="utf-8")
    return promtool.test_rules(promtool.find_promtool(), [path], twice=False)


@pytest.mark.parametrize("form", ["custom-buckets", "exponential"])
def test_the_rules_hold_as_they_are(form: str, tmp_path: Path) -> None:
    result = proof_of(compiled(tmp_path, form, ITL))
    assert result.ok, result.output


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_generated_tests_notice_a_fault(fault: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, "custom-buckets", ITL)
    found.rule_file.write_text(spoilt(rules_of(found), *FAULTS[fault]), encoding="utf-8")
    assert promtool.check_rules(promtool.find_promtool(), [found.rule_file]).ok
    assert not proof_of(found).ok


# The edge that is read for 30 ms is 2^(-40/8); the next ones are 2^(-41/8) and 2^(-39/8).
EXPONENTIAL_FAULTS = {
    "the edge below": "0.028656",
    "the edge above": "0.034078",
    "the promise": "0.03",
    "hardly over the edge": "0.0316",
}


@pytest.mark.parametrize("fault", EXPONENTIAL_FAULTS, ids=str)
def test_generated_tests_notice_a_wrong_edge_of_exponential_buckets(fault: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, "exponential", ITL)
    wrong = spoilt(rules_of(found), BAD, r"-Inf, 0\.03125,", f"-Inf, {EXPONENTIAL_FAULTS[fault]},")
    found.rule_file.write_text(wrong, encoding="utf-8")
    assert not proof_of(found).ok


# A log of requests: per replica and scrape the latencies in seconds. Nothing below knows the generated tests.
SCRAPE, SLOT, LENGTH = 15, 5, 1200
EDGES = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


@dataclass
class Replica:
    """What a replica answered from scrape to scrape, and when it restarted (in scrapes)."""

    name: str
    phase: int
    log: list[list[float]] = field(default_factory=list)
    restarts: int = -1
    classic: bool = False

    def standings(self) -> list[list[float]]:
        """All latencies that its counters hold at each scrape."""
        found: list[list[float]] = []
        held: list[float] = []
        for scrape, latencies in enumerate(self.log):
            held = [*([] if scrape == self.restarts else held), *latencies]
            found.append(held)
        return found


def fleet(seed: int) -> list[Replica]:
    """Three replicas with latencies around the promise, in uneven traffic; one restarts."""
    draw = random.Random(seed)
    found = [Replica("a", 5), Replica("b", 10, restarts=37), Replica("c", 5)]
    for replica in found:
        # Long before the test begins, so that no counter is near zero.
        replica.log.append([draw.lognormvariate(-1.9, 0.6) for _ in range(3000)])
        for _ in range(LENGTH // SCRAPE):
            replica.log.append([draw.lognormvariate(-1.9, 0.6) for _ in range(draw.randint(40, 90))])
    return found


def custom(latencies: Sequence[float]) -> str:
    counts = [0] * (len(EDGES) + 1)
    for latency in latencies:
        counts[bisect.bisect_left(EDGES, latency)] += 1
    edges, held = " ".join(map(str, EDGES)), " ".join(map(str, counts))
    return f"{{{{schema:-53 custom_values:[{edges}] count:{len(latencies)} sum:{sum(latencies)} buckets:[{held}]}}}}"


def exponential(latencies: Sequence[float], schema: int) -> str:
    indices = [math.ceil(math.log2(latency) * 2**schema) for latency in latencies]
    first = min(indices)
    counts = [indices.count(index) for index in range(first, max(indices) + 1)]
    held = " ".join(map(str, counts))
    return f"{{{{schema:{schema} count:{len(latencies)} sum:{sum(latencies)} offset:{first} buckets:[{held}]}}}}"


def drawn(case: Case, replica: Replica, form: str, schema: int) -> None:
    labels = f'{{instance="{replica.name}",job="vllm",model_name="acme/m"}}'
    metric = "vllm:time_to_first_token_seconds"
    standings = replica.standings()
    slots = ["_"] * (LENGTH // SLOT + 1)
    for scrape, held in enumerate(standings):
        slot = (scrape * SCRAPE + replica.phase) // SLOT
        if slot < len(slots):
            text = custom(held) if form == "custom-buckets" else exponential(held, schema)
            slots[slot] = str(len(held)) if replica.classic else text
    case.drawn(f"{metric}_count{labels}" if replica.classic else f"{metric}{labels}", " ".join(slots))


def seen(replicas: Sequence[Replica]) -> list[float]:
    """What was answered in the time that the tiles cover: all but the first and the last scrape or two."""
    return [latency for replica in replicas for latencies in replica.log[1:-1] for latency in latencies]


@pytest.mark.parametrize(
    ("form", "threshold", "schema"),
    [
        pytest.param("custom-buckets", 0.25, 0, id="custom buckets"),
        pytest.param("exponential", 0.25, 3, id="exponential, as coarse as declared"),
        pytest.param("exponential", 0.25, 6, id="exponential, finer than declared"),
    ],
)
@pytest.mark.parametrize("seed", [3, 17])
def test_events_are_those_of_the_log(form: str, threshold: float, schema: int, seed: int, tmp_path: Path) -> None:
    found = compiled(tmp_path, form, TTFT)
    replicas = fleet(seed)
    case = Case(found, LENGTH)
    for replica in replicas:
        drawn(case, replica, form, schema)
    log = seen(replicas)
    bad = sum(latency > threshold for latency in log)
    assert 0.1 < bad / len(log) < 0.4
    over = f"[{LENGTH - 45}s]"
    case.about(LENGTH, f"sum_over_time({EVENTS}{over})", len(log), within=0.03)
    ratio = f"sum_over_time({BAD}{over}) / sum_over_time({EVENTS}{over})"
    case.about(LENGTH, ratio, bad / len(log), within=0.01)
    case.about(LENGTH, COVERED, 1, within=1e-9)
    case.never_nan(LENGTH)
    case.prove()


def test_a_replica_with_classic_series_alone_is_not_judged_and_not_covered(tmp_path: Path) -> None:
    found = compiled(tmp_path, "custom-buckets", TTFT)
    replicas = fleet(5)
    replicas[2].classic = True
    # What it answers is slow, which nobody can see.
    replicas[2].log[1:] = [[9.0] * 120 for _ in replicas[2].log[1:]]
    case = Case(found, LENGTH)
    for replica in replicas:
        drawn(case, replica, "custom-buckets", 0)
    log = seen(replicas[:2])
    bad = sum(latency > 0.25 for latency in log)
    over = f"[{LENGTH - 45}s]"
    case.about(LENGTH, f"sum_over_time({EVENTS}{over})", len(log), within=0.03)
    case.about(LENGTH, f"sum_over_time({BAD}{over}) / sum_over_time({EVENTS}{over})", bad / len(log), within=0.01)
    share = len(log) / (len(log) + 120 * (len(replicas[2].log) - 2))
    case.about(LENGTH, f"avg_over_time({COVERED}[10m])", share, within=0.02)
    case.prove()
