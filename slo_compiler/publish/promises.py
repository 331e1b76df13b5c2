"""What a publication changes for whoever relies on the promises: a line per change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slo_compiler.publish.compiled import Compiled

_FOLDER = "catalogue/"


def changed_promises(published: Mapping[str, bytes], compiled: Compiled, folder: Path) -> list[str]:
    """The changes from the published catalogue to the compiled one.

    Args:
        published: its documents by path.
        folder: where files may be put.
    """
    del folder
    old = _slos(published)
    new = _slos({path: compiled.content(path) for path in compiled.manifest.files if path.startswith(_FOLDER)})
    lines = [f"added {identity}" for identity in sorted(new.keys() - old.keys())]
    lines += [f"removed {identity}" for identity in sorted(old.keys() - new.keys())]
    return lines + [
        f"changed {identity}" for identity in sorted(old.keys() & new.keys()) if old[identity] != new[identity]
    ]


def _slos(documents: Mapping[str, bytes]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for content in documents.values():
        try:
            found |= {slo["sloId"]: slo for slo in json.loads(content)["slos"]}
        except (ValueError, KeyError, TypeError):  # somebody edited it, and --force overwrites it
            continue
    return found
