"""Which files a command reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".json")


def discover(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The spec files under the given paths, sorted, and the paths that do not exist.

    A file is taken whatever its name; in a folder, hidden entries are skipped and links to folders not followed. A
    folder that cannot be listed is among the files, so that whoever reads it says why.
    """
    found: set[str] = set()
    missing = []
    for given in paths:
        if is_folder(given):
            for folder, names, files in os.walk(Path(given), onerror=lambda fault: found.add(str(fault.filename))):
                names[:] = sorted(name for name in names if not name.startswith("."))
                found.update(
                    Path(folder, file).as_posix()
                    for file in files
                    if file.endswith(SUFFIXES) and not file.startswith(".")
                )
        elif exists(given):
            found.add(Path(given).as_posix())
        else:
            missing.append(given)
    return sorted(found), missing


def exists(path: str) -> bool:
    """Whether there is something at a path; not where it is too long for one, or lies where nobody may look."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def is_folder(path: str) -> bool:
    """Whether there is a folder at a path, or a link to one."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False
