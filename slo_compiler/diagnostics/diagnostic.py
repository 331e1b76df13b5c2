"""One finding about one place in the input, as a plain value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code


class Severity(Enum):
    """How bad a finding is; only errors stop a compilation."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Span(NamedTuple):
    """A place in a file. Lines and columns count from 1; the end column is exclusive, on the same or a later line."""

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


# A spec may hold megabytes where a number belongs; what is said of it stays readable.
LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is wrong, where, and how to mend it. Of long texts the middle is left out.

    Attributes:
        hint: text that can be pasted or followed as it stands.
        compile_only: the document is valid and only no rule can express it: `validate` warns.
    """

    code: Code
    severity: Severity
    span: Span
    message: str
    hint: str = ""
    compile_only: bool = False

    def __post_init__(self) -> None:
        if len(self.message) > LONGEST_TEXT:
            object.__setattr__(self, "message", _shortened(self.message))
        if len(self.hint) > LONGEST_TEXT:
            object.__setattr__(self, "hint", _shortened(self.hint))

    @property
    def sort_key(self) -> tuple[Span, str, str]:
        """By file, place, code and text: the order of every report."""
        return (self.span, self.code.name, self.message)


def judging_documents(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The findings as `validate` shows them: what is valid and only cannot be compiled is a warning."""
    for diagnostic in found:
        cannot_be_compiled = diagnostic.compile_only or diagnostic.code is Code.SLO206
        if cannot_be_compiled and diagnostic.severity is Severity.ERROR:
            yield replace(diagnostic, severity=Severity.WARNING)
        else:
            yield diagnostic


def told_once(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Each finding once, at its worst: what is wrong with a shared definition is found by all that use it."""
    worst: dict[tuple[Code, Span, str], Diagnostic] = {}
    for diagnostic in found:
        key = (diagnostic.code, diagnostic.span, diagnostic.message)
        known = worst.get(key)
        if known is None or _RANK[diagnostic.severity] < _RANK[known.severity]:
            worst[key] = diagnostic
    yield from worst.values()


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def _shortened(text: str) -> str:
    half = LONGEST_TEXT // 2
    return f"{text[:half]} ... {text[-half:]}"


def error(code: Code, span: Span, message: str, hint: str = "") -> Diagnostic:
    """An error at a place."""
    return Diagnostic(code, Severity.ERROR, span, message, hint)


def warning(code: Code, span: Span, message: str, hint: str = "") -> Diagnostic:
    """A warning at a place."""
    return Diagnostic(code, Severity.WARNING, span, message, hint)


def info(code: Code, span: Span, message: str, hint: str = "") -> Diagnostic:
    """A piece of information at a place."""
    return Diagnostic(code, Severity.INFO, span, message, hint)


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
