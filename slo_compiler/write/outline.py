"""Which names each spec file defines and which it uses, told by its text alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from slo_compiler.documents.read import PROMISES
from slo_compiler.load.source_map import SourceDocument
from slo_compiler.load.yaml import LoadedFile
from slo_compiler.resolve.definitions import KIND_OF_REFERENCE
from slo_compiler.resolve.expanded_part import is_part, spec_name_of

# A change of one of these may change the judgement of every spec.
WIDE_KINDS = frozenset(("Engine", "ExperienceCatalog", "BurnRatePolicy"))
# Fields that name what must be defined: one each, and lists of alert policies, the latter in OpenSLO's older version.
_REFERENCES = frozenset((*KIND_OF_REFERENCE, "policy[]", "alertPolicies[]"))
_LISTED_POLICY = "slo-compiler/alerting.policy."
# Fields that name what a repository may define, and what may ship as well -> what that is.
_SHIPPING = {
    "policy": "policy",
    "useCase": "useCase",
    "experienceClass": "experienceClass",
    "engine": "engine",
    "engine.name": "engine",
    "slo-compiler/alerting.policy": "policy",
    "slo-compiler/use-case": "useCase",
    "slo-compiler/experience-class": "experienceClass",
    "slo-compiler/engine": "engine",
    "slo-compiler/source.engine": "engine",
}
# Sections of a catalog whose entries specs name.
_SECTIONS = {"useCases": "useCase", "experienceClasses": "experienceClass"}
# Longer texts are descriptions and queries.
_LONGEST_NAME = 300


class Outline(NamedTuple):
    """What the text of a file says about other files.

    Attributes:
        wide: it defines what all specs draw on.
        defines: names that others may name, those of specs that several files make up together included.
        references: names that must be defined somewhere; of what may also ship, with a word for what it is before it.
        words: every text that may be a name, so that none is missed.
    """

    wide: bool
    defines: Sequence[str]
    references: Sequence[str]
    words: Sequence[str]


def outline_of(file: LoadedFile) -> Outline:
    """The outline of a file; of one that cannot be read, an empty one."""
    wide = False
    defines: set[str] = set()
    references: set[str] = set()
    words: set[str] = set()
    for source in file.documents:
        wide = wide or source.kind in WIDE_KINDS
        if is_part(source):
            defines.add(spec_name_of(source))
        elif source.kind not in PROMISES and source.name:
            defines.add(source.name)
        if source.kind in WIDE_KINDS:
            defines.update(_shipping_names(source))
        for key, text in texts_in(source.data):
            if key in _REFERENCES or key.startswith(_LISTED_POLICY):
                references.add(text)
            if key in _SHIPPING:
                references.add(f"{_SHIPPING[key]} {text.partition('@')[0]}")
            if len(text) <= _LONGEST_NAME:
                words.add(text)
                words.update(text.replace(",", " ").split())
    return Outline(wide, sorted(defines), sorted(references), sorted(words))


def _shipping_names(source: SourceDocument) -> Iterator[str]:
    """What a document puts beside what ships, as references name it."""
    if source.kind != "ExperienceCatalog":
        yield f"{'engine' if source.kind == 'Engine' else 'policy'} {source.name}"
        return
    spec = source.data.get("spec")
    for section, kind in _SECTIONS.items():
        entries = spec.get(section) if isinstance(spec, dict) else None
        if isinstance(entries, dict):
            yield from (f"{kind} {name}" for name in entries)


def texts_in(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in a document with the key that it stands under; those of a list as `key[]`, of an engine `engine.key`."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            yield key, str(value)
        elif isinstance(value, dict):
            within = "engine." if key == "engine" else ""
            waiting += [(f"{within}{name}", item) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{key}[]", item) for item in value]


class Names:
    """Which files define a name, and which may name it."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self._outlines = outlines
        self._defining: dict[str, list[str]] = {}
        for path, outline in outlines.items():
            for name in outline.defines:
                self._defining.setdefault(name, []).append(path)

    @property
    def wide(self) -> set[str]:
        """The files that define what all specs draw on."""
        return {path for path, outline in self._outlines.items() if outline.wide}

    @property
    def defining(self) -> set[str]:
        """All files that define a name."""
        return {path for paths in self._defining.values() for path in paths}

    def has(self, name: str) -> bool:
        """Whether some file defines it."""
        return name in self._defining

    def dangling(self, ships: Callable[[str], bool]) -> set[str]:
        """The files with a reference to a name that no file defines.

        Args:
            ships: whether the compiler brings what a reference names.
        """
        named = {name for outline in self._outlines.values() for name in outline.references}
        lost = {name for name in named - self._defining.keys() if not ships(name)}
        return {path for path, outline in self._outlines.items() if not lost.isdisjoint(outline.references)}

    def named_by(self, paths: Iterable[str]) -> set[str]:
        """These files, and those that define what they name, and what that names."""
        found = set(paths)
        waiting = list(found)
        while waiting:
            for name in self._defining.keys() & self._outlines[waiting.pop()].words:
                new = {*self._defining[name]} - found
                found |= new
                waiting += new
        return found

    def naming(self, paths: Iterable[str], also: Iterable[str] = ()) -> set[str]:
        """Files that may name what these define, or one of `also`; and those that name what such a file defines."""
        names = {*also, *(name for path in paths for name in self._outlines[path].defines)}
        found: set[str] = set()
        while names:
            new = {path for path, outline in self._outlines.items() if not names.isdisjoint(outline.words)} - found
            found |= new
            names = {name for path in new for name in self._outlines[path].defines}
        return found
