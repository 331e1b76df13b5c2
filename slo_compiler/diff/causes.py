"""Why an SLO changed: by the hashes of what it was made of, and by where its numbers say that they come from."""

from __future__ import annotations

from slo_compiler.diff.change import Cause
from slo_compiler.diff.sides import Document, Side

# What a manifest has hashes of, and what it means when one of them moves.
_FACTS = {
    "catalog": Cause.CATALOG,
    "engines": Cause.ENGINE,
    "policies": Cause.POLICY,
    "configuration": Cause.CONFIGURATION,
}
# What beside the likely cause explains a change of a spec whose text is the same, the likeliest first.
_OTHERWISE = (Cause.COMPILER, Cause.CONFIGURATION, Cause.CATALOG, Cause.ENGINE, Cause.POLICY)
# What a document of one's own can define.
_DEFINED = (Cause.CATALOG, Cause.ENGINE, Cause.POLICY)
# How a number's origin begins where it is not the spec.
_ORIGINS = {
    "use case": Cause.CATALOG,
    "class": Cause.CATALOG,
    "catalog": Cause.CATALOG,
    "the engine": Cause.ENGINE,
    "the configuration": Cause.CONFIGURATION,
}


def by_origin(origin: str) -> Cause:
    """Who sets a number, as its provenance says it."""
    return next((cause for begin, cause in _ORIGINS.items() if origin.startswith(begin)), Cause.SPEC)


class Causes:
    """What differs between what two sets of SLOs were made of."""

    def __init__(self, old: Side, new: Side) -> None:
        self._old, self._new = old.inputs, new.inputs
        self._old_texts, self._new_texts = frozenset(old.inputs.values()), frozenset(new.inputs.values())
        self._moved = {
            cause
            for name in {*old.facts, *new.facts}
            for cause in (_FACTS.get(name, Cause.COMPILER),)
            if old.facts.get(name) != new.facts.get(name)
        }
        if old.compiler != new.compiler:
            self._moved.add(Cause.COMPILER)
        own = {document["path"] for side in (old, new) for document in side.documents}
        differing = {path for path in {*self._old, *self._new} if self._old.get(path) != self._new.get(path)}
        self._definitions_moved = bool(differing - own)
        if self._definitions_moved:
            self._moved.update(_DEFINED)

    def spec_changed(self, old: Document | None, new: Document | None) -> bool:
        """Whether the text of the file differs in which a spec is; of one that came or went, whether no file is the same."""
        before = self._old.get(old["path"]) if old is not None else None
        after = self._new.get(new["path"]) if new is not None else None
        if old is None:
            return not after or after not in self._old_texts
        if new is None:
            return not before or before not in self._new_texts
        return not before or before != after

    def of(self, old: Document | None, new: Document | None, likely: Cause, *, same_origin: bool = False) -> Cause:
        """Why a field of a spec changed.

        Args:
            likely: who sets the field where the spec's text is the same.
            same_origin: the spec's text still names the same source of the number.
        """
        moved = likely in self._moved
        if self.spec_changed(old, new):
            return likely if moved and same_origin else Cause.SPEC
        if moved:
            return likely
        if likely is Cause.SPEC and self._definitions_moved:
            return Cause.SPEC  # an object that it names is part of what it says
        # What a configuration said is not always known on both sides.
        return next((cause for cause in _OTHERWISE if cause in self._moved), Cause.CONFIGURATION)
