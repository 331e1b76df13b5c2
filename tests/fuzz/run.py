"""Many cases, in processes of their own: `python -m tests.fuzz.run --count 50000 --seed 1 --jobs 2`."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from slo_compiler.emit.base import Artifact
from slo_compiler.external.promtool import PromtoolMissing, find_promtool
from tests.fuzz.generate import Case, case
from tests.fuzz.judge import Outcome, Violation, judge

# Of the resident memory over what the process has after its first cases, in bytes.
MOST_MEMORY = 200_000_000
_WARM = 50
_CHUNK = 250
_PROMTOOL_SHARE = 200
_MOST_SHOWN = 20


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    cases: int = 0
    compiled: int = 0
    specs: int = 0
    artifacts: int = 0
    expanded: int = 0
    compared: int = 0
    longest: tuple[float, int] = (0.0, 0)
    memory: int = 0
    sorts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    rules: list[Artifact] = field(default_factory=list)

    def add(self, made: Case, outcome: Outcome) -> None:
        """Counts one case."""
        self.cases += 1
        self.sorts[made.sort] += 1
        self.compiled += bool(outcome.artifacts)
        self.specs += outcome.specs
        self.artifacts += outcome.artifacts
        self.expanded += outcome.expanded
        self.compared += outcome.compared
        self.longest = max(self.longest, (outcome.cpu_seconds, made.number))
        self.codes.update(outcome.diagnostics)
        if made.number % _PROMTOOL_SHARE == 0 or (outcome.rules and made.number % (_PROMTOOL_SHARE // 8) == 1):
            self.rules += [Artifact(f"{made.number}/{rule.path}", rule.text) for rule in outcome.rules]

    def join(self, other: Tally) -> None:
        """Adds what another process counted."""
        for name in ("cases", "compiled", "specs", "artifacts", "expanded", "compared"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest, self.memory = max(self.longest, other.longest), max(self.memory, other.memory)
        self.sorts += other.sorts
        self.codes += other.codes
        self.violations += other.violations
        self.rules += other.rules


def run_cases(seed: str, numbers: Iterable[int]) -> Tally:
    """Generates and judges cases one after the other; memory is the growth of the highest resident size."""
    tally = Tally()
    before = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count, number in enumerate(numbers):
            if count == _WARM:
                before = _peak()
            try:
                made = case(seed, number)
                tally.add(made, judge(made, seed))
            except Violation as fault:
                tally.cases += 1
                tally.violations.append(f"case {number}: {fault}"[:1500])
            except Exception:
                tally.cases += 1
                tally.violations.append(f"case {number}: raises: {traceback.format_exc(limit=-6)}"[:3000])
    tally.memory = _peak() - before if before else 0
    if tally.memory > MOST_MEMORY:
        tally.violations.append(f"memory grew by {tally.memory / 1e6:.0f} MB")
    return tally


def _peak() -> int:
    """The highest resident size so far in bytes; Linux counts in KiB, macOS in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def check_by_promtool(rules: Sequence[Artifact], promtool: str) -> list[str]:
    """What `promtool check rules` says against the files, many to a call."""
    said = []
    with tempfile.TemporaryDirectory(prefix="slo-compiler-fuzz-") as folder:
        paths = []
        for artifact in rules:
            if "PrometheusRule" in artifact.text.partition("groups:")[0]:
                continue  # an object of the operator, which promtool does not read
            path = Path(folder, artifact.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(artifact.text, encoding="utf-8")
            paths.append(str(path))
        for first in range(0, len(paths), 50):
            done = subprocess.run(
                [promtool, "check", "rules", "--lint=none", *paths[first : first + 50]],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                said.append(f"promtool: {done.stderr[:1500] or done.stdout[-1500:]}")
    return said


def _chunks(first: int, count: int) -> Iterator[range]:
    for start in range(first, first + count, _CHUNK * 8):
        yield range(start, min(start + _CHUNK * 8, first + count))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs, prints what was found, and ends with 1 where something was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the files of the case --first, and judge nothing")
    given = parser.parse_args(arguments)
    if given.show:
        made = case(given.seed, given.first)
        settings = {"slo-compiler.yaml": made.inputs.config} if made.inputs.config is not None else {}
        for path, content in {**made.inputs.files, **settings}.items():
            sys.stdout.write(f"# {path}\n{content.decode('utf-8', 'backslashreplace')}\n")
        return 0
    started, tally = time.perf_counter(), Tally()
    with multiprocessing.get_context("spawn").Pool(given.jobs, maxtasksperchild=None) as pool:
        for part in pool.imap(partial(run_cases, given.seed), _chunks(given.first, given.count)):
            tally.join(part)
            for violation in part.violations[:_MOST_SHOWN]:
                print(violation, flush=True)
    try:
        said = check_by_promtool(tally.rules, find_promtool())
    except PromtoolMissing as missing:
        said = [str(missing)]
    print("\n".join(said), end="\n" if said else "")
    print(summary(tally, given.seed, time.perf_counter() - started))
    return 1 if said or tally.violations else 0


def summary(tally: Tally, seed: str, seconds: float) -> str:
    """A run in a few lines."""
    sorts = ", ".join(f"{count} {sort}" for sort, count in sorted(tally.sorts.items()))
    codes = ", ".join(f"{code} {count}" for code, count in sorted(tally.codes.items()))
    longest, number = tally.longest
    return (
        f"seed {seed}: {tally.cases} cases in {seconds:.0f} s ({sorts}): {len(tally.violations)} violations\n"
        f"{tally.compiled} compiled to {tally.artifacts} files of {tally.specs} specs, {tally.compared} compared with a "
        f"harmless twin, {tally.expanded} expanded and back, {len(tally.rules)} rule files to promtool\n"
        f"longest {longest:.2f} s of CPU (case {number}); memory grew by {tally.memory / 1e6:.0f} MB at most\n"
        f"codes: {codes}"
    )


if __name__ == "__main__":
    sys.exit(main())
