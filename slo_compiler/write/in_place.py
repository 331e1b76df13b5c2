"""Writes files that people wrote: in place of the old text, or into a folder that must hold nothing else."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.write.apply import replace_file

_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def write_in_place(path: str, before: bytes, after: bytes) -> list[Diagnostic]:
    """Replaces a file by one rename: what a link points to, with the permissions that it has.

    Returns:
        Why the file is left as it was: it is read-only, it changed since it was read, the disk refuses.
    """
    try:
        target = Path(path).resolve(strict=True)
        mode = stat.S_IMODE(target.stat().st_mode)
        if not mode & _ANY_WRITE:  # root could, but somebody took the right away on purpose
            return [_refused(path, "is read-only", "chmod u+w, or write into a folder with -o")]
        if target.read_bytes() != before:
            return [_refused(path, "was changed by somebody else in the meantime", "run the command again")]
        replace_file(target, after, mode=mode)
    except OSError as fault:
        return [_refused(path, f"cannot be written: {fault.strerror}", "check its permissions and the disk")]
    return []


def write_into(folder: Path, name: str, content: bytes) -> tuple[bool, list[Diagnostic]]:
    """Creates a file below a folder; whether it is new, and why it was not written.

    What stands there already is kept: where it is the same there is nothing to do, else it is an error.
    """
    target = folder / name
    try:
        if target.is_symlink() or (target.exists() and not target.is_file()):
            return False, [_foreign(target, "something that is no file stands in its place")]
        if target.exists():
            same = target.read_bytes() == content
            return False, [] if same else [_foreign(target, "a file with other content stands in its place")]
        replace_file(target, content)
    except OSError as fault:
        reason = f"cannot be written: {fault.strerror}"
        return False, [_refused(target.as_posix(), reason, "check its permissions and the disk")]
    return True, []


def clashes(names: Sequence[str]) -> list[str]:
    """The names that occur more than once, sorted."""
    return sorted({name for name in names if names.count(name) > 1})


def _refused(path: str, reason: str, hint: str) -> Diagnostic:
    return error(Code.SLO601, Span(path), reason, hint)


def _foreign(target: Path, reason: str) -> Diagnostic:
    return error(Code.SLO602, Span(target.as_posix()), reason, "move it away, or write into another folder")
