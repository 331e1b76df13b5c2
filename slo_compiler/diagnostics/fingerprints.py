"""What makes a finding the same one after lines above it came or went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from slo_compiler.diagnostics.diagnostic import Diagnostic

_HEX_DIGITS = 16
_LONGEST_LINE = 1_000
_AROUND = 100


def fingerprinted(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Diagnostic, str]]:
    """Each finding with its fingerprint, which is unique among findings of one file.

    It is made of the code, the text of the line, and how many like it stand above in the same file; not of the line's
    number, its indentation or the path, nor of the message unless the line is not known.

    Args:
        diagnostics: in the order of their places.
        sources: the lines of each file by path.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for diagnostic in diagnostics:
        digest = hash_of(diagnostic.code.name, _text_at(diagnostic, sources))
        seen[(diagnostic.span.path, digest)] += 1
        yield diagnostic, f"{digest}:{seen[(diagnostic.span.path, digest)]}"


def _text_at(diagnostic: Diagnostic, sources: Mapping[str, Sequence[str]]) -> str:
    span = diagnostic.span
    lines = sources.get(span.path, ())
    if not 1 <= span.line <= len(lines):
        return diagnostic.message
    line = lines[span.line - 1]
    if len(line) > _LONGEST_LINE:  # a whole file on one line: what stands around the place
        line = line[max(0, span.column - _AROUND) : span.column + _AROUND]
    return line.strip()


def hash_of(*parts: str) -> str:
    """Sixteen hexadecimal digits that stand for these texts."""
    import hashlib  # most runs show no fingerprint

    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:_HEX_DIGITS]
