"""Diagnostics: what they are, and how they are shown."""

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, Span

__all__ = ["Code", "Diagnostic", "Severity", "Span"]
