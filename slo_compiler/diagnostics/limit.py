"""Which findings a report shows where there are too many, and what it says of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity

# The order of importance.
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def cut(diagnostics: Sequence[Diagnostic], limit: int) -> tuple[Sequence[Diagnostic], dict[Code, int]]:
    """The findings to show, in their order, and how many others there are of each code, the most frequent first.

    Errors are shown before warnings, and these before information: no error may hide behind a hundred warnings.

    Args:
        limit: show so many at most; 0 shows all.
    """
    if not limit or len(diagnostics) <= limit:
        return diagnostics, {}
    ranked = sorted(range(len(diagnostics)), key=lambda index: _RANK[diagnostics[index].severity])
    kept = set(ranked[:limit])
    others = Counter(diagnostic.code for index, diagnostic in enumerate(diagnostics) if index not in kept)
    frequent = sorted(others.items(), key=lambda item: (-item[1], item[0].name))
    return [diagnostics[index] for index in sorted(kept)], dict(frequent)


def hidden_text(hidden: Mapping[Code, int]) -> str:
    """`9,900 more: 8,000 SLO203 wrong type or value, 1,900 SLO201 unknown field`, and how to see them."""
    groups = ", ".join(f"{number:,} {code.name} {code.value}" for code, number in hidden.items())
    return f"{sum(hidden.values()):,} more: {groups} (validate --max-diagnostics 0 shows all)"


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
    return f"{number:,} {word}{'' if number == 1 else 's'}"
