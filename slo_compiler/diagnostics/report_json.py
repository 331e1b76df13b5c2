"""Diagnostics for scripts: one JSON document, schema `slo-compiler/diagnostics/v1`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity

SCHEMA = "slo-compiler/diagnostics/v1"


def render_json(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, Sequence[str]], *, colour: bool, files: int, limit: int = 0
) -> str:
    """The report as JSON; lines and columns count from 1. `sources` and `colour` do not matter here."""
    del sources, colour
    shown = diagnostics[:limit] if limit else diagnostics
    document = {
        "schema": SCHEMA,
        "summary": {
            "files": files,
            "errors": sum(d.severity is Severity.ERROR for d in diagnostics),
            "warnings": sum(d.severity is Severity.WARNING for d in diagnostics),
        },
        "diagnostics": [
            {
                "code": d.code.name,
                "severity": d.severity.value,
                "path": d.span.path,
                "line": d.span.line,
                "column": d.span.column,
                "endLine": d.span.end_line,
                "endColumn": d.span.end_column,
                "message": d.message,
                "hint": d.hint,
            }
            for d in shown
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
