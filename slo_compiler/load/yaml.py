"""Bytes to documents: YAML through libyaml's composer, under limits, with duplicate keys refused.

The composer gives nodes with places. No constructor runs: `on`, `0.10` and dates stay text until a field reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.load.source_map import Plain, SourceDocument, node_span, source_lines

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_ALIASES = 100
# One level of nesting takes at least one byte, and libyaml's composer crashes the process only near 30,000 levels.
_SAFE_WITHOUT_DEPTH_CHECK = 8_000

_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")
)
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(slots=True)
class LoadedFile:
    """What a file holds. `lines` are for showing findings; both lists may be filled at once."""

    path: str
    documents: list[SourceDocument] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lines: Sequence[str] = ()


def load_file(path: str) -> LoadedFile:
    """Reads one file. A fault of the file is a diagnostic, never an exception."""
    try:
        with Path(path).open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as fault:
        where = Span(path)
        return LoadedFile(path, diagnostics=[error(Code.SLO601, where, f"cannot be read: {fault.strerror}")])
    return load_bytes(content, path)


def load_bytes(content: bytes, path: str) -> LoadedFile:
    """Reads the documents of one file from its bytes; never raises for what they hold."""
    result = LoadedFile(path)
    if len(content) > MAX_BYTES:
        message = f"the file is over {MAX_BYTES // 1_000_000} MB"
        result.diagnostics.append(error(Code.SLO103, Span(path), message, "split it into a file per service"))
        return result
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        message = f"byte {fault.start} is not UTF-8"
        result.diagnostics.append(error(Code.SLO103, Span(path, line), message, "save the file as UTF-8"))
        return result
    result.lines = source_lines(text)
    try:
        if len(content) > _SAFE_WITHOUT_DEPTH_CHECK:
            _refuse_depth(text, path)
        for index, root in enumerate(yaml.compose_all(text, Loader=yaml.CSafeLoader)):
            if root is None or _is_null(root):
                continue
            reader = _Reader(path, result.diagnostics)
            # A file may also hold a list of objects, as OpenSLO allows.
            roots = root.value if isinstance(root, yaml.SequenceNode) else [root]
            result.documents += [SourceDocument(reader.read(item, 0), path, index, item) for item in roots]
    except _OverLimit as limit:
        result.diagnostics.append(limit.diagnostic)
    except yaml.MarkedYAMLError as fault:
        result.diagnostics.append(_syntax_error(fault, path))
    except yaml.YAMLError as fault:
        result.diagnostics.append(error(Code.SLO101, Span(path), _first_line(str(fault))))
    return result


class _OverLimit(Exception):
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def _refuse_depth(text: str, path: str) -> None:
    """Counts nesting over the events, which need no stack, before anything recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
                raise _OverLimit(_too_deep(Span(path, line, column, line, column + 1)))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _too_deep(span: Span) -> Diagnostic:
    return error(Code.SLO103, span, f"nested deeper than {MAX_DEPTH} levels")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS


class _Reader:
    """Turns the nodes of one document into data, and says what is wrong with them."""

    def __init__(self, path: str, diagnostics: list[Diagnostic]) -> None:
        self.path = path
        self.diagnostics = diagnostics
        self.nodes = 0
        self.aliases = 0
        self.seen: set[int] = set()

    def read(self, node: yaml.Node, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _OverLimit(error(Code.SLO103, node_span(self.path, node), f"more than {MAX_NODES} values"))
        if node.tag not in _TAGS:
            span = node_span(self.path, node)
            self.diagnostics.append(error(Code.SLO101, span, f"YAML tag {node.tag!r} is not read", "remove the tag"))
        if isinstance(node, yaml.ScalarNode):
            if not node.style:  # plain: libyaml says "", the pure parser None
                return None if node.value in _NULLS else Plain(node.value)
            return node.value
        if depth >= MAX_DEPTH:
            raise _OverLimit(_too_deep(node_span(self.path, node)))
        if id(node) in self.seen:
            self.aliases += 1
            if self.aliases > MAX_ALIASES:
                raise _OverLimit(error(Code.SLO103, node_span(self.path, node), f"more than {MAX_ALIASES} aliases"))
        self.seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, depth + 1) for item in node.value]
        return self._mapping(node, depth)

    def _mapping(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                span = node_span(self.path, key)
                self.diagnostics.append(error(Code.SLO101, span, "a key must be text", "quote it"))
                continue
            name = key.value
            if name in data:
                message = f"{name} is given twice (first on line {lines[name]})"
                span = node_span(self.path, key)
                self.diagnostics.append(error(Code.SLO102, span, message, "keep one of the two"))
                continue
            lines[name] = key.start_mark.line + 1
            data[name] = self.read(value, depth + 1)
        return data


def _syntax_error(fault: yaml.MarkedYAMLError, path: str) -> Diagnostic:
    mark = fault.problem_mark or fault.context_mark
    problem = _first_line(fault.problem or fault.context or "invalid YAML")
    if mark is None:
        return error(Code.SLO101, Span(path), problem)
    span = Span(path, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
    return error(Code.SLO101, span, problem, _SYNTAX_HINTS.get(problem, ""))


_SYNTAX_HINTS = {
    "found character that cannot start any token": "indent with spaces, and quote text that begins with @, ` or %",
    "mapping values are not allowed in this context": "quote text that contains ': '",
    "did not find expected key": "check the indentation and the quotes of this line and the one above",
    "did not find expected <document start>": "separate documents by a line that is just ---",
}


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "invalid YAML"
