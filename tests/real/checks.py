"""`check-metrics` on the page of a program that runs: the exit code, what is broken, and faults that are planted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from slo_compiler.cli import cli
from tests.real import faults
from tests.real.programs import Program


def checked(spec: Path, address: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and each result."""
    words = ["check-metrics", str(spec), "-q", "--scrape", address, "--format", "json", *arguments]
    done = CliRunner().invoke(cli, words)
    return done.exit_code, json.loads(done.stdout)["results"]


def broken(results: list[dict[str, Any]]) -> dict[str, str]:
    """What is broken: messages by what was looked at."""
    return {result["check"]: f"{result['metric']} {result['message']}" for result in results if result["ok"] is False}


def prove_found(spec: Path, program: Program, fault: faults.Fault, told: Mapping[str, str]) -> None:
    """A fault of the page is found by the checks that are named, in these words, and by no other."""
    with faults.planted(program.page, fault) as address:
        code, results = checked(spec, address)
    found = broken(results)
    assert code == 1
    assert set(found) == set(told), found
    for check, words in told.items():
        assert words in found[check]


def prove_standstill_found(spec: Path, program: Program, metric: str) -> None:
    """A metric that does not move while others do is found."""
    with faults.planted(program.page, faults.frozen(metric), program.move) as address:
        code, results = checked(spec, address, "--over", "1s")
    found = broken(results)
    assert (code, set(found)) == (1, {"samples"}), found
    assert found["samples"].startswith(metric)
    assert "did not move, while" in found["samples"]
