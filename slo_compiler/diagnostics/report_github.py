"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

The escapes are those of actions/toolkit, packages/core/src/command.ts; the commands are in
https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.diagnostics.limit import hidden_text, summary
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_sarif import message_with_hint
from slo_compiler.plain_text import visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(report: Report) -> str:
    """The report as a command a line, and below them, for the log, what the text report ends with."""
    shown, hidden = report.cut()
    lines = [_command(diagnostic) for diagnostic in shown]
    if hidden:
        lines.append(f"... and {hidden_text(hidden)}")
    return "\n".join([*lines, summary(report.diagnostics, report.files)])


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    place = {"file": span.path, "line": str(span.line), "col": str(span.column)}
    if span.end_line == span.line:  # GitHub takes columns for a single line only
        place["endColumn"] = str(span.end_column)
    properties = ",".join(f"{key}={_escape_property(value)}" for key, value in place.items())
    # A log is shown on terminals, which control characters would paint; lines may stay lines.
    text = _escape_data("\n".join(map(visible, message_with_hint(diagnostic).split("\n"))))
    return f"::{_COMMANDS[diagnostic.severity]} {properties},title={diagnostic.code.name}::{text}"


def _escape_data(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.encode("utf-8", "replace").decode("utf-8")  # a name of a file may hold bytes that are no UTF-8


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
