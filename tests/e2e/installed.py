"""An installed wheel: a virtual environment apart from the checkout, and programs run in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Installed:
    """A virtual environment with the wheel in it, and an empty folder to work in."""

    root: Path
    work: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run([str(self.root / "bin" / program), *arguments], self.work)


def run(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    return subprocess.run(
        command, cwd=cwd, env={**kept, "PIP_NO_INDEX": "1"}, capture_output=True, text=True, check=False
    )
