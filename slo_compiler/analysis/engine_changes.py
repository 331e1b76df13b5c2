"""What an upgrade of an engine changes: per role its metrics, their bucket edges and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.engines import ResolvedEngine
from slo_compiler.units import Duration


class Change(NamedTuple):
    """One difference between two releases.

    Attributes:
        role: what the metric tells; empty for what is about the engine as a whole.
        field: `metric`, `edges`, `labels`, `availability` or `completion`.
        old: what the older release has, as text in order; empty where it has nothing.
    """

    role: str
    field: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def gone(self) -> tuple[str, ...]:
        """What the newer release lacks."""
        return tuple(text for text in self.old if text not in self.new)

    @property
    def come(self) -> tuple[str, ...]:
        """What the older release lacks."""
        return tuple(text for text in self.new if text not in self.old)


def changes_between(old: ResolvedEngine, new: ResolvedEngine) -> Iterator[Change]:
    """Every difference, role by role in the document's order; what both have alike is left out.

    A metric counts as exposed where some release of the version has it; edges and labels are those that all have.
    """
    roles = dict.fromkeys(metric.role.value for metric in old.document.spec.metrics)
    for role in roles:
        pairs = (
            ("metric", old.names_in_version(role), new.names_in_version(role)),
            ("edges", _edges(old.edges(role)), _edges(new.edges(role))),
            ("labels", tuple(sorted(old.labels(role))), tuple(sorted(new.labels(role)))),
        )
        for field, before, after in pairs:
            # Where a metric comes or goes, its edges and labels say nothing more.
            if set(before) != set(after) and (field == "metric" or (before and after)):
                yield Change(role, field, before, after)
    for field, view in _VIEWS.items():
        before, after = view(old), view(new)
        if before != after:
            yield Change("", field, before, after)


def _edges(edges: Sequence[Decimal]) -> tuple[str, ...]:
    return tuple(str(Duration.of(edge)) for edge in edges)


def _availability(engine: ResolvedEngine) -> tuple[str, ...]:
    return (engine.availability.total,) if engine.availability is not None else ()


def _completion(engine: ResolvedEngine) -> tuple[str, ...]:
    view = engine.completion
    return (view.began, view.ended) if view is not None else ()


_VIEWS = {"availability": _availability, "completion": _completion}
