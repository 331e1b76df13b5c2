"""What is kept of each spec file, so that one that changed can be judged without reading all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from slo_compiler.ir import Histogram, Spec
from slo_compiler.write.cache import read_cache, write_cache
from slo_compiler.write.outline import Outline


class Reading(NamedTuple):
    """Series of histograms that an SLO reads: their names, and the labels that a selector fixes."""

    names: Sequence[str]
    labels: Mapping[str, str]

    def may_meet(self, other: Reading) -> bool:
        """Whether some series of these names could be read by both; sometimes also where none can."""
        return all(self.labels.get(label, value) == value for label, value in other.labels.items())


class Scraped(NamedTuple):
    """The replicas that a spec has scraped: by the name of the target, and by what selects them.

    Attributes:
        page: port and path.
        replicas: addresses, or labels as `key=value`.
        by_address: which of the two.
        namespaces: those that the selector fixes.
    """

    name: str
    page: Sequence[str]
    replicas: Sequence[str]
    by_address: bool
    namespaces: Sequence[str]

    def may_meet(self, other: Scraped) -> bool:
        """Whether some replica of this page could be scraped for both; sometimes also where none can."""
        if self.name == other.name:
            return True
        ours, theirs = {*self.replicas}, {*other.replicas}
        if self.by_address or other.by_address:
            return not ours.isdisjoint(theirs)
        apart = self.namespaces and other.namespaces and {*self.namespaces}.isdisjoint(other.namespaces)
        return not apart and (ours <= theirs or theirs <= ours)


class SpecFacts(NamedTuple):
    """What specs of different files must not share: names, identities, and series or replicas without need."""

    ids: Sequence[str]
    readings: Sequence[Reading]
    scraped: Scraped | None = None


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


class Clashes:
    """What some specs have that others may not have, or only with a warning.

    Args:
        specs: those that others are held against.
    """

    def __init__(self, specs: Iterable[SpecFacts]) -> None:
        self._ids: set[str] = set()
        self._readings: dict[tuple[str, ...], list[Reading]] = {}
        self._scraped: dict[tuple[str, ...], list[Scraped]] = {}
        for spec in specs:
            self._ids.update(spec.ids)
            for reading in spec.readings:
                self._readings.setdefault((*reading.names,), []).append(reading)
            if spec.scraped is not None:
                self._scraped.setdefault((*spec.scraped.page,), []).append(spec.scraped)

    def may_be_with(self, other: SpecFacts) -> bool:
        """Whether a finding about one of these and the other is possible."""
        if not self._ids.isdisjoint(other.ids):
            return True
        page = other.scraped
        if page is not None and any(ours.may_meet(page) for ours in self._scraped.get((*page.page,), ())):
            return True
        return any(
            ours.may_meet(reading) for reading in other.readings for ours in self._readings.get((*reading.names,), ())
        )


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
    return SpecFacts([spec.engine_id, *(slo.slo_id for slo in spec.slos)], readings, _scraped(spec))


def _scraped(spec: Spec) -> Scraped | None:
    found = spec.scraping
    if found is None:
        return None
    replicas = found.targets or [f"{label}={value}" for label, value in found.select]
    namespaces = [matcher.value for matcher in found.namespaces if matcher.op == "="]
    return Scraped(found.name, [found.port, found.path], [*replicas], bool(found.targets), namespaces)


def read_index(path: Path | None, state: str) -> Index:
    """The index as it was kept; an empty one where there is none that can be believed, or of another state."""
    kept = read_cache(path)
    if not isinstance(kept, dict) or kept.get("state") != state:
        return Index(state)
    # Written in this form by this very code, as its checksum and the state say.
    files = {
        name: FileFacts(sha256, Outline(*outline), [_kept(*facts) for facts in specs])
        for name, (sha256, outline, specs) in kept["files"].items()
    }
    return Index(state, files)


def _kept(ids: Sequence[str], readings: Sequence[Any], scraped: Sequence[Any] | None) -> SpecFacts:
    return SpecFacts(ids, [Reading(*reading) for reading in readings], Scraped(*scraped) if scraped else None)


def write_index(path: Path | None, index: Index) -> None:
    """Keeps the index for the next run."""
    write_cache(path, {"state": index.state, "files": index.files})
