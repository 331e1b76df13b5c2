"""Diagnostics for code scanning: SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

from typing import Any

from slo_compiler import __version__
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, Span
from slo_compiler.diagnostics.fingerprints import fingerprinted
from slo_compiler.diagnostics.limit import hidden_text
from slo_compiler.diagnostics.pages import read_page
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_json import json_text

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
# The key under which GitHub looks for what makes an alert the same one.
FINGERPRINT = "primaryLocationLineHash"
# What stands for itself in the path of a URI.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# What GitHub shows of a rule that is no security rule.
_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}


def render_sarif(report: Report) -> str:
    """The report as a SARIF log of one run; columns count characters and the end column is exclusive."""
    shown, hidden = report.cut()
    prints = {id(diagnostic): text for diagnostic, text in fingerprinted(report.diagnostics, report.sources)}
    named = {diagnostic.code for diagnostic in shown}
    rules = {code: index for index, code in enumerate(code for code in Code if code in named)}
    invocation: dict[str, Any] = {"executionSuccessful": True}
    if hidden:
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": hidden_text(hidden)}}]
    driver = {"name": "slo-compiler", "semanticVersion": __version__, "rules": list(map(_rule, rules))}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The folder in which slo-compiler ran."}}},
        "results": [_result(diagnostic, rules[diagnostic.code], prints[id(diagnostic)]) for diagnostic in shown],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: Code) -> dict[str, Any]:
    page = read_page(code)
    return {
        "id": code.name,
        "shortDescription": {"text": code.value},
        "fullDescription": {"text": page.plain("What")},
        "help": {"text": page.plain("What", "Why it matters", "How to mend"), "markdown": page.text},
        "defaultConfiguration": {"level": _LEVELS[page.severity]},
        "properties": {"problem.severity": _PROBLEMS[page.severity]},
    }


def _result(diagnostic: Diagnostic, rule: int, fingerprint: str) -> dict[str, Any]:
    return {
        "ruleId": diagnostic.code.name,
        "ruleIndex": rule,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": message_with_hint(diagnostic)},
        "locations": [{"physicalLocation": _location(diagnostic.span)}],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }


def message_with_hint(diagnostic: Diagnostic) -> str:
    """The message, and below it how to mend what it says."""
    return f"{diagnostic.message}\nhelp: {diagnostic.hint}" if diagnostic.hint else diagnostic.message


def _location(span: Span) -> dict[str, Any]:
    return {
        "artifactLocation": _artifact(span.path),
        "region": {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        },
    }


def _artifact(path: str) -> dict[str, str]:
    """A path as a URI by RFC 3986: relative to where we ran, unless it lies elsewhere."""
    content = path.encode("utf-8", "surrogateescape")
    encoded = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in content)
    if path.startswith("/"):
        return {"uri": f"file://{encoded}"}
    if path.startswith("../"):  # a reference with a base may not climb out of it
        return {"uri": encoded}
    return {"uri": encoded, "uriBaseId": BASE}
