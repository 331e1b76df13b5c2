"""How the parts of one pair of SLOs become changes: what each comparison of a field is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slo_compiler.diff.causes import Causes, by_origin
from slo_compiler.diff.change import Budget, Cause, Change, Direction, Effect, Kind
from slo_compiler.diff.sides import Document
from slo_compiler.diff.words import minutes_apart, minutes_of

# What is said where a change does not say it more closely.
_EFFECTS = {Effect.FROM_NOW_ON: "from now on: what is recorded stays as it was judged"}


@dataclass(frozen=True, slots=True)
class Compared:
    """Two documents of the same spec, and one SLO of both; without it, what is about all of the spec.

    Attributes:
        afresh: the SLO has another identity than before, so that nothing recorded counts for it.
    """

    causes: Causes
    before: Document
    after: Document
    old: Document
    new: Document
    afresh: bool = False

    def change(
        self,
        field: str,
        values: tuple[Any, Any],
        words: tuple[str, str],
        direction: Direction = Direction.NEUTRAL,
        *,
        likely: Cause = Cause.SPEC,
        effect: Effect | None = None,
        effect_words: str = "",
        note: str = "",
        kind: Kind | None = None,
        cause: tuple[Cause, ...] | None = None,
    ) -> Change:
        """A change of a field.

        Args:
            likely: who sets it where the spec's own text is the same.
            effect_words: to which events it applies, more closely than the effect itself says.
            kind: by default that of a part which one side may lack.
            cause: where it is known already.
        """
        old, new = values
        if kind is None:
            kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
        said = effect_words or _EFFECTS.get(effect) if effect is not None else ""
        if effect is not None and self.afresh:
            effect, said = Effect.AFRESH, ""  # the change of the identity says so
        return Change(
            kind,
            self.after["service"],
            self.after["spec"],
            self.new["slo"] if self.new else "",
            self.new["sloId"] if self.new else "",
            self.after["path"],
            field,
            old,
            new,
            *words,
            direction,
            self.causes.of(self.before, self.after, likely) if cause is None else cause,
            self.budget,
            effect,
            " ".join(part for part in (note, f"({said})" if said else "") if part),
        )

    @property
    def budget(self) -> Budget | None:
        """The SLO's budget before and after."""
        if not self.new:
            return None
        return Budget(minutes_of(self.old["budget"]["seconds"]), minutes_of(self.new["budget"]["seconds"]))

    @property
    def budget_words(self) -> str:
        """`budget 40 -> 201 minutes of total failure in 28d`; empty where it is the same."""
        budget = self.budget
        if budget is None or budget.old is None or budget.new is None or budget.old == budget.new:
            return ""
        return f"budget {' -> '.join(minutes_apart(budget.old, budget.new))} minutes of total failure"

    def number_cause(self, field: str) -> tuple[Cause, ...]:
        """Why a number changed that has an origin."""
        old, new = self._origin(self.old, field), self._origin(self.new, field)
        likely = by_origin(new or old)
        return self.causes.of(self.before, self.after, likely, same_origin=bool(old) and old == new)

    def inherited(self, *fields: str) -> tuple[Cause, ...] | None:
        """Why the first of some numbers changed, for what follows from them; None where none of them did."""
        return next((self.number_cause(field) for field in fields if self.old[field] != self.new[field]), None)

    def origin_words(self, field: str) -> str:
        """`by the objective (was use case chatbot, built-in catalog)`; empty where it is the same."""
        old, new = self._origin(self.old, field), self._origin(self.new, field)
        return f"by {new} (was by {old})" if old and new and old != new else ""

    @staticmethod
    def _origin(slo: Mapping[str, Any], field: str) -> str:
        return next((str(item["origin"]) for item in slo["provenance"] if item["field"] == field), "")
