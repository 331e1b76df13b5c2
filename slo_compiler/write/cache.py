"""What a later run may spare itself, kept apart from the repository: values that are whole or not there at all."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from slo_compiler.write.manifest import sha256


def cache_path(purpose: str, root: Path) -> Path | None:
    """The file that keeps what is known of one folder for one purpose; None where there is no home to keep it in.

    It lies in the user's cache, by a hash of the folder's path: what is checked out cannot bring one of its own.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "slo-compiler" / f"{purpose}-{sha256(os.fsencode(root.absolute()))[:24]}.json"


def read_cache(path: Path | None) -> Any:
    """What was kept; None where there is nothing, or where it is not byte for byte what was written."""
    if path is None:
        return None
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
        if digest.decode() != sha256(content):
            return None
        return json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None


def write_cache(path: Path | None, value: Any) -> None:
    """Keeps a value for later runs; where the disk refuses, they are slower."""
    if path is None:
        return
    from slo_compiler.write.apply import replace_file  # a run that finds all as it was loads no emitter

    content = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        replace_file(path, sha256(content).encode() + b"\n" + content)
