"""Bytes to documents: YAML through libyaml's composer, under limits, with duplicate keys refused.

The composer gives nodes with places. No constructor runs: `on`, `0.10` and dates stay text until a field reads them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from yaml.reader import ReaderError

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.load.limits import (
    MAX_ALIASES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIRECTIVES,
    MAX_NODES,
    OverLimit,
    alias_over_limit,
    refuse_large,
    too_deep,
    too_many_directives,
    too_many_values,
)
from slo_compiler.load.source_map import Plain, SourceDocument, node_span, source_lines
from slo_compiler.plain_yaml import Composer

if TYPE_CHECKING:
    from slo_compiler.load.directives import Directive

# One level of nesting takes at least one byte, and libyaml's composer crashes the process only near 30,000 levels.
_SAFE_WITHOUT_COUNTING = 8_000

_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")
)
# Only files that hold these bytes are scanned a second time, for comments.
_DIRECTIVE = b"slo-compiler:"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(slots=True, eq=False)
class LoadedFile:
    """What a file holds. `lines` are for showing findings; documents and diagnostics may be there at once."""

    path: str
    documents: list[SourceDocument] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    lines: Sequence[str] = ()


_UNREADABLE = "check that it is a file, and its permissions"
# Whoever opens a pipe waits for its writer, and some devices never end: only files are read.
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_NOT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read_content(path: str) -> bytes | LoadedFile:
    """The bytes of a file, one more than it may have at the most; or, with its fault, a file that cannot be read."""
    try:
        with os.fdopen(os.open(path, _NOT_WAITING), "rb", buffering=0) as handle:
            status = os.fstat(handle.fileno())
            mode = status.st_mode
            if stat.S_ISREG(mode):
                # Room for the most that a file may have is not made for each of thousands that are small.
                whole = status.st_size <= MAX_BYTES
                return handle.readall()[: MAX_BYTES + 1] if whole else handle.read(MAX_BYTES + 1)
        reason = f"it is {next((kind for test, kind in _KINDS if test(mode)), 'no file')}"
    except OSError as fault:
        reason = str(fault.strerror)
    except ValueError as fault:  # a path that holds what no path can
        reason = str(fault)
    return LoadedFile(path, diagnostics=[error(Code.SLO601, Span(path), f"cannot be read: {reason}", _UNREADABLE)])


def load_file(path: str) -> LoadedFile:
    """Reads one file. A fault of the file is a diagnostic, never an exception."""
    content = read_content(path)
    return content if isinstance(content, LoadedFile) else load_bytes(content, path)


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
        result.diagnostics.append(error(Code.SLO103, Span(path, line, 1, line, 1), message, "save the file as UTF-8"))
        return result
    result.lines = source_lines(text)
    try:
        if len(content) > _SAFE_WITHOUT_COUNTING:
            refuse_large(text, path)
        for index, root in enumerate(yaml.compose_all(text, Loader=Composer)):
            if root is None or is_null(root):
                continue
            reader = _Reader(path, result.diagnostics)
            # A file may also hold a list of objects, as OpenSLO allows.
            listed = root if isinstance(root, yaml.SequenceNode) else None
            for item in listed.value if listed is not None else [root]:
                data = reader.read(item, int(listed is not None))
                result.documents.append(SourceDocument(data, path, index, item, listed_in=listed))
        if _DIRECTIVE in content and not path.endswith(".json"):
            from slo_compiler.load.directives import read_directives  # few files have any

            result.directives = read_directives(text, path)
            if len(result.directives) > MAX_DIRECTIVES:
                raise too_many_directives(result.directives[MAX_DIRECTIVES].span)
    except _TooManyAliases:
        over = alias_over_limit(text, path)
        assert over is not None  # the same count, over events
        result.diagnostics.append(over.diagnostic)
    except OverLimit as limit:
        result.diagnostics.append(limit.diagnostic)
    except yaml.MarkedYAMLError as fault:
        result.diagnostics.append(_too_deep_before(fault, text, path) or _syntax_error(fault, path, result.lines))
    except ReaderError as fault:
        result.diagnostics.append(_unreadable_character(fault, path, text))
    except yaml.YAMLError as fault:
        result.diagnostics.append(error(Code.SLO101, Span(path), _first_line(str(fault)), _SYNTAX_HINT))
    return result


class _TooManyAliases(Exception):
    """An alias of itself, or too many of them; composed nodes do not know where an alias stood."""


def is_null(node: yaml.Node) -> bool:
    """Whether a node says nothing: `~`, `null`, or no value at all."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS


class _Reader:
    """Turns the nodes of one document into data, and says what is wrong with them."""

    def __init__(self, path: str, diagnostics: list[Diagnostic]) -> None:
        self.path = path
        self.diagnostics = diagnostics
        self.nodes = 0
        self.aliases = 0
        self.seen: set[int] = set()
        self.open: set[int] = set()

    def read(self, node: yaml.Node, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise too_many_values(node_span(self.path, node))
        if node.tag not in _TAGS:
            span = node_span(self.path, node)
            self.diagnostics.append(error(Code.SLO101, span, f"YAML tag {node.tag!r} is not read", "remove the tag"))
        if isinstance(node, yaml.ScalarNode):
            if not node.style:  # plain: libyaml says "", the pure parser None
                return None if node.value in _NULLS else Plain(node.value)
            return node.value
        if depth >= MAX_DEPTH:
            raise too_deep(node_span(self.path, node))
        if id(node) in self.seen:
            self.aliases += 1
            if self.aliases > MAX_ALIASES or id(node) in self.open:
                raise _TooManyAliases
        self.seen.add(id(node))
        self.open.add(id(node))
        data: Any
        if isinstance(node, yaml.SequenceNode):
            data = [self.read(item, depth + 1) for item in node.value]
        else:
            data = self._mapping(node, depth)
        self.open.discard(id(node))
        return data

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


def _too_deep_before(fault: yaml.MarkedYAMLError, text: str, path: str) -> Diagnostic | None:
    """Nesting over the limit in what was read before a fault: libyaml from 0.2.6 gives up at a depth of its own."""
    mark = fault.problem_mark
    if mark is None or mark.index <= MAX_DEPTH:
        return None
    try:
        refuse_large(text[: mark.index], path)
    except OverLimit as limit:
        return limit.diagnostic
    except yaml.YAMLError:
        pass
    return None


def _syntax_error(fault: yaml.MarkedYAMLError, path: str, lines: Sequence[str]) -> Diagnostic:
    mark = fault.problem_mark or fault.context_mark
    problem = _first_line(fault.problem or fault.context or "invalid YAML")
    hint = _SYNTAX_HINTS.get(problem, _SYNTAX_HINT)
    if mark is None:
        return error(Code.SLO101, Span(path), problem, hint)
    line, column = mark.line + 1, mark.column + 1
    if line > len(lines):  # beyond the end: shown behind the last text that there is
        line = max((number for number, text in enumerate(lines, 1) if text.strip()), default=1)
        column = len(lines[line - 1].rstrip()) + 1 if lines else 1
    return error(Code.SLO101, Span(path, line, column, line, column + 1), problem, hint)


def _unreadable_character(fault: ReaderError, path: str, text: str) -> Diagnostic:
    """A character that YAML refuses. libyaml gives its place in bytes of UTF-8."""
    before = text.encode("utf-8")[: fault.position].decode("utf-8", "ignore")
    *full, last = source_lines(f"{before}.")
    line, column = len(full) + 1, len(last)
    shown = f"{text[len(before)]!a}" if len(before) < len(text) else "a character"
    message = f"{shown} is a control character, which YAML refuses"
    return error(Code.SLO101, Span(path, line, column, line, column + 1), message, "remove it")


_SYNTAX_HINT = "check the quotes, the brackets and the indentation here and on the line above"
_SYNTAX_HINTS = {
    "found character that cannot start any token": "indent with spaces, and quote text that begins with @, ` or %",
    "mapping values are not allowed in this context": "quote text that contains ': '",
    "did not find expected <document start>": "separate documents by a line that is just ---",
    "found undefined alias": "name the value with an anchor before it: &name",
    "found invalid Unicode character escape code": "write the character itself: a \\u escape holds no half of a pair",
}


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "invalid YAML"
