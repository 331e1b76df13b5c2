"""Limits on what a file may hold, judged over libyaml's events, which need no stack and expand nothing."""

from __future__ import annotations

import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_ALIASES = 100
MAX_DIRECTIVES = 10_000


class OverLimit(Exception):
    """The input is over a limit; nothing more of it is read."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def too_deep(span: Span) -> OverLimit:
    """Nested too deep at a place."""
    message, hint = f"nested deeper than {MAX_DEPTH} levels", "no field lies so deep: check brackets and indentation"
    return OverLimit(error(Code.SLO103, span, message, hint))


def too_many_values(span: Span) -> OverLimit:
    """One value too many at a place."""
    message = f"more than {MAX_NODES} values"
    return OverLimit(error(Code.SLO103, span, message, "split it into a file per service"))


def too_many_directives(span: Span) -> OverLimit:
    """One comment for the compiler too many."""
    message = f"more than {MAX_DIRECTIVES} comments for the compiler"
    return OverLimit(error(Code.SLO103, span, message, "mend what they ignore, or split it into a file per service"))


def refuse_large(text: str, path: str) -> None:
    """Counts values and nesting before anything is composed.

    Raises:
        OverLimit: there are too many of them.
        yaml.YAMLError: the text is no YAML.
    """
    depth = values = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.NodeEvent):  # scalars, aliases and the starts of collections
            values += 1
            if values > MAX_NODES:
                raise too_many_values(_place(event, path))
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise too_deep(_place(event, path))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def alias_over_limit(text: str, path: str) -> OverLimit | None:
    """The alias of itself, or the alias with which they repeat too much; None without one.

    Aliases count by the lists and mappings that they come to once all are written out.
    """
    sizes: dict[str, int] = {}  # of anchored collections, written out
    opened: list[tuple[str | None, int]] = []
    size = repeated = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            sizes, size, repeated = {}, 0, 0
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, size))
            size += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor is not None:
                sizes[anchor] = size - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in opened):
                message, hint = "an alias of itself", "an alias must lie outside of what it names: write the value out"
                return OverLimit(error(Code.SLO103, _place(event, path), message, hint))
            named = sizes.get(event.anchor or "", 0)
            size += named
            repeated += named
            if repeated > MAX_ALIASES:
                message = f"aliases repeat more than {MAX_ALIASES} lists and mappings"
                return OverLimit(error(Code.SLO103, _place(event, path), message, "write the values out"))
    return None


def _place(event: yaml.Event, path: str) -> Span:
    mark = event.start_mark
    if mark is None:
        return Span(path)
    end = event.end_mark if isinstance(event, yaml.AliasEvent) and event.end_mark is not None else None
    column = end.column + 1 if end is not None and end.line == mark.line else mark.column + 2
    return Span(path, mark.line + 1, mark.column + 1, mark.line + 1, column)
