"""One difference between two sets of SLOs, as people and programs are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple


class Kind(Enum):
    """What happened to an SLO, or to a part of it."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


class Direction(Enum):
    """Whether more is promised, or watched more closely, than before."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    NEUTRAL = "neutral"

    @property
    def flipped(self) -> Direction:
        """That of the opposite change."""
        return _FLIPPED[self]

    @staticmethod
    def of(old: Any, new: Any, *, tighter_is: str) -> Direction:
        """By two values that compare.

        Args:
            tighter_is: `more` or `less`.
        """
        if old is None or new is None or old == new:
            return Direction.NEUTRAL
        return Direction.TIGHTER if (new > old) == (tighter_is == "more") else Direction.LOOSER

    @staticmethod
    def together(parts: Sequence[Direction]) -> Direction:
        """That of several changes at once: neutral where they contradict each other."""
        found = {part for part in parts if part is not Direction.NEUTRAL}
        return found.pop() if len(found) == 1 else Direction.NEUTRAL


_FLIPPED = {
    Direction.TIGHTER: Direction.LOOSER,
    Direction.LOOSER: Direction.TIGHTER,
    Direction.NEUTRAL: Direction.NEUTRAL,
}


class Cause(Enum):
    """What changed so that the SLO did."""

    SPEC = "spec"
    CATALOG = "catalog"
    ENGINE = "engine"
    POLICY = "policy"
    CONFIGURATION = "configuration"
    COMPILER = "compiler"


class Effect(Enum):
    """To which events a change applies."""

    RETROACTIVE = "retroactive"
    FROM_NOW_ON = "from-now-on"
    AFRESH = "afresh"


class Budget(NamedTuple):
    """The period's error budget in minutes of total failure; None where there is, or was, no SLO."""

    old: Fraction | None
    new: Fraction | None


@dataclass(frozen=True, slots=True)
class Change:
    """A difference.

    Attributes:
        spec: the name of the spec document.
        slo: the name of the SLO; empty where the change is about all of its spec.
        slo_id: its identity after the change, or before it where it is gone; empty like `slo`.
        path: of the spec file, likewise.
        field: of the catalogue's document; `alert <tier>`, `waiver <code>` and the like where that holds several.
        old: as the document has it; None where there is none.
        was: the same in words.
        causes: why, the likeliest first.
        effect: None where no event is judged otherwise.
        note: what the change means to users.
        paste: a line for the spec that the note ends with.
    """

    kind: Kind
    service: str
    spec: str
    slo: str
    slo_id: str
    path: str
    field: str
    old: Any
    new: Any
    was: str
    now: str
    direction: Direction
    causes: tuple[Cause, ...]
    budget: Budget | None = None
    effect: Effect | None = None
    note: str = ""
    paste: str = ""

    @property
    def subject(self) -> str:
        """Whose change it is: an SLO, or a spec and with it all of its SLOs."""
        return self.slo_id or f"{self.service}/{self.spec}"

    @property
    def headline(self) -> str:
        """What changed, `target 99.9% -> 99.5%`."""
        if self.kind in (Kind.CHANGED, Kind.RENAMED):
            what = self.field if self.kind is Kind.CHANGED else self.kind.value
            return f"{what} {self.was or 'none'} -> {self.now or 'none'}"
        words = self.was or self.now
        return f"{self.kind.value} {self.field}{f' {words}' if words else ''}"

    @property
    def because(self) -> str:
        """Why, where it is not the spec's own text alone; else empty."""
        if self.causes == (Cause.SPEC,):
            return ""
        if Cause.SPEC in self.causes:
            return f"moved by {' and '.join(f'the {cause.value}' for cause in self.causes)}"
        return f"moved by the {self.causes[0].value}, not by the spec"

    @property
    def text(self) -> str:
        """All of it as a sentence."""
        return f"{self.without_paste()} {self.paste}" if self.paste else self.without_paste()

    def without_paste(self, aside: str = "") -> str:
        """The sentence before the line to paste.

        Args:
            aside: said of the headline.
        """
        text = f"{self.headline}{aside}"
        if self.direction is not Direction.NEUTRAL:
            text += f", {self.direction.value}"
        return f"{text}: {self.meaning}" if self.meaning else text

    @property
    def meaning(self) -> str:
        """What the change means, and why it is there."""
        return "; ".join(part for part in (self.because, self.note) if part)


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two sets of SLOs.

    Attributes:
        not_compared: spec files that do not compile in the old set, so that nobody knows what they promised.
        files_differ: how many files of two compiled folders differ; None where not both are folders.
        compilers: the versions that made them.
    """

    changes: tuple[Change, ...]
    not_compared: tuple[str, ...] = ()
    files_differ: int | None = None
    compilers: tuple[str, str] = ("", "")
