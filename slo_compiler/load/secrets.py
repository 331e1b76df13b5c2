"""What a report must not show of a file: the connection details of OpenSLO's data sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import yaml

from slo_compiler.load.source_map import SourceDocument

_KIND = "DataSource"
# Everything else in its spec is taken for a secret, so that a misspelt field shows none.
_SHOWN = frozenset(("type", "description"))
_MASK = "*"


def without_secrets(lines: Sequence[str], documents: Iterable[SourceDocument]) -> Sequence[str]:
    """The lines of a file with every character of connection details masked; blanks stay, and with them all columns."""
    shown: list[str] | None = None
    for document in documents:
        for node in _secrets(document):
            shown = list(lines) if shown is None else shown
            _mask(shown, node)
    return lines if shown is None else shown


def _secrets(document: SourceDocument) -> Iterator[yaml.Node]:
    if document.kind != _KIND or not isinstance(document.root, yaml.MappingNode):
        return
    for key, spec in document.root.value:
        if key.value == "spec" and isinstance(spec, yaml.MappingNode):
            yield from (value for name, value in spec.value if name.value not in _SHOWN)


def _mask(lines: list[str], node: yaml.Node) -> None:
    start, end = node.start_mark, node.end_mark
    for number in range(start.line, min(end.line + 1, len(lines))):
        line = lines[number]
        first = start.column if number == start.line else 0
        last = end.column if number == end.line else len(line)
        masked = "".join(character if character.isspace() else _MASK for character in line[first:last])
        lines[number] = f"{line[:first]}{masked}{line[last:]}"
