"""Diagnostics for people: a line each, the source line, a caret, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.diagnostics.limit import hidden_text, summary
from slo_compiler.diagnostics.report import Report
from slo_compiler.plain_text import columns, visible

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_NARROWEST = 40
_CUT = "…"


def render_text(report: Report) -> str:
    """The report as text; under 40 columns of width are taken as 40.

    Nothing is broken into lines that somebody may paste: what is too wide for a line is left to the terminal. Only the
    source line is cut around the caret, since a caret under a line that wraps points at nothing.
    """
    shown, hidden = report.cut()
    width = max(report.width, _NARROWEST)
    blocks = [_render_one(diagnostic, report.sources, report.colour, width) for diagnostic in shown]
    if hidden:
        blocks.append(f"... and {hidden_text(hidden)}")
    blocks.append(summary(report.diagnostics, report.files))
    return "\n".join(blocks)


def _render_one(diagnostic: Diagnostic, sources: Mapping[str, Sequence[str]], colour: bool, width: int) -> str:
    span = diagnostic.span
    kind = f"{diagnostic.severity.value}[{diagnostic.code.name}]"
    if colour:
        kind = f"\033[1;{_COLOURS[diagnostic.severity]}m{kind}\033[0m"
    head = f"{visible(span.path)}:{span.line}:{span.column}: {kind}: {visible(diagnostic.message)}"
    lines = sources.get(span.path, ())
    hint = f"help: {visible(diagnostic.hint)}" if diagnostic.hint else ""
    if not 1 <= span.line <= len(lines):
        return f"{head}\n  {hint}" if hint else head
    margin = f"{span.line} | "
    text, before, under = _window(lines[span.line - 1], diagnostic, width - len(margin))
    marks = "^" * under
    if colour:
        marks = f"\033[1;{_COLOURS[diagnostic.severity]}m{marks}\033[0m"
    gutter = " " * (len(margin) - 2)
    caret = f"{gutter}| {' ' * before}{marks}"
    if len(margin) + before + under + 1 + columns(hint) <= width:
        return f"{head}\n{margin}{text}\n{caret} {hint}".rstrip()
    return f"{head}\n{margin}{text}\n{caret}\n{gutter}= {hint}"


def _window(line: str, diagnostic: Diagnostic, room: int) -> tuple[str, int, int]:
    """What is shown of a line, in so many columns, and how many of them lie before and under the marks."""
    span = diagnostic.span
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    first, last = max(0, start - room), start + room  # all that can be seen: a line may hold megabytes
    before, marked, after = (
        visible(line[low:high].rstrip("\r\n").expandtabs(1))
        for low, high in ((first, start), (start, min(end, last)), (max(start, end), last))
    )
    left, right, marks_go_on = first > 0, last < len(line), False
    if columns(before) + max(1, columns(marked)) + columns(after) > room:
        # A third of the room for what stands before, more where the rest does not need it.
        rest = columns(marked) + columns(after)
        spare = max(room // 3, room - rest - 2)
        left = left or columns(before) > spare
        before = _last(before, spare - left) if left else before
        taken = columns(before) + left
        right = right or taken + rest > room
        whole = _first(marked + after, room - taken - right)
        marks_go_on = len(whole) < len(marked)
        marked, after = whole[: len(marked)], whole[len(marked) :]
    shown = f"{_CUT if left else ''}{before}{marked}{after}{_CUT if right else ''}"
    return shown.rstrip(), columns(before) + left, max(1, columns(marked) + marks_go_on)


def _first(text: str, room: int) -> str:
    """As much of the beginning as fits into so many columns."""
    used = 0
    for index, character in enumerate(text):
        used += columns(character)
        if used > room:
            return text[:index]
    return text


def _last(text: str, room: int) -> str:
    """As much of the end as fits into so many columns."""
    used = 0
    for index in range(len(text) - 1, -1, -1):
        used += columns(text[index])
        if used > room:
            return text[index + 1 :]
    return text
