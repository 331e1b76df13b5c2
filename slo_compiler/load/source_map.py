"""A document's data together with the YAML nodes that it came from, so that every value has a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from slo_compiler.diagnostics.diagnostic import Span

Path = tuple[str | int, ...]


class Plain(str):
    """A scalar written without quotes. Its type is decided by the field that it lands in, not by YAML."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class SourceDocument:
    """One YAML document.

    Attributes:
        data: dicts, lists, text (`Plain` where unquoted) and None.
        path: the file as it was given.
        index: the document's number within the file, from 0.
        elsewhere: the files of those nodes that are from another file, by their identity.
        listed_in: the list that it is an item of, where the file holds a list of objects.
    """

    data: Any
    path: str
    index: int
    root: yaml.Node
    elsewhere: Mapping[int, str] = field(default_factory=dict)
    listed_in: yaml.SequenceNode | None = None
    _entries: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def kind(self) -> str:
        """What the document says it is; empty where it says nothing."""
        kind = self.data.get("kind") if isinstance(self.data, dict) else None
        return str(kind) if isinstance(kind, str) else ""

    @property
    def name(self) -> str:
        """The name in its metadata; empty where there is none."""
        metadata = self.data.get("metadata") if isinstance(self.data, dict) else None
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return str(name) if isinstance(name, str) else ""

    def text(self, lines: Sequence[str]) -> str:
        """The document as it stands in its file, ending in a newline; an item of a list by itself.

        Args:
            lines: of the file.
        """
        start, end = self.root.start_mark, self.root.end_mark
        body = list(lines[start.line : end.line + 1])
        if end.line < len(lines):
            body[-1] = body[-1][: end.column]
        body[0] = body[0][start.column :]
        body[1:] = [line[start.column :] if not line[: start.column].strip() else line for line in body[1:]]
        return "\n".join(body).rstrip() + "\n"

    def node(self, path: Path) -> tuple[yaml.Node, yaml.Node | None]:
        """The node of the value at `path`, or of the nearest thing that contains it, and that of its key."""
        return self._find(path)

    def key_span(self, path: Path) -> Span:
        """The place of the last key in `path`, or of the nearest thing that contains it."""
        node, key = self._find(path)
        return self._span(key or node)

    def value_span(self, path: Path) -> Span:
        """The place of the value at `path`, or of the nearest thing that contains it."""
        return self._span(self._find(path)[0])

    def _find(self, path: Path) -> tuple[yaml.Node, yaml.Node | None]:
        """The node at the path and its key. Parts that the YAML lacks (tags of unions) are skipped."""
        node: yaml.Node = self.root
        key: yaml.Node | None = None
        for part in path:
            if isinstance(node, yaml.MappingNode):
                if isinstance(part, str):
                    key, node = self._entries_of(node).get(part, (key, node))
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                key = None
        return node, key

    def _entries_of(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key and value by name; of two equal names the first. Kept, since thousands of faults may lie in one mapping."""
        entries = self._entries.get(id(node))
        if entries is None:
            pairs = ((key, value) for key, value in reversed(node.value) if isinstance(key, yaml.ScalarNode))
            entries = self._entries[id(node)] = {key.value: (key, value) for key, value in pairs}
        return entries

    def _span(self, node: yaml.Node) -> Span:
        return node_span(self.elsewhere.get(id(node), self.path), node)


def node_span(path: str, node: yaml.Node) -> Span:
    """The place of a node; a block collection is clipped to its first key."""
    start, end = node.start_mark, node.end_mark
    if end.line != start.line and isinstance(node, yaml.MappingNode | yaml.SequenceNode) and node.value:
        first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
        if first.start_mark.line == start.line:
            end = first.end_mark if first.end_mark.line == start.line else end
    return Span(path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def source_lines(text: str) -> Sequence[str]:
    """The lines of a file as YAML counts them."""
    return text.splitlines()
