"""The formats in which findings are shown."""

from __future__ import annotations

import importlib

from slo_compiler.diagnostics.report import Report

# Format -> module and function from a `Report` to text; a module is imported when its format is asked for.
REPORTERS: dict[str, tuple[str, str]] = {
    "text": ("slo_compiler.diagnostics.report_text", "render_text"),
    "json": ("slo_compiler.diagnostics.report_json", "render_json"),
    "sarif": ("slo_compiler.diagnostics.report_sarif", "render_sarif"),
    "github": ("slo_compiler.diagnostics.report_github", "render_github"),
    "gitlab": ("slo_compiler.diagnostics.report_gitlab", "render_gitlab"),
}
# Those that people read as they stand; the others are for programs.
FOR_PEOPLE = ("text", "github")


def render(output: str, report: Report) -> str:
    """The report in a format of `REPORTERS`."""
    module, function = REPORTERS[output]
    text: str = getattr(importlib.import_module(module), function)(report)
    return text
