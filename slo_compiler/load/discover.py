"""Which files a command reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".json")


def discover(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The spec files under the given paths, sorted, and the paths that do not exist.

    A file is taken whatever its name; in a folder, hidden entries are skipped and links to folders not followed.
    """
    found: set[str] = set()
    missing = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            for folder, names, files in os.walk(path):
                names[:] = sorted(name for name in names if not name.startswith("."))
                found.update(
                    Path(folder, file).as_posix()
                    for file in files
                    if file.endswith(SUFFIXES) and not file.startswith(".")
                )
        elif path.exists():
            found.add(path.as_posix())
        else:
            missing.append(given)
    return sorted(found), missing
