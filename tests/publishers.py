"""Many publishers at once, round after round: `python -m tests.publishers --rounds 50` says what came of them.

One process compiles and imports, and each publisher is a fork of it, so that they begin at the same moment and cost what
git costs.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from slo_compiler.cli import cli
from tests.publishing import bare, compiled, git, memory, on_disk, publish, tree

OWNERS = 7  # and one of them is published by two pipelines at once
TARGETS = ("95.5%", "97.5%")


class Publisher(NamedTuple):
    """One of those that begin together."""

    owner: str
    folder: Path


def main() -> None:
    """Runs the rounds in a folder of its own, and prints the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    for role in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{role}_NAME": "A Tester", f"GIT_{role}_EMAIL": "tester@example.com"}
    with tempfile.TemporaryDirectory(dir=memory()) as folder, contextlib.chdir(folder):
        print(json.dumps(run(rounds), indent=2))


def run(rounds: int) -> dict[str, object]:
    """What came of so many rounds, in the working folder.

    Raises:
        AssertionError: something was lost, is there twice, or is not in line.
    """
    Path("tmp").mkdir()
    tempfile.tempdir = str(Path("tmp").absolute())
    outs = [compiled(Path(f"{owner}{variant}"), f"chat-{owner}", TARGETS[variant]) for owner, variant in _pairs()]
    of_owner = dict(zip(_pairs(), outs, strict=True))
    files = {key: on_disk(out) for key, out in of_owner.items()}
    repository = bare(Path("monitoring.git").absolute())
    assert publish(outs[0], repository, "--dry-run").exit_code == 0  # imports what all of them need
    gc.freeze()
    tip, seconds, attempts = "", list[float](), list[int]()
    for number in range(rounds):
        variant = number % 2
        publishers = [Publisher(f"o{owner}", of_owner[owner, variant]) for owner in (*range(OWNERS), 0)]
        started = time.monotonic()
        attempts += _together(publishers, repository)
        seconds.append(time.monotonic() - started)
        _judge(repository, tip, {f"o{owner}": files[owner, variant] for owner in range(OWNERS)})
        tip = git(repository, "rev-parse", "main")
    assert not list(Path("tmp").iterdir()), "folders are left behind"
    return {
        "rounds": rounds,
        "publishers": OWNERS + 1,
        "commits": int(git(repository, "rev-list", "--count", "main")),
        "attempts": {"mean": round(statistics.mean(attempts), 2), "most": max(attempts)},
        "secondsOfARound": {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)},
    }


def _pairs() -> list[tuple[int, int]]:
    return [(owner, variant) for owner in range(OWNERS) for variant in range(len(TARGETS))]


def _together(publishers: list[Publisher], repository: Path) -> Iterator[int]:
    """The attempts that each needed; all of them wait for the same byte."""
    gate, opened = os.pipe()
    children = {os.fork() or _publish(publisher, repository, gate, opened): publisher for publisher in publishers}
    os.close(gate)
    os.close(opened)
    results = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert all(code > 0 for code in results), f"exit codes, as 100 + attempts: {results}"
    return (code - 100 for code in results)


def _publish(publisher: Publisher, repository: Path, gate: int, opened: int) -> int:
    """The rest of a child's life; its exit code is 100 and its attempts, or 0 where it failed."""
    os.close(opened)
    os.read(gate, 1)
    code = 0
    try:
        arguments = ["publish", str(publisher.folder), "--repo", str(repository), "--owner", publisher.owner]
        result = CliRunner().invoke(cli, arguments)
        if result.exit_code == 0:
            code = 101 + result.stderr.count("another push was faster")
        else:
            print(publisher.owner, result.output, file=sys.stderr)
    finally:
        os._exit(code)


def _judge(repository: Path, before: str, expected: dict[str, dict[str, bytes]]) -> None:
    """Nothing lost, nothing twice, one line of history."""
    new = git(repository, "log", "--format=%H %P|%s", *([f"{before}..main"] if before else ["main"])).splitlines()
    parents = [line.partition("|")[0].split()[1:] for line in new]
    assert all(len(found) == 1 for found in parents[:-1]) and parents[-1] == ([before] if before else []), new
    subjects = sorted(line.partition("|")[2].partition(":")[0] for line in new)
    assert subjects == sorted(expected), f"a commit for each owner: {subjects}"
    found = tree(repository)
    for owner, files in expected.items():
        ours = {name.removeprefix(f"{owner}/"): text for name, text in found.items() if name.startswith(f"{owner}/")}
        assert {**files, "published.json": ours["published.json"]} == ours, owner
    assert {name.partition("/")[0] for name in found} == set(expected)


if __name__ == "__main__":
    main()
