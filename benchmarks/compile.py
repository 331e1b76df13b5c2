"""What a compilation costs: one command, ratios within one run, so that figures of different machines compare.

    python benchmarks/compile.py --sizes 1,100,1000

Each measurement is a process of its own: user and system CPU, wall time and peak memory come from `wait4`. Every run is
held to 256 open files. Ratios are taken between medians of runs of the same invocation; a target beside a ratio is what
a change may not make worse.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

REPOSITORY = Path(__file__).resolve().parent.parent
OPEN_FILES = 256
LARGE = 5000  # SLOs from which on one run of each command is enough
LIBRARIES = "click, pydantic, ruamel.yaml"
_RULE = re.compile(r"^ *expr:", re.MULTILINE)
COMPILER = (sys.executable, "-m", "slo_compiler")

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata:
  name: model-{number:05}
  labels: {{team: team-{team}}}
spec:
  description: Assistant number {number}
  service: service-{service:03}
  model: acme/model-{number:05}
  servedModelName: model-{number:05}
  engine: {{name: vllm, version: "0.11"}}
  selector: {{namespace: prod, job: vllm-{number:05}}}
  experienceClass: conversational
  traffic: {{promptTokens: 512, outputTokens: 256, streaming: true}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  objectives:
"""
OBJECTIVES = (
    "- {{sli: ttft, threshold: 250ms, target: 95%}}",
    "- {{sli: itl, threshold: 25ms, target: 95%}}",
    "- {{sli: e2e, threshold: 20s, target: 95%}}",
    "- {{sli: availability, target: 99.9%, source: {{"
    'bad: \'gw_requests_total{{app="app-{number:05}",code=~"5.."}}\', '
    "total: 'gw_requests_total{{app=\"app-{number:05}\"}}'}}}}",
)
SLOTH_SPEC = """\
version: prometheus/v1
service: service-{number:05}
slos:
"""
SLOTH_SLO = """\
  - name: slo-{index}
    objective: 95
    sli:
      events:
        error_query: sum(rate(gw_requests_total{{app="app-{number:05}",slo="{index}",code=~"5.."}}[{{{{.window}}}}]))
        total_query: sum(rate(gw_requests_total{{app="app-{number:05}",slo="{index}"}}[{{{{.window}}}}]))
    alerting: {{name: Burn, page_alert: {{labels: {{severity: page}}}}, ticket_alert: {{labels: {{severity: ticket}}}}}}
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process used: CPU and wall time in seconds, peak resident memory in bytes, peak open files."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    open_files: int


@dataclass(frozen=True, slots=True)
class Size:
    """The figures at one number of SLOs; `validate` writes nothing, `cold` rules and tests, `rules_only` only rules."""

    slos: int
    specs: int
    rules: int
    rule_bytes: int
    test_bytes: int
    validate: Usage
    rules_only: Usage
    cold: Usage
    unchanged: Usage
    check: Usage
    promtool: Usage | None
    sloth: Usage | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """A quotient of two figures of this run, and the most that it should be; None where nothing is promised."""

    name: str
    value: float
    target: float | None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "ok" if self.value <= self.target else "OVER"


class Failed(Exception):
    """A measured command did not end with 0; the message holds what it said."""


def write_specs(folder: Path, slos: int) -> int:
    """Writes spec files with so many SLOs in all, four to a spec; how many files there are."""
    for number, first in enumerate(range(0, slos, len(OBJECTIVES))):
        lines = OBJECTIVES[: slos - first]
        text = SPEC.format(number=number, team=number % 7, service=number // 10)
        text += "".join(f"    {line.format(number=number)}\n" for line in lines)
        target = folder / f"service-{number // 10:03}" / f"model-{number:05}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return -(-slos // len(OBJECTIVES))


def write_sloth_specs(folder: Path, slos: int) -> None:
    """Writes as many SLOs for Sloth, four to a spec as well."""
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, slos, len(OBJECTIVES))):
        count = min(len(OBJECTIVES), slos - first)
        text = SLOTH_SPEC.format(number=number)
        text += "".join(SLOTH_SLO.format(number=number, index=index) for index in range(count))
        (folder / f"service-{number:05}.yaml").write_text(text, encoding="utf-8")


def run(
    command: Sequence[str], cwd: Path, *, limit_files: bool = True, extra: Mapping[str, str] = MappingProxyType({})
) -> Usage:
    """Runs a command to its end and measures it.

    Raises:
        Failed: it did not end with 0.
    """

    def hold_to_few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", **extra}
    # As installed: modules are compiled once, and not on every start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(cwd / "pycache")
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            preexec_fn=hold_to_few_files if limit_files else None,
        )
        status, usage, open_files = _wait(process.pid)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise Failed(f"{' '.join(command[:6])}: exit {process.returncode}\n{said.read(4000).decode()}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if platform.system() == "Darwin" else 1024
    return Usage(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit, open_files)


def _wait(pid: int) -> tuple[int, resource.struct_rusage, int]:
    """The status and usage of a process, and the most files that a sample saw open (0 where there is no /proc)."""
    most = 0
    descriptors = Path(f"/proc/{pid}/fd")
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage, most
        with contextlib.suppress(OSError):
            most = max(most, sum(1 for _ in descriptors.iterdir()))
        time.sleep(0.005)


def median(usages: Sequence[Usage]) -> Usage:
    """The median of each time; the highest of memory and files."""
    return Usage(
        statistics.median(usage.cpu_seconds for usage in usages),
        statistics.median(usage.wall_seconds for usage in usages),
        max(usage.peak_bytes for usage in usages),
        max(usage.open_files for usage in usages),
    )


def measure_size(slos: int, runs: int, scratch: Path) -> Size:
    """All figures at one number of SLOs."""
    specs = write_specs(scratch / "specs", slos)
    runs = 1 if slos >= LARGE else runs
    promtool, sloth = shutil.which(os.environ.get("PROMTOOL", "promtool")), shutil.which("sloth")

    def repeat(command: Sequence[str], fresh: str = "", *, limit_files: bool = True) -> Usage:
        usages = []
        for _ in range(runs):
            if fresh:
                shutil.rmtree(scratch / fresh, ignore_errors=True)
            usages.append(run(command, scratch, limit_files=limit_files))
        return median(usages)

    compiler = (*COMPILER, "compile", "specs", "-q", "-o")
    run((*COMPILER, "validate", "specs"), scratch)
    validate = repeat((*COMPILER, "validate", "specs"))
    rules_only = repeat((*compiler, "rules-only", "--only", "rules"), "rules-only")
    proven = (*compiler, "out", "--only", "rules,tests")
    cold = repeat(proven, "out")
    unchanged = repeat(proven)
    check = repeat((*proven, "--check", "--no-cache"))
    rules = sorted((scratch / "out" / "rules").rglob("*.yaml"))
    tests = (scratch / "out" / "tests").rglob("*.yaml")
    if sloth:
        write_sloth_specs(scratch / "sloth", slos)
    return Size(
        slos=slos,
        specs=specs,
        rules=sum(len(_RULE.findall(file.read_text(encoding="utf-8"))) for file in rules),
        rule_bytes=sum(file.stat().st_size for file in rules),
        test_bytes=sum(file.stat().st_size for file in tests),
        validate=validate,
        rules_only=rules_only,
        cold=cold,
        unchanged=unchanged,
        check=check,
        promtool=repeat((promtool, "check", "rules", *map(str, rules)), limit_files=False) if promtool else None,
        sloth=repeat((sloth, "generate", "-i", "sloth", "-o", "sloth-out"), "sloth-out", limit_files=False)
        if sloth
        else None,
    )


def size_ratios(sizes: Sequence[Size]) -> Iterator[Ratio]:
    """The ratios at each size, and the growth from each to the next."""
    for size in sizes:
        at = f"at {size.slos} SLOs"
        large = size.slos >= 1000  # start-up is the most of smaller runs
        if size.promtool is not None:
            checked = size.promtool.cpu_seconds
            yield Ratio(f"validate to promtool check rules, {at}", size.validate.cpu_seconds / checked, None)
            yield Ratio(f"rules to promtool check rules, {at}", size.rules_only.cpu_seconds / checked, _if(large, 0.4))
            yield Ratio(f"rules and tests to the same, {at}", size.cold.cpu_seconds / checked, _if(large, 1.5))
        if size.sloth is not None:
            yield Ratio(f"rules to sloth generate, {at}", size.rules_only.cpu_seconds / size.sloth.cpu_seconds, None)
        unchanged = size.unchanged.cpu_seconds / size.cold.cpu_seconds
        target = 0.1 if size.slos >= 10000 else 0.15
        yield Ratio(f"unchanged to cold, {at}", unchanged, _if(large, target))
        yield Ratio(f"--check to cold, {at}", size.check.cpu_seconds / size.cold.cpu_seconds, None)
        peak = max(
            usage.peak_bytes for usage in (size.validate, size.rules_only, size.cold, size.unchanged, size.check)
        )
        yield Ratio(f"peak memory to 400 MB, {at}", peak / 400e6, 1.0)
    for small, size in itertools.pairwise(sizes):
        for what, before, after in (("rules", small.rules_only, size.rules_only), ("all", small.cold, size.cold)):
            value = (after.cpu_seconds / size.slos) / (before.cpu_seconds / small.slos)
            yield Ratio(f"time per SLO, {what}, {size.slos} to {small.slos} SLOs", value, _if(small.slos >= 1000, 1.2))


def start_ratios(runs: int, scratch: Path) -> Iterator[Ratio]:
    """What a start costs against what its libraries cost, in alternating runs."""
    write_specs(scratch / "specs", len(OBJECTIVES))
    spec = next((scratch / "specs").rglob("*.yaml"))
    for name, command, libraries, target in (
        ("--version to import click", ("--version",), "click", 1.3),
        ("validate of one file to import click, pydantic, ruamel.yaml", ("validate", str(spec)), LIBRARIES, 2.2),
    ):
        run((*COMPILER, *command), scratch)
        run((sys.executable, "-c", f"import {libraries}"), scratch)
        pairs = [
            (
                run((*COMPILER, *command), scratch).cpu_seconds,
                run((sys.executable, "-c", f"import {libraries}"), scratch).cpu_seconds,
            )
            for _ in range(runs)
        ]
        ours, theirs = zip(*pairs, strict=True)
        yield Ratio(name, statistics.median(ours) / statistics.median(theirs), target)


def hook_ratio(specs: int, runs: int, scratch: Path) -> Iterator[Ratio]:
    """What the pre-commit hook costs on one changed spec of many, its index warm, against `validate` of that file."""
    write_specs(scratch / "specs", specs * len(OBJECTIVES))
    spec = str(sorted((scratch / "specs").rglob("*.yaml"))[specs // 2])
    kept = {"XDG_CACHE_HOME": str(scratch / "cache")}

    def once(*arguments: str) -> Usage:
        return run((*COMPILER, "validate", *arguments), scratch, extra=kept)

    once(spec)
    cold = once("--changed", spec).cpu_seconds
    pairs = []
    for number in range(runs):
        # Changed each time, as between two commits.
        Path(spec).write_text(Path(spec).read_text("utf-8") + f"# {number}\n", encoding="utf-8")
        pairs.append((once("--changed", spec).cpu_seconds, once(spec).cpu_seconds))
    ours, alone = (statistics.median(column) for column in zip(*pairs, strict=True))
    yield Ratio(f"hook on one of {specs} specs to validate of that one", ours / alone, _if(specs <= 1000, 2.0))
    yield Ratio(f"the same without an index, of {specs} specs", cold / alone, None)


def _if(condition: bool, target: float) -> float | None:
    return target if condition else None


def table(sizes: Sequence[Size], ratios: Sequence[Ratio]) -> str:
    """The figures as text."""
    lines = []
    for size in sizes:
        lines.append(
            f"{size.slos} SLOs in {size.specs} specs: {size.rules} rules; "
            f"bytes per SLO: rules {size.rule_bytes / size.slos:,.0f}, tests {size.test_bytes / size.slos:,.0f}"
        )
        lines.append(f"  {'':14}{'CPU s':>9}{'wall s':>9}{'ms/SLO':>9}{'ms/rule':>9}{'peak MB':>9}{'files':>7}")
        for name, usage in (
            ("validate", size.validate),
            ("rules only", size.rules_only),
            ("rules, tests", size.cold),
            ("unchanged", size.unchanged),
            ("--check", size.check),
            ("promtool check", size.promtool),
            ("sloth generate", size.sloth),
        ):
            if usage is not None:
                lines.append(
                    f"  {name:14}{usage.cpu_seconds:9.3f}{usage.wall_seconds:9.3f}"
                    f"{1000 * usage.cpu_seconds / size.slos:9.3f}{1000 * usage.cpu_seconds / size.rules:9.4f}"
                    f"{usage.peak_bytes / 1e6:9.1f}{usage.open_files:7}"
                )
        lines.append("")
    width = max(len(ratio.name) for ratio in ratios)
    for ratio in ratios:
        target = f"target {ratio.target:g}" if ratio.target is not None else ""
        lines.append(f"{ratio.name:{width}}  {ratio.value:7.3f}  {target:12} {ratio.verdict}".rstrip())
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 1 where a target is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="1,10,100,1000", help="numbers of SLOs, ascending; up to 10000")
    parser.add_argument("--runs", type=int, default=3, help=f"runs of each command; 1 from {LARGE} SLOs on")
    parser.add_argument("--starts", type=int, default=41, help="pairs of runs for the start-up ratios")
    parser.add_argument("--hook-specs", type=int, default=1000, help="specs beside which the hook judges one")
    parser.add_argument("--quick", action="store_true", help="one run of everything: the figures are rough")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a ratio is over its target")
    given = parser.parse_args(arguments)
    runs, starts = (1, 1) if given.quick else (given.runs, given.starts)
    sizes = []
    try:
        for slos in sorted({int(part) for part in given.sizes.split(",")}):
            with tempfile.TemporaryDirectory(prefix="slo-compiler-bench-") as scratch:
                sizes.append(measure_size(slos, runs, Path(scratch)))
        with tempfile.TemporaryDirectory(prefix="slo-compiler-bench-") as scratch:
            ratios = [*size_ratios(sizes), *start_ratios(starts, Path(scratch))]
        with tempfile.TemporaryDirectory(prefix="slo-compiler-bench-") as scratch:
            ratios += hook_ratio(given.hook_specs, starts, Path(scratch))
    except Failed as fault:
        print(fault, file=sys.stderr)
        return 3
    if given.json:
        document = {"sizes": [asdict(size) for size in sizes], "ratios": [asdict(ratio) for ratio in ratios]}
        print(json.dumps(document, indent=2))
    else:
        print(table(sizes, ratios))
    return 1 if given.strict and any(ratio.verdict == "OVER" for ratio in ratios) else 0


if __name__ == "__main__":
    sys.exit(main())
