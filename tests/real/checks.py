"""`check-metrics` on the page of a program that runs: the exit code, and what is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from slo_compiler.cli import cli


def checked(spec: Path, address: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and each result."""
    words = ["check-metrics", str(spec), "-q", "--scrape", address, "--format", "json", *arguments]
    done = CliRunner().invoke(cli, words)
    return done.exit_code, json.loads(done.stdout)["results"]


def broken(results: list[dict[str, Any]]) -> dict[str, str]:
    """What is broken: messages by what was looked at."""
    return {result["check"]: f"{result['metric']} {result['message']}" for result in results if result["ok"] is False}
