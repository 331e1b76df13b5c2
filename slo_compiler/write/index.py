"""What each spec file defines, names and measures, so that one that changed can be judged without reading all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from slo_compiler.documents.read import PROMISES
from slo_compiler.ir import Histogram, Spec
from slo_compiler.load.yaml import LoadedFile
from slo_compiler.resolve.definitions import KIND_OF_REFERENCE
from slo_compiler.resolve.expanded_part import is_part, spec_name_of
from slo_compiler.write.cache import read_cache, write_cache

# A change of one of these may change the judgement of every spec.
WIDE_KINDS = frozenset(("Engine", "ExperienceCatalog", "BurnRatePolicy"))
# Fields that name what must be defined: one each, and a list of alert policies.
_REFERENCES = frozenset((*KIND_OF_REFERENCE, "policy[]"))
# Longer texts are descriptions and queries.
_LONGEST_NAME = 300


class Outline(NamedTuple):
    """What the text of a file says about other files.

    Attributes:
        wide: it defines what all specs draw on.
        defines: names that others may name, those of specs that several files make up together included.
        references: names that must be defined somewhere.
        words: every text that may be a name, so that none is missed.
    """

    wide: bool
    defines: Sequence[str]
    references: Sequence[str]
    words: Sequence[str]


class Reading(NamedTuple):
    """Series of histograms that an SLO reads: their names, and the labels that a selector fixes."""

    names: Sequence[str]
    labels: Mapping[str, str]

    def may_meet(self, other: Reading) -> bool:
        """Whether some series could be read by both; sometimes also where none can."""
        if self.names != other.names:
            return False
        return all(self.labels.get(label, value) == value for label, value in other.labels.items())


class SpecFacts(NamedTuple):
    """What specs of different files must not share: names, identities, and series without need."""

    ids: Sequence[str]
    readings: Sequence[Reading]


class FileFacts(NamedTuple):
    """What is known of a file with a certain content."""

    sha256: str
    outline: Outline
    specs: Sequence[SpecFacts]


@dataclass(slots=True)
class Index:
    """The facts of all files by path.

    Attributes:
        state: the hash of all that the facts depend on beside the files.
    """

    state: str
    files: dict[str, FileFacts] = field(default_factory=dict)

    def is_of(self, other: Index) -> bool:
        """Whether it is about the same files with the same content, so that all else is the same too."""
        return self.state == other.state and self._hashes == other._hashes

    @property
    def _hashes(self) -> dict[str, str]:
        return {path: facts.sha256 for path, facts in self.files.items()}


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
        for key, text in _texts(source.data):
            if key in _REFERENCES:
                references.add(text)
            if len(text) <= _LONGEST_NAME:
                words.add(text)
                words.update(text.replace(",", " ").split())
    return Outline(wide, sorted(defines), sorted(references), sorted(words))


def _texts(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in a document with the key that it stands under; those of a list as `key[]`."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            yield key, str(value)
        elif isinstance(value, dict):
            waiting += [(str(name), item) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{key}[]", item) for item in value]


def facts_of(spec: Spec) -> SpecFacts:
    """What a resolved spec has that no other may have, or only with a warning."""
    readings = [
        Reading(
            list(slo.measurement.names),
            {matcher.label: matcher.value for matcher in slo.measurement.matchers if matcher.op == "="},
        )
        for slo in spec.slos
        if isinstance(slo.measurement, Histogram)
    ]
    return SpecFacts([spec.engine_id, *(slo.slo_id for slo in spec.slos)], readings)


def read_index(path: Path | None, state: str) -> Index:
    """The index as it was kept; an empty one where there is none that can be believed, or of another state."""
    kept = read_cache(path)
    if not isinstance(kept, dict) or kept.get("state") != state:
        return Index(state)
    # Written in this form by this very code, as its checksum and the state say.
    files = {
        name: FileFacts(sha256, Outline(*outline), [SpecFacts(ids, readings) for ids, readings in specs])
        for name, (sha256, outline, specs) in kept["files"].items()
    }
    return Index(state, files)


def write_index(path: Path | None, index: Index) -> None:
    """Keeps the index for the next run."""
    write_cache(path, {"state": index.state, "files": index.files})


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

    def dangling(self) -> set[str]:
        """The files with a reference to a name that no file defines."""
        return {
            path for path, outline in self._outlines.items() if not self._defining.keys() >= set(outline.references)
        }

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
