"""The groups of an SLO with `groupBy` in a test: what tells them apart, and how their courses differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from slo_compiler.emit.promtool_tests.labels import NoExample, choices
from slo_compiler.emit.promtool_tests.notation import Labels
from slo_compiler.ir import Counters, Histogram, Matcher, Slo, Spec


class Track(NamedTuple):
    """The recorded series of one group; of an SLO without groups there is one track, without labels.

    Attributes:
        group: the labels beside `slo_id`.
        factor: so many times the events of a test's course.
        share: of the course's bad events: all of them in the first group, and half as many in each next.
    """

    slo: Slo
    group: Labels
    factor: int
    share: float

    @property
    def bad(self) -> float:
        """So many times the bad events of the course."""
        return self.factor * self.share


def tracks(spec: Spec) -> list[Track]:
    """All SLOs of a spec, group by group; each next SLO has that many times the events."""
    return [
        Track(slo, group, factor, 0.5**index)
        for factor, slo in enumerate(spec.slos, start=1)
        for index, group in enumerate(groups_of(slo))
    ]


@lru_cache(maxsize=1024)
def _groups_of(labels: tuple[str, ...], allow: tuple[str, ...], matchers: tuple[Matcher, ...]) -> tuple[Labels, ...]:
    values = [_values(label, matchers, allow) for label in labels]
    first = {label: found[0] for label, found in zip(labels, values, strict=True)}
    found = [first]
    for label, choice in zip(labels, values, strict=True):
        found += [{**first, label: value} for value in choice[1:2]]
    return tuple(tuple((label, value) for label, value in group.items() if value) for group in found)


def groups_of(slo: Slo) -> tuple[Labels, ...]:
    """Labels of some groups, which differ in each label; one without labels where there is no `groupBy`.

    No more than are recorded: what happens to the others is another test's matter.
    """
    found = _groups_of(slo.groups.labels, slo.groups.allow, matchers_of(slo))
    return found[: slo.groups.most] if slo.groups.most else found


def matchers_of(slo: Slo) -> tuple[Matcher, ...]:
    """Everything that the series of an SLO must satisfy."""
    found: list[Matcher] = []
    counted = slo.counted
    if isinstance(counted, Histogram):
        found += counted.matchers
    elif isinstance(counted, Counters):
        found += (*counted.total.matchers, *counted.part.matchers)
    if slo.deadline is not None:
        found += slo.deadline.pending_age.matchers
    return tuple(dict.fromkeys(found))


def placed(labels: Mapping[str, str], slo: Slo, group: Labels) -> dict[str, str]:
    """The labels of a series in a group, whatever they say of the group themselves."""
    own = {label: value for label, value in labels.items() if label not in slo.groups.labels}
    return {**own, **dict(group)}


def as_matchers(slo: Slo, group: Labels) -> list[Matcher]:
    """What the series of a group satisfy; a label that it lacks is empty."""
    return [Matcher(label, "=", dict(group).get(label, "")) for label in slo.groups.labels]


def free_name(name: str, slo: Slo) -> str:
    """A label that a test tells series apart by, under a name that no group has."""
    while name in slo.groups.labels:
        name += "_"
    return name


def _values(label: str, matchers: Sequence[Matcher], allow: Sequence[str]) -> list[str]:
    """Two values of a label, of which one is none where the matchers let it be; one where they leave no more."""
    try:
        return choices(label, matchers, 2, allow)
    except NoExample:
        return [f"{label}-0", ""]


def values_of(slo: Slo, count: int) -> tuple[str, list[str]] | None:
    """The first label of the groups that can have so many values, and these; None where the matchers leave no label any."""
    for label in slo.groups.labels:
        try:
            found = choices(label, matchers_of(slo), count)
        except NoExample:
            continue
        if len(found) == count:
            return label, found
    return None
