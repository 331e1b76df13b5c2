"""Many publishers at once, and publishers that are killed: programs of their own, since each needs a process to itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def said(root: Path, *arguments: str) -> dict[str, Any]:
    """What a program prints; it exits with 0 where everything is as it should be."""
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_eight_publishers_at_once_lose_nothing_and_repeat_nothing(root: Path) -> None:
    """`python -m tests.publishers --rounds 50` does it longer."""
    found = said(root, "tests.publishers", "--rounds", "10")
    assert (found["publishers"], found["commits"]) == (8, 70)
    assert found["attempts"]["most"] > 1, "they never met"


def test_a_publisher_that_is_killed_leaves_the_old_or_the_new(root: Path) -> None:
    """`python -m tests.killing` does it at every rename, link, fsync and start of a program."""
    found = said(root, "tests.killing", "--every", "7")
    assert found["points"] >= 10
    killed = {name for name in found["results"] if not name.endswith("not reached")}
    assert {name.partition(":")[0] for name in killed} == {"ALONE", "CLIENT", "ALL"}
    assert {name.partition(": ")[2] for name in killed} >= {"old", "new"}
