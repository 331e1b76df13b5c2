"""Runs the generated tests against every mutant of the rules of seven specs.

    python -m tests.mutation.run [SPEC ...] [--rule REGEX] [--sample N] [--seed S] [--jobs J] [--report FILE]

Exits 1 where a mutant survives that `equivalent.yaml` does not prove equivalent, or where a proof has no survivor.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slo_compiler.emit import promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.external.promtool import find_promtool, test_rules
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment
from tests.mutation.mutants import Mutant, mutants

HERE = Path(__file__).parent
SPECS = ("ttft", "availability", "ratio", "job_completion", "completion", "replicas", "degradation")
# Of a spec that is here for some of its rules, the mutants of these; the others have the like of the rest.
_ONLY = {
    "completion": r"slo:(bad_events|burn_rate:[16]h|period_bad)",
    "replicas": r"worst_replica|WorstReplica",
    "degradation": r"slo:degradation",
}
_OUTCOMES = ("killed", "equivalent", "survived")
# Which test group most likely catches a mistake in a rule; the others follow.
_LIKELY = (
    (r"slo:(events|bad_events|possible|certain|covered)", ["raw series give tiles"]),
    (r"slo:burn_rate:(5m|30m|1h)$", ["fast tiles give burn rates"]),
    (r"slo:(burn_rate|period|target)", ["slow tiles give long burn rates and the period"]),
    (r"SLOImpossibleData", ["counters that contradict each other"]),
    (r"SLO(EngineStalled|SourceAbsent|QueueDepth|DeadlineAtRisk)|SLOCoverageLow", ["what the engine shows once"]),
    (r"slo:degradation", ["raw series give the degradation level"]),
    (r"slo:worst_replica", ["raw series give the worst replica"]),
    (r"SLOWorstReplica", ["the ticket on the worst replica"]),
    (r"SLOBurnRate", ["burn rates give alerts", "guards of the fast tiers", "guards of the slow tiers"]),
    (r"SLO(BudgetExhausted|CoverageLow)", ["burn rates give alerts"]),
)


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Mutants that cannot be told from the original, and why."""

    spec: str
    rule: str
    kind: str
    change: str
    proof: str

    def covers(self, spec: str, mutant: Mutant) -> bool:
        """Whether this proof is about that mutant."""
        pairs = ((self.spec, spec), (self.rule, mutant.rule), (self.kind, mutant.kind), (self.change, mutant.change))
        return all(re.fullmatch(pattern, text, re.DOTALL) for pattern, text in pairs)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A spec's rules, and its tests as one text per group with the file's evaluation interval."""

    name: str
    document: dict[str, Any]
    tests: dict[str, str]


def load_equivalences() -> list[Equivalence]:
    """The proofs in `equivalent.yaml`."""
    entries = yaml.safe_load((HERE / "equivalent.yaml").read_text(encoding="utf-8"))
    return [Equivalence(**{"spec": ".*", **entry}) for entry in entries]


def prepare(name: str) -> Prepared:
    """Compiles a spec of `specs/`."""
    checked = check_files([str(HERE / "specs" / f"{name}.yaml")], Environment())
    if checked.failed:
        raise SystemExit("\n".join(diagnostic.message for diagnostic in checked.diagnostics))
    spec = checked.specs[0]
    (rule_file,) = rules.emit(spec, Context())
    tests = {}
    for artifact in promtool_tests.emit(spec, Context()):
        document = yaml.load(artifact.text, Loader=yaml.CSafeLoader)
        for group in document["tests"]:
            one = {**document, "rule_files": ["rules.json"], "tests": [group]}
            tests[group["name"]] = json.dumps(one)
    return Prepared(name, yaml.load(rule_file.text, Loader=yaml.CSafeLoader), tests)


def killed_by(promtool: str, prepared: Prepared, mutant: Mutant) -> str | None:
    """The test group that fails on a mutant; None where it survives all of them."""
    likely = next((groups for pattern, groups in _LIKELY if re.match(pattern, mutant.rule)), [])
    order = sorted(prepared.tests, key=lambda name: (not name.startswith(tuple(likely)), name))
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        Path(folder, "rules.json").write_text(json.dumps(mutant.document), encoding="utf-8")
        for name in order:
            test = Path(folder, "test.json")
            test.write_text(prepared.tests[name], encoding="utf-8")
            if not test_rules(promtool, [test], twice=False).ok:
                return name
    return None


def _judge(task: tuple[str, Prepared, Mutant]) -> str | None:
    return killed_by(*task)


def run(names: Sequence[str], rule: str, sample: int, seed: int, jobs: int) -> Iterator[tuple[str, Mutant, str | None]]:
    """Judges the mutants of specs, or a sample of so many of each."""
    promtool = find_promtool()
    for name in names:
        prepared = prepare(name)
        original = Mutant("original", "none", "", prepared.document)
        failing = killed_by(promtool, prepared, original)
        if failing is not None:
            raise SystemExit(f"{name}: the tests fail on the rules themselves, in {failing!r}")
        found = [
            mutant
            for mutant in mutants(prepared.document)
            if re.search(rule, mutant.rule) and re.search(_ONLY.get(name, ""), mutant.rule)
        ]
        if sample:
            found = random.Random(seed).sample(found, min(sample, len(found)))
        with ProcessPoolExecutor(jobs) as pool:
            verdicts = pool.map(_judge, [(promtool, prepared, mutant) for mutant in found], chunksize=4)
            for mutant, verdict in zip(found, verdicts, strict=True):
                yield name, mutant, verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", default=list(SPECS))
    parser.add_argument("--rule", default="", help="judge only mutants of rules whose name this pattern finds")
    parser.add_argument("--sample", type=int, default=0, help="judge so many mutants of each spec; 0 judges all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path, help="write the counts as Markdown")
    given = parser.parse_args(arguments)
    equivalences = load_equivalences()
    started = time.monotonic()
    counts: Counter[tuple[str, str, str]] = Counter()
    proven: Counter[Equivalence] = Counter()
    alive = 0
    for name, mutant, verdict in run(given.specs, given.rule, given.sample, given.seed, given.jobs):
        outcome = "killed"
        if verdict is None:
            proof = next((item for item in equivalences if item.covers(name, mutant)), None)
            outcome = "equivalent" if proof is not None else "survived"
            if proof is not None:
                proven[proof] += 1
            else:
                alive += 1
                print(f"SURVIVED {name}: {mutant.rule}: {mutant.kind}: {mutant.change}", flush=True)
        counts[name, mutant.kind, outcome] += 1
        counts[name, f"rule {mutant.rule}", outcome] += 1
    report = _report(given.specs, counts, time.monotonic() - started)
    print(report)
    if given.report is not None:
        given.report.write_text(report, encoding="utf-8")
    idle = (
        [item for item in equivalences if not proven[item]]
        if not (given.sample or given.rule) and set(SPECS) <= set(given.specs)
        else []
    )
    for item in idle:
        print(f"PROOF WITHOUT A MUTANT {item.spec}: {item.rule}: {item.kind}: {item.change}")
    return 1 if alive or idle else 0


def _report(names: Sequence[str], counts: Counter[tuple[str, str, str]], seconds: float) -> str:
    lines = []
    for of_rules, title in ((False, "By kind of mistake"), (True, "By rule")):
        lines += [f"## {title}", "", "| spec | what | mutants | killed | equivalent | survived |"]
        lines.append("|---|---|---|---|---|---|")
        for name in names:
            whats = sorted({what for spec, what, _ in counts if spec == name and _is_rule(what) == of_rules})
            lines += [_row(name, what, counts) for what in whats]
        lines.append("")
    totals = {
        outcome: sum(number for (_, what, found), number in counts.items() if found == outcome and not _is_rule(what))
        for outcome in _OUTCOMES
    }
    lines.append(
        f"{sum(totals.values())} mutants: {totals['killed']} killed, {totals['equivalent']} equivalent, "
        f"{totals['survived']} survived; {seconds:.0f} s"
    )
    return "\n".join(lines) + "\n"


def _row(name: str, what: str, counts: Counter[tuple[str, str, str]]) -> str:
    own = [counts[name, what, outcome] for outcome in _OUTCOMES]
    shown = what.removeprefix("rule ") if _is_rule(what) else what
    return f"| {name} | {shown} | {sum(own)} | {' | '.join(map(str, own))} |"


def _is_rule(kind: str) -> bool:
    return kind.startswith("rule ") and kind not in ("rule label", "rule label dropped")


if __name__ == "__main__":
    sys.exit(main())
