"""A plan as git fast-import reads it: one commit of what is written and removed, on top of the one that was fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slo_compiler.publish import record
from slo_compiler.publish.compiled import Compiled
from slo_compiler.publish.plan import FILE_MODE, Plan
from slo_compiler.write.plan import Kind

# Of our own repository, which only this run sees.
BASE, NEXT = "refs/slo-compiler/base", "refs/slo-compiler/next"


def write_stream(path: Path, plan: Plan, compiled: Compiled, *, on_base: bool) -> Path:
    """Writes the stream into a file, one file of the plan after the other, so that memory holds one of them.

    Args:
        on_base: whether there is a commit that it follows.

    Raises:
        Changed, OSError: as of `Compiled.content`.
    """
    with path.open("wb") as file:
        file.write(f"commit {NEXT}\ncommitter slo-compiler <> now\ndata 0\n".encode())
        if on_base:
            file.write(f"from {BASE}^0\n".encode())
        for part in _changes(plan, compiled):
            file.write(part)
    return path


def _changes(plan: Plan, compiled: Compiled) -> Iterator[bytes]:
    for kind, name in plan.changes:
        path = _quoted(f"{plan.folder}/{name}")
        if kind is Kind.REMOVE:  # and git drops the folders that it leaves empty
            yield b"D %s\n" % path
            continue
        content = plan.record.to_text().encode() if name == record.NAME else compiled.content(name)
        yield b"M %s inline %s\ndata %d\n%s\n" % (FILE_MODE.encode(), path, len(content), content)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")
