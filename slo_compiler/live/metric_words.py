"""What a metric's name hints at: its role, its unit and what its labels tell, by the words of `builtin/words/metrics.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from slo_compiler.documents.base import Model
from slo_compiler.documents.engine import MetricType, Role, Unit
from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path
from slo_compiler.units import decimal_text


class RoleWords(Model):
    """Hints at one role.

    Attributes:
        kinds: the types of metrics that can have it.
        without: words that no such name holds.
        unit: of its values; None where it is a time, whose unit the name says.
        per_token: the role instead, where there are observations per token.
    """

    role: Role
    kinds: tuple[MetricType, ...]
    words: tuple[str, ...]
    without: tuple[str, ...] = ()
    unit: Unit | None = None
    counts: str | None = None
    per_token: Role | None = None


class UnitWords(Model):
    """Words at the end of a name that say a unit; without one, histograms have it whose highest edge is over a number."""

    unit: Unit
    words: tuple[str, ...]
    edges_over: Decimal


class MetricWords(Model):
    """The file."""

    ignored: tuple[str, ...]
    roles: tuple[RoleWords, ...]
    units: tuple[UnitWords, ...]
    model_labels: tuple[str, ...]
    finish_labels: tuple[str, ...]
    status_labels: tuple[str, ...]


class RoleHint(NamedTuple):
    """A role that a name hints at.

    Attributes:
        word: the hint.
        weight: of several names for a role the lowest is the likeliest.
    """

    words: RoleWords
    word: str
    weight: tuple[int, int, int, str]


@cache
def load_metric_words() -> MetricWords:
    """The words, which are read once.

    Raises:
        ValueError: the file is not what `MetricWords` takes, which is a fault of the package.
        OSError: the file is not there, which is a fault of the installation.
    """
    return MetricWords.model_validate(read_trusted(builtin_path("words", "metrics.yaml").read_bytes()))


def is_ignored(name: str) -> bool:
    """Whether the metric is about the process or a library, or is the birth date of another."""
    first = _spaced(name).split()[:1]
    return name.endswith("_created") or bool(first and first[0] in load_metric_words().ignored)


def role_hint(name: str, kind: str) -> RoleHint | None:
    """The role that a metric of that type has by its name; None where the name hints at none."""
    text = _spaced(name)
    for place, entry in enumerate(load_metric_words().roles):
        if kind not in entry.kinds or any(_holds(text, word) for word in entry.without):
            continue
        for rank, word in enumerate(entry.words):
            if _holds(text, word):
                return RoleHint(entry, word, (place, rank, len(name), name))
    return None


def unit_hint(name: str, highest: Decimal | None) -> tuple[Unit, str]:
    """The unit of a time, with what hints at it.

    Args:
        highest: the highest edge, in that unit; None where there is none.
    """
    words = _spaced(name.removesuffix("_total")).split()
    units = load_metric_words().units
    for entry in units:
        if words and words[-1] in entry.words:
            return entry.unit, f"by {words[-1]!r} in its name"
    if highest is None:
        return units[0].unit, "its name says nothing"
    fitting = [entry for entry in units if highest > entry.edges_over]
    return fitting[-1].unit, f"its name says nothing, and its edges go up to {decimal_text(highest)}"


def first_of(known: Sequence[str], labels: Sequence[str]) -> str | None:
    """The first of the known labels that is there."""
    return next((label for label in known if label in labels), None)


def _spaced(name: str) -> str:
    return f" {' '.join(name.lower().replace(':', '_').split('_'))} "


def _holds(spaced: str, word: str) -> bool:
    return f" {word.replace('_', ' ')} " in spaced
