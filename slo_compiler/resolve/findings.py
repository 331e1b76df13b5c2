"""Collects what a resolution finds wrong, with the places of one document."""

from __future__ import annotations

from dataclasses import dataclass, field

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, Span
from slo_compiler.documents.judged import ABSENT, Fault, Notice, dotted, notice_at
from slo_compiler.load.source_map import Path, SourceDocument


@dataclass(slots=True, eq=False)
class Findings:
    """The findings about one document."""

    source: SourceDocument
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _told: set[Diagnostic] = field(default_factory=set)

    def error(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        """An error at the value at `path`."""
        self.add(code, Severity.ERROR, path, message, hint)

    def not_compilable(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        """An error at the value at `path` for `compile`, where the document itself is valid."""
        span = self.source.value_span(path)
        self.diagnostics.append(Diagnostic(code, Severity.ERROR, span, message, hint, compile_only=True))

    def error_at_key(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        """An error at the last key of `path`, where the key itself is wrong."""
        self.diagnostics.append(Diagnostic(code, Severity.ERROR, self.source.key_span(path), message, hint))

    def info_at_key(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        """Information at the last key of `path`."""
        self.diagnostics.append(Diagnostic(code, Severity.INFO, self.source.key_span(path), message, hint))

    def warning(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        """A warning at the value at `path`."""
        self.add(code, Severity.WARNING, path, message, hint)

    def info(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        """Information at the value at `path`."""
        self.add(code, Severity.INFO, path, message, hint)

    def say(self, notice: Notice) -> None:
        """A notice of one of the document's parts."""
        span = self.source.key_span(notice.loc) if notice.at_key else self.source.value_span(notice.loc)
        self.diagnostics.append(notice_at(span, notice))

    def fault(self, fault: Fault) -> None:
        """A fault that a part has only beside another document."""
        code = Code.SLO202 if fault.kind == ABSENT else Code.SLO203
        self.error(code, fault.loc, f"{dotted(fault.loc)}: {fault.message}", fault.hint)

    def span(self, path: Path) -> Span:
        """The place of the value at `path`."""
        return self.source.value_span(path)

    def add(self, code: Code, severity: Severity, path: Path, message: str, hint: str = "") -> None:
        """A finding at the value at `path`."""
        diagnostic = Diagnostic(code, severity, self.source.value_span(path), message, hint)
        if diagnostic not in self._told:  # several objectives may stumble over one fault
            self._told.add(diagnostic)
            self.diagnostics.append(diagnostic)
