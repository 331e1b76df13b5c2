"""Comments that speak to the compiler: `# slo-compiler: ignore SLO403 reason`, and the line that each is for.

libyaml drops comments, and a `#` may as well be text: what is no comment lies inside a token of the scanner.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from slo_compiler.diagnostics.diagnostic import Span

_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT = re.compile(r"#[^\n\r\x85\u2028\u2029]*")
_DIRECTIVE = re.compile(r"#+[ \t]*slo-compiler:")
# The first line of a block scalar may end in a comment, which the scanner counts to the scalar.
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]+(?=#)")
_MARKERS = (yaml.DocumentStartToken, yaml.DocumentEndToken, yaml.DirectiveToken)


@dataclass(frozen=True, slots=True)
class Directive:
    """A comment that speaks to the compiler.

    Attributes:
        text: the comment as it stands.
        span: its place.
        line: the line that it is for: its own, or where it has that for itself the next that holds YAML; None where
            none follows.
    """

    text: str
    span: Span
    line: int | None


def read_directives(text: str, path: str) -> list[Directive]:
    """The directives of a file that was composed without a fault.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]
    found: list[Directive] = []
    waiting: list[Directive] = []
    for start, next_line in _comments(text):
        if next_line is not None:
            found += (Directive(item.text, item.span, next_line) for item in waiting)
            waiting = []
            continue
        comment = _COMMENT.match(text, start)
        if comment is None or _DIRECTIVE.match(comment[0]) is None:
            continue
        line = bisect_right(starts, start)
        column = start - starts[line - 1] + 1
        words = comment[0].rstrip()
        span = Span(path, line, column, line, column + len(words))
        if text[starts[line - 1] : start].strip():
            found.append(Directive(words, span, line))
        else:
            waiting.append(Directive(words, span, None))
    return sorted([*found, *waiting], key=lambda directive: directive.span)


def _comments(text: str) -> Iterator[tuple[int, int | None]]:
    """Where each comment begins; and between them, with its line, each place at which YAML goes on."""
    end = 0
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        start, stop = token.start_mark.index, token.end_mark.index
        yield from ((comment.start(), None) for comment in _COMMENT.finditer(text, end, start))
        if stop > start and not isinstance(token, _MARKERS):
            yield start, token.start_mark.line + 1
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            header = _BLOCK_HEADER.match(text, start)
            if header is not None:
                yield header.end(), None
        end = max(end, stop)
