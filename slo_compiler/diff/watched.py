"""Changes of what is watched beside burn rates: the worst replica, and the level by which a gateway reduces its load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slo_compiler.diff.change import Change, Direction
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.words import duration, percent


def compare_worst_replica(pair: Compared) -> Iterator[Change]:
    """The ticket on the worst replica."""
    old, new = pair.old.get("worstReplica"), pair.new.get("worstReplica")
    if old == new:
        return
    direction = _direction(old, new, ("errorRatio", "for", "minBadEvents"))
    both, cause = (_worst_words(old), _worst_words(new)), pair.inherited("target")
    yield pair.change("alert on the worst replica", (old, new), both, direction, cause=cause)


def _worst_words(worst: dict[str, Any] | None) -> str:
    if worst is None:
        return ""
    return (
        f"over {percent(worst['errorRatio'])} and more than {worst['minBadEvents']} bad in {duration(worst['window'])} "
        f"by label {worst['label']}, for {duration(worst['for']) or '0s'}"
    )


def compare_degradation(pair: Compared) -> Iterator[Change]:
    """The level that tells a gateway to reduce its load."""
    old, new = pair.old.get("degradation"), pair.new.get("degradation")
    if old != new:
        direction = _direction(old, new, ("measured", "errorRatio", "minBadEvents"))
        both, cause = (_level_words(old), _level_words(new)), pair.inherited("promised", "measured", "target")
        yield pair.change("level at which a gateway reduces its load", (old, new), both, direction, cause=cause)


def _level_words(level: Mapping[str, Any] | None) -> str:
    if level is None:
        return ""
    return (
        f"over {percent(level['errorRatio'])} and more than {level['minBadEvents']} beyond {duration(level['limit'])} "
        f"(measured at {duration(level['measured'])}) in {duration(level['step'])}"
    )


def _direction(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, less_is_tighter: Sequence[str]
) -> Direction:
    """That of the parts together; one that comes or goes is watched more closely, or no more."""
    if old is None or new is None:
        return Direction.TIGHTER if old is None else Direction.LOOSER
    return Direction.together([Direction.of(old[name], new[name], tighter_is="less") for name in less_is_tighter])
