"""Why an SLO changed: by the hashes of what it was made of, and by where its numbers say that they come from."""

from __future__ import annotations

from collections.abc import Mapping

from slo_compiler.diff.change import Cause
from slo_compiler.diff.definitions import DefinitionKey, Documents, moved
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
    """What differs between what two sets of SLOs were made of.

    Where the documents of both are known, it is told document by document; else, as of compiled folders, file by file.
    """

    def __init__(self, old: Side, new: Side) -> None:
        self._old, self._new = old.inputs, new.inputs
        self._defaults = old.default_policy, new.default_policy
        self._old_texts, self._new_texts = frozenset(old.inputs.values()), frozenset(new.inputs.values())
        self._facts = {
            cause
            for name in {*old.facts, *new.facts}
            for cause in (_FACTS.get(name, Cause.COMPILER),)
            if old.facts.get(name) != new.facts.get(name)
        }
        if old.compiler != new.compiler:
            self._facts.add(Cause.COMPILER)
        differing = {path for path in {*self._old, *self._new} if self._old.get(path) != self._new.get(path)}
        self._before = self._after = None
        self._definitions: Mapping[Cause, list[DefinitionKey]] = {}
        if old.source is not None and new.source is not None:
            self._before, self._after = (
                Documents(
                    side.source(path) for path in sorted(differing & side.inputs.keys()) if side.source is not None
                )
                for side in (old, new)
            )
            self._definitions = moved(self._before, self._after)
        elif differing - {document["path"] for side in (old, new) for document in side.documents}:
            self._definitions = {cause: [] for cause in (*_DEFINED, Cause.SPEC)}
        self._moved = self._facts | {*self._definitions} - {Cause.SPEC}

    def spec_changed(self, old: Document | None, new: Document | None) -> bool:
        """Whether the text differs in which a spec is; of one that came or went, whether none is the same.

        Of a spec in a file that differs, its own documents say it where they are known.
        """
        if self._before is not None and self._after is not None:
            document = new or old or {}
            said = self._before.specs.get(_key(old or document)), self._after.specs.get(_key(new or document))
            if said != (None, None):
                return said[0] != said[1]
        before = self._old.get(old["path"]) if old is not None else None
        after = self._new.get(new["path"]) if new is not None else None
        if old is None:
            return not after or after not in self._old_texts
        if new is None:
            return not before or before not in self._new_texts
        return not before or before != after

    def of(
        self, old: Document | None, new: Document | None, likely: Cause, *, same_origin: bool | None = None
    ) -> tuple[Cause, ...]:
        """Why a field of a spec changed; two causes where both changed that may set it, the spec first.

        Args:
            likely: who sets the field where the spec's text is the same.
            same_origin: whether the spec's text still names the same source of the number; None of what is no number.
        """
        if self.spec_changed(old, new):
            if likely is Cause.SPEC or likely not in self._moved or same_origin is False:
                return (Cause.SPEC,)
            if same_origin:
                return (likely,)
            return (Cause.SPEC, likely) if self._may_set(old, new, likely) else (Cause.SPEC,)
        if likely in self._moved:
            return (likely,)
        if likely is Cause.SPEC and Cause.SPEC in self._definitions:
            return (Cause.SPEC,)  # an object that it names is part of what it says
        # What a configuration said is not always known on both sides.
        return (next((cause for cause in _OTHERWISE if cause in self._moved), Cause.CONFIGURATION),)

    def _may_set(self, old: Document | None, new: Document | None, cause: Cause) -> bool:
        """Whether what changed is something that the spec draws on, then or now."""
        if cause in self._facts or self._before is None or self._after is None:
            return True
        return any(
            documents.may_draw_on(_key(document), definition, default)
            for documents, document, default in (
                (self._before, old, self._defaults[0]),
                (self._after, new, self._defaults[1]),
            )
            if document is not None
            for definition in self._definitions[cause]
        )


def _key(document: Document) -> tuple[str, str]:
    return str(document["service"]), str(document["spec"])
