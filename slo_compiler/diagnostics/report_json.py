"""Diagnostics for scripts: one JSON document, schema `slo-compiler/diagnostics/v1`."""

from __future__ import annotations

import json
import re
from typing import Any

from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.diagnostics.report import Report

SCHEMA = "slo-compiler/diagnostics/v1"
# Names of files may hold bytes that are no UTF-8, which Python keeps as halves of pairs.
_HALF = re.compile("[\ud800-\udfff]")


def render_json(report: Report) -> str:
    """The report as JSON; lines and columns count from 1."""
    shown, hidden = report.cut()
    document = {
        "schema": SCHEMA,
        "summary": {
            "files": report.files,
            "errors": sum(d.severity is Severity.ERROR for d in report.diagnostics),
            "warnings": sum(d.severity is Severity.WARNING for d in report.diagnostics),
            "hidden": sum(hidden.values()),
            "hiddenByCode": {code.name: number for code, number in hidden.items()},
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
    return json_text(document)


def json_text(document: Any) -> str:
    """A document as JSON that can be written as UTF-8 whatever its texts hold."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
