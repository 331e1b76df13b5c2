"""One set of findings for all formats of reports, with names and texts that every format must escape."""

from __future__ import annotations

from slo_compiler.diagnostics import Code, Diagnostic, Severity, Span

PATH = "specs/größe, 50%: neu\nzwei.yaml"
LINES = [
    "apiVersion: slo-compiler/v1",
    "kind: InferenceSLO",
    "spec:",
    "  description: 日本語の説明 # für alle",
    "  objectives:",
    "    - {name: café, sli: ttft, threshold: 150ms, target: 95}",
    "    - {name: naïve, sli: ttft, threshold: 150ms}",
]
FINDINGS = [
    Diagnostic(
        Code.SLO505,
        Severity.INFO,
        Span(PATH, 4, 16, 5, 1),
        "the description 日本語の説明 ends on another line",
    ),
    Diagnostic(
        Code.SLO203,
        Severity.ERROR,
        Span(PATH, 6, 57, 6, 59),
        "target: '95' is no percentage, 100% at most:\nsee below",
        "write a percentage: 95%, or 99.9%",
    ),
    Diagnostic(
        Code.SLO403,
        Severity.WARNING,
        Span(PATH, 7, 43, 7, 48),
        "vLLM 0.11 cannot measure ttft at 150ms; the rules read 250ms",
        "promise 250ms",
    ),
]
SOURCES = {PATH: LINES}
