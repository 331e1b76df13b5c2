"""promtool: checks rule files and runs their unit tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INSTALL_HINT = (
    "promtool is not on the PATH; on Debian and Ubuntu: apt-get install prometheus; "
    "elsewhere: brew install prometheus, or the release archive of prometheus/prometheus"
)
_VERSION = re.compile(r"promtool, version ([0-9]+)\.([0-9]+)")
# keep_firing_for came with 2.42.
OLDEST = (2, 42)
# Custom values in the series of a test, and fractions of them.
READS_NATIVE = (3, 0)
# Several run at a time, so that one processor each is enough; the heap is small, and collecting it four times as rarely
# saves a fifth of the time.
_GO = {"GOMAXPROCS": "1", "GOGC": "400"}


class PromtoolMissing(Exception):
    """There is no usable promtool; the message says how to get one."""


class PromtoolTooOld(PromtoolMissing):
    """The promtool that there is cannot read what it is given; the message says which can."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of promtool said."""

    ok: bool
    output: str


def find_promtool(given: str | None = None) -> str:
    """The promtool to use: as given, from the environment variable PROMTOOL, or from the PATH.

    Raises:
        PromtoolMissing: there is none, or it is older than 2.42.
    """
    wanted = given or os.environ.get("PROMTOOL") or "promtool"
    path = shutil.which(wanted)
    if path is None:
        raise PromtoolMissing(INSTALL_HINT if wanted == "promtool" else f"{wanted} cannot be run")
    release = _release(path)
    if release is None:
        raise PromtoolMissing(f"{path} is no promtool")
    if release < OLDEST:
        raise PromtoolMissing(f"{path} is {_dotted(release)}, 2.42 is needed")
    return path


def needs_native_histograms(promtool: str, where: str) -> None:
    """Judges whether a promtool reads tests with native histograms.

    Raises:
        PromtoolTooOld: it does not.
    """
    release = _release(promtool) or OLDEST
    if release < READS_NATIVE:
        raise PromtoolTooOld(
            f"{where} holds native histograms, which promtool 3 reads, and {promtool} is {_dotted(release)}; "
            "take the promtool of a Prometheus 3: slo-compiler test OUT --promtool PATH"
        )


def build_of(path: str) -> str:
    """What a promtool says of its version and build."""
    found = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return found.stdout + found.stderr


def _release(path: str) -> tuple[int, int] | None:
    version = _VERSION.search(build_of(path))
    return (int(version[1]), int(version[2])) if version is not None else None


def _dotted(release: tuple[int, int]) -> str:
    return ".".join(map(str, release))


def check_rules(promtool: str, files: Sequence[Path]) -> Result:
    """`promtool check rules` on rule files."""
    return _run([promtool, "check", "rules", "--lint=duplicate-rules", "--lint-fatal", *map(str, files)])


def test_rules(promtool: str, files: Sequence[Path], *, twice: bool = True) -> Result:
    """`promtool test rules` on test files; each names its rule files relative to itself.

    promtool keeps a test's series in a database that compacts itself in another thread as soon as a test is longer than
    a day and a half, and now and then loses a sample of a series that is born in the instant in which the old ones are
    dropped. Nothing else in it differs from run to run, so what fails once and then holds has met that, and what is
    wrong fails both times.

    Args:
        twice: run the files that fail a second time before that is believed, each by itself: with many files, one run in a
            few loses a sample somewhere, and hardly two of the same file.
    """
    result = _run([promtool, "test", "rules", *map(str, files)])
    if result.ok or not twice:
        return result
    again = [_run([promtool, "test", "rules", str(file)]) for file in files if not _holds(file, result.output)]
    failed = [item for item in again if not item.ok]
    return Result(not failed, "\n".join(item.output for item in failed or again))


def _holds(file: Path, output: str) -> bool:
    """Whether promtool says of a file that it holds, with the others of its run or without."""
    return f"Unit Testing:  {file}\n  SUCCESS\n" in f"{output}\n"


def _run(command: Sequence[str]) -> Result:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=_GO | os.environ
    )
    return Result(done.returncode == 0, (done.stdout + done.stderr).strip())
