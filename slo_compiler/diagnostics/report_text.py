"""Diagnostics for people: a line each, the source line, a caret, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.plain_text import columns, visible

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_WIDEST_LINE = 160


def render_text(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, Sequence[str]], *, colour: bool, files: int, limit: int = 0
) -> str:
    """The report as text.

    Args:
        diagnostics: in the order in which they are to be shown.
        sources: the lines of each file by path; a missing file is shown without its line.
        colour: whether to use ANSI colours.
        files: how many files were read, for the summary.
        limit: show so many at most; 0 shows all.
    """
    shown = diagnostics[:limit] if limit else diagnostics
    blocks = [_render_one(diagnostic, sources, colour) for diagnostic in shown]
    if len(shown) < len(diagnostics):
        hidden = len(diagnostics) - len(shown)
        blocks.append(f"... and {count(hidden, 'more finding')}; --max-diagnostics 0 shows all")
    blocks.append(summary(diagnostics, files))
    return "\n".join(blocks)


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """`3 errors and 1 warning in 2 files`."""
    errors = sum(d.severity is Severity.ERROR for d in diagnostics)
    warnings = sum(d.severity is Severity.WARNING for d in diagnostics)
    if not errors and not warnings:
        return f"{count(files, 'file')} checked, no errors"
    parts = [count(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    return f"{' and '.join(parts)} in {count(files, 'file')}"


def count(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _render_one(diagnostic: Diagnostic, sources: Mapping[str, Sequence[str]], colour: bool) -> str:
    span = diagnostic.span
    kind = f"{diagnostic.severity.value}[{diagnostic.code.name}]"
    if colour:
        kind = f"\033[1;{_COLOURS[diagnostic.severity]}m{kind}\033[0m"
    head = f"{visible(span.path)}:{span.line}:{span.column}: {kind}: {visible(diagnostic.message)}"
    lines = sources.get(span.path, ())
    hint = f"help: {visible(diagnostic.hint)}" if diagnostic.hint else ""
    if not 1 <= span.line <= len(lines):
        return f"{head}\n  {hint}" if hint else head
    text = lines[span.line - 1].rstrip("\r\n").expandtabs(1)
    start = min(span.column - 1, len(text))
    end = min(span.end_column - 1, len(text)) if span.end_line == span.line else len(text)
    if len(text) > _WIDEST_LINE:  # a window around the caret
        cut = max(0, start - 60)
        text, start, end = text[cut : cut + _WIDEST_LINE], start - cut, min(end - cut, _WIDEST_LINE)
    margin = f"{span.line} | "
    marks = "^" * max(1, columns(text[start:end]))
    if colour:
        marks = f"\033[1m{marks}\033[0m"
    caret = " " * (len(margin) - 2) + "| " + " " * columns(text[:start]) + marks
    return f"{head}\n{margin}{visible(text)}\n{caret} {hint}".rstrip()
