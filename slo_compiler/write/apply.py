"""Carries a plan out: each file appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from slo_compiler.write.plan import Action, Kind


def apply_action(action: Action, folder: Path) -> None:
    """Writes or removes one file.

    Raises:
        OSError: the disk refuses; the file is then as it was.
    """
    target = folder / action.path
    if action.kind in (Kind.CREATE, Kind.REPLACE):
        assert action.after is not None  # only a removal has no text
        replace_file(target, action.after)
    elif action.kind is Kind.REMOVE:
        target.unlink(missing_ok=True)
        _remove_empty_parents(target.parent, folder)


def replace_file(target: Path, content: bytes, *, mode: int | None = None) -> None:
    """Puts `content` in place of a file by one rename.

    Args:
        mode: the permissions of the new file; by default those of any new file.

    Raises:
        OSError: the disk refuses; the file is then as it was, and nothing else is left behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _remove_empty_parents(folder: Path, top: Path) -> None:
    while folder != top:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
