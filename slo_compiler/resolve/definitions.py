"""What documents define for others by name: catalogs, engines, policies, and the parts that an SLO refers to."""

from __future__ import annotations

from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error
from slo_compiler.documents.base import Model
from slo_compiler.load.source_map import SourceDocument

# A field that holds a name -> the kind that it names.
KIND_OF_REFERENCE = {
    "indicatorRef": "SLI",
    "alertPolicyRef": "AlertPolicy",
    "conditionRef": "AlertCondition",
    "targetRef": "AlertNotificationTarget",
    "metricSourceRef": "DataSource",
}


class Definition(NamedTuple):
    """A document that others may name, and where it stands."""

    document: Model
    source: SourceDocument


class Definitions:
    """The definitions of a run by kind and name.

    A broken one is remembered too, so that whoever names it is not told that there is none.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Definition] = {}
        self._broken: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        return len(self._found) + len(self._broken)

    def add(self, document: Model, source: SourceDocument) -> list[Diagnostic]:
        """Takes a definition up; a second one of its kind and name is a finding unless it says the same."""
        kind, name = source.kind, source.name
        known = self._found.setdefault((kind, name), Definition(document, source))
        if known.source is source or known.source.data == source.data:
            return []
        first = known.source.value_span(("metadata", "name"))
        message = f"{kind} {name} is already defined at {first.path}:{first.line}, with other content"
        return [error(Code.SLO205, source.value_span(("metadata", "name")), message, "rename one, or remove it")]

    def add_broken(self, source: SourceDocument) -> None:
        """Remembers the name of a document that could not be read."""
        self._broken.add((source.kind, source.name))

    def find(self, kind: str, name: str) -> Definition | None:
        """The definition of that name; None where there is none, or where it is broken."""
        return self._found.get((kind, name))

    def is_broken(self, kind: str, name: str) -> bool:
        """Whether there is such a definition that could not be read, which is a finding already."""
        return (kind, name) in self._broken

    def of_kind(self, kind: str) -> list[Definition]:
        """All definitions of a kind, by name."""
        return [found for (of, _), found in sorted(self._found.items(), key=lambda item: item[0]) if of == kind]

    def names(self, kind: str) -> list[str]:
        """The names of all definitions of a kind, sorted, broken ones included."""
        return sorted({name for of, name in (*self._found, *self._broken) if of == kind})
