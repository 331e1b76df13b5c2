"""A repository's own templates from a folder: every `*.j2` file below it, as text."""

from __future__ import annotations

from pathlib import Path

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.load.limits import MAX_BYTES
from slo_compiler.load.yaml import LoadedFile, read_content

_MOST_FILES = 100


def read_templates(folder: str) -> tuple[tuple[tuple[str, str], ...], list[Diagnostic]]:
    """The name within the folder and the text of each template, sorted, and what is wrong with them.

    Links that lead out of the folder are passed over: a page shows what its template is.
    """
    root = Path(folder)
    if not root.is_dir():
        return (), [
            error(Code.SLO605, Span(folder), "there is no such folder of templates", "mend outputs.runbooks.templates")
        ]
    inside = root.resolve()
    paths = sorted(path for path in root.rglob("*.j2") if path.resolve().is_relative_to(inside))[:_MOST_FILES]
    found: list[tuple[str, str]] = []
    faults: list[Diagnostic] = []
    for path in paths:
        content = read_content(str(path))
        if isinstance(content, LoadedFile):
            faults += content.diagnostics
            continue
        try:
            if len(content) > MAX_BYTES:
                raise ValueError(f"it is over {MAX_BYTES // 1_000_000} MB")
            found.append((path.relative_to(root).as_posix(), content.decode("utf-8")))
        except ValueError as fault:  # of decoding, too
            where = Span(path.as_posix())
            faults.append(error(Code.SLO605, where, f"the template cannot be read: {fault}", "save it as UTF-8"))
    if not found and not faults:
        faults.append(error(Code.SLO605, Span(folder), "the folder holds no template", "write runbook.md.j2 into it"))
    return tuple(found), faults
