"""Which files a command reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from slo_compiler.load.limits import MAX_BYTES

SUFFIXES = (".yaml", ".yml", ".json")


def discover(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The spec files under the given paths, sorted, and the paths that do not exist.

    A file is taken whatever its name; in a folder, JSON that names no version of ours (a schema, a dashboard), hidden
    entries and what a compilation wrote are skipped, and links to folders are not followed. A folder that cannot be
    listed is among the files, so that whoever reads it says why.
    """
    found: set[str] = set()
    missing = []
    for given in paths:
        if is_folder(given):
            for folder, names, files in os.walk(Path(given), onerror=lambda fault: found.add(str(fault.filename))):
                names[:] = sorted(name for name in names if not name.startswith("."))
                if _MANIFEST in files and folder != str(Path(given)) and _is_output(Path(folder, _MANIFEST)):
                    names.clear()
                    continue
                found.update(
                    Path(folder, file).as_posix()
                    for file in files
                    if file.endswith(SUFFIXES) and not file.startswith(".") and _may_be_ours(Path(folder, file))
                )
        elif exists(given):
            found.add(Path(given).as_posix())
        else:
            missing.append(given)
    return sorted(found), missing


_MANIFEST = "manifest.json"
_OF_OUTPUT = b"slo-compiler/manifest/"


def _is_output(manifest: Path) -> bool:
    """Whether a manifest is that of a folder which a compilation wrote; it says so in its first lines."""
    try:
        with manifest.open("rb") as file:
            return _OF_OUTPUT in file.read(1024)
    except OSError:
        return False


# Of a document the value is text; a JSON Schema describes the field with an object.
_SAYS_VERSION = re.compile(rb'"(apiVersion|version)"\s*:\s*"[a-z]')


def _may_be_ours(path: Path) -> bool:
    """Whether a file of a folder may hold our documents: YAML always does, JSON where it says which; and what cannot be read."""
    if path.suffix != ".json":
        return True
    try:
        if path.stat().st_size > MAX_BYTES:
            return True  # whoever reads it says why not
        return _SAYS_VERSION.search(path.read_bytes()) is not None
    except OSError:
        return True


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


def same_files(files: Iterable[str], others: Iterable[str]) -> set[str]:
    """Those of some files that other paths lead to as well: through links, or by another way of writing them."""
    wanted = {found for found in map(_identity, others) if found is not None}
    return {path for path in files if _identity(path) in wanted} if wanted else set()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):  # a path that holds what no path can
        return None
    return status.st_dev, status.st_ino
