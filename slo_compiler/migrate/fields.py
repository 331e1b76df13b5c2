"""Reads a mapping field by field: each is taken, or named as not carried over, so that none is lost in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, has_errors
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.load.source_map import node_span
from slo_compiler.load.yaml import is_null
from slo_compiler.migrate.source import Entry
from slo_compiler.plain_yaml import MERGE

# What Go's YAML reads into a boolean.
_TRUE = frozenset(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"))
_FALSE = frozenset(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"))


@dataclass(slots=True)
class Notices:
    """What a migration has to say about one file, each thing once."""

    path: str
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def notice(self, node: yaml.Node, message: str, hint: str) -> None:
        """A warning: the result differs from the source here, or lacks this."""
        self._add(Code.SLO207, Severity.WARNING, node, message, hint)

    def error(self, code: Code, node: yaml.Node, message: str, hint: str) -> None:
        """An error: nothing of the file is written."""
        self._add(code, Severity.ERROR, node, message, hint)

    @property
    def failed(self) -> bool:
        """Whether nothing may be written."""
        return has_errors(self.diagnostics)

    def _add(self, code: Code, severity: Severity, node: yaml.Node, message: str, hint: str) -> None:
        diagnostic = Diagnostic(code, severity, node_span(self.path, node), message, hint)
        if diagnostic not in self.diagnostics:
            self.diagnostics.append(diagnostic)


class Fields:
    """A mapping whose fields are taken one by one.

    Attributes:
        where: its place in the document, for messages: `slos[0].alerting`; empty for the document itself.
    """

    def __init__(self, node: yaml.Node, where: str, notices: Notices) -> None:
        self.node = node
        self.where = where
        self.notices = notices
        self.entries: dict[str, Entry] = {}
        self._taken: set[str] = set()
        self._is_mapping = True
        if isinstance(node, yaml.MappingNode):
            self.entries = {entry.name: entry for entry in entries_of(node)}
        elif not is_null(node):
            self._is_mapping = False  # said once; that its fields are missing follows from it
            notices.error(
                Code.SLO203, node, f"{where or 'the document'}: expected a mapping", "write it as key: value pairs"
            )

    def path(self, name: str) -> str:
        """A field's place in the document."""
        return f"{self.where}.{name}" if self.where else name

    def take(self, name: str, example: str = "") -> Entry | None:
        """The field, or None where it is absent or null. With an example it is required."""
        self._taken.add(name)
        entry = self.entries.get(name)
        if entry is not None and not is_null(entry.value):
            return entry
        if example and self._is_mapping:
            self.notices.error(Code.SLO202, self.node, f"{self.path(name)} is missing", example)
        return None

    def text(self, name: str, example: str = "") -> Entry | None:
        """A field that holds one value."""
        entry = self.take(name, example)
        if entry is None or isinstance(entry.value, yaml.ScalarNode):
            return entry
        self._wrong(entry, "expected text", "write one value, without list or mapping")
        return None

    def flag(self, name: str) -> bool | None:
        """A field that holds true or false."""
        entry = self.text(name)
        if entry is None:
            return None
        if entry.value.value in _TRUE or entry.value.value in _FALSE:
            return entry.value.value in _TRUE
        self._wrong(entry, "expected true or false", "write true or false")
        return None

    def inner(self, name: str, example: str = "") -> Fields | None:
        """A field that holds a mapping."""
        entry = self.take(name, example)
        return None if entry is None else Fields(entry.value, self.path(name), self.notices)

    def items(self, name: str, example: str = "") -> list[Entry]:
        """A field that holds a list; empty where it is absent."""
        entry = self.take(name, example)
        if entry is None:
            return []
        if not isinstance(entry.value, yaml.SequenceNode):
            self._wrong(entry, "expected a list", "write it as - items, or in [brackets]")
            return []
        return [Entry(None, item) for item in entry.value.value]

    def entry(self, name: str) -> tuple[Entry, ...]:
        """The field as an origin of comments: one entry, or none."""
        found = self.entries.get(name)
        return () if found is None else (found,)

    def drop(self, name: str, why: str, hint: str) -> None:
        """Names a field as not carried over, where it is there."""
        entry = self.take(name)
        if entry is not None:
            self.notices.notice(entry.key or entry.value, f"{self.path(name)} is not carried over: {why}", hint)

    def rest(self, known: Iterable[str] = ()) -> None:
        """Names every field that nobody took."""
        names = sorted({*known, *self._taken})
        for name, entry in self.entries.items():
            if name not in self._taken:
                message = f"{self.path(name)} is not carried over: no such field is known"
                hint = did_you_mean(name, names, otherwise="fields here") or "remove it"
                self.notices.notice(entry.key or entry.value, message, hint)

    def _wrong(self, entry: Entry, message: str, hint: str) -> None:
        self.notices.error(Code.SLO203, entry.value, f"{self.path(entry.name)}: {message}", hint)


def entries_of(node: yaml.Node) -> Iterator[Entry]:
    """The fields of a mapping, with what `<<` merges into it; its own fields come before those that it merges."""
    own = {key.value for key, _ in node.value if not _is_merge(key)}
    merged: set[str] = set()
    for key, value in node.value:
        if not _is_merge(key):
            yield Entry(key, value)
            continue
        for base in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(base, yaml.MappingNode):
                continue
            for entry in entries_of(base):
                if entry.name not in own and entry.name not in merged:
                    merged.add(entry.name)
                    yield entry


def _is_merge(key: yaml.Node) -> bool:
    return key.tag == MERGE
