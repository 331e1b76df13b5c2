"""Diagnostics as a Code Quality report of GitLab: https://docs.gitlab.com/ci/testing/code_quality/."""

from __future__ import annotations

from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.diagnostics.fingerprints import fingerprinted, hash_of
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_json import json_text
from slo_compiler.diagnostics.report_sarif import message_with_hint

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render_gitlab(report: Report) -> str:
    """The report as a list of violations. It has no place to say that `limit` hides some."""
    shown, _ = report.cut()
    prints = {id(diagnostic): text for diagnostic, text in fingerprinted(report.diagnostics, report.sources)}
    return json_text(
        [
            {
                "description": message_with_hint(diagnostic),
                "check_name": diagnostic.code.name,
                # GitLab compares fingerprints of all files at once.
                "fingerprint": hash_of(diagnostic.span.path, prints[id(diagnostic)]),
                "severity": _SEVERITIES[diagnostic.severity],
                "location": {
                    "path": diagnostic.span.path,
                    "lines": {"begin": diagnostic.span.line, "end": diagnostic.span.end_line},
                },
            }
            for diagnostic in shown
        ]
    )
