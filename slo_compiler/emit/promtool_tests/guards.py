"""The guards of the tiers: how many bad events an alert needs, at the first and the last tile of its long window.

Evaluated once a day, as the windows are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.alert_states import course, of_group, state_checks
from slo_compiler.emit.promtool_tests.burn import DECOY, LOOK_SECONDS
from slo_compiler.emit.promtool_tests.groups import groups_of
from slo_compiler.emit.promtool_tests.notation import GAP, Slot, at, group, raw_input, series_name, values
from slo_compiler.emit.promtool_tests.tiers import HIGH, MANY, high_over
from slo_compiler.ir import Level, Spec, Tier
from slo_compiler.promql import names


@dataclass(frozen=True, slots=True)
class _Guards:
    """The tiers of one level of an SLO at the edges of their edges.

    Attributes:
        texts: by series.
        burns: per tier, at each look: the burn rate over the long window, and whether the condition holds.
    """

    texts: tuple[tuple[str, str], ...]
    burns: tuple[tuple[tuple[float, bool], ...], ...]
    last: int


def guards(spec: Spec, level: Level) -> Document | None:
    """The guards of the tiers whose long windows hold tiles of a level; None without such a tier."""
    per_look = LOOK_SECONDS // spec.steps.of(level)
    bad_events = names.BAD_EVENTS[level.value]
    series: list[Document] = []
    checks: list[Document] = []
    windows: set[str] = set()
    length = 0
    for slo in spec.slos:
        tiers = tuple(sorted((t for t in slo.tiers if t.long.level is level), key=lambda tier: -tier.long.tiles))
        if not tiers:
            continue
        group_labels, *others = groups_of(slo)
        edges = _guards(tiers, per_look)
        length = max(length, edges.last * per_look + 1)
        own = []
        for tier, burns in zip(tiers, edges.burns, strict=True):
            rule = of_group(alerts.burn_rate_alert(spec, slo, tier), group_labels)
            rates, active = [burn for burn, _ in burns], [holds for _, holds in burns]
            own.append(course(rule, active, rates, LOOK_SECONDS))
        labels = {"slo_id": slo.slo_id, **dict(group_labels)}
        series += [raw_input(series_name(name, labels), text) for name, text in edges.texts]
        every_look = _sparse_text(tuple((look * per_look, MANY) for look in range(edges.last)), length)
        for other in others:
            # Bad events over every guard, without a burn rate.
            bad = series_name(bad_events, {"slo_id": slo.slo_id, **dict(other)})
            series.append(raw_input(bad, every_look))
        windows |= {tier.long.name for tier in tiers} | {tier.short.name for tier in tiers}
        by = [spec.own_label("tier"), *slo.groups.labels]
        checks += state_checks(own, range(edges.last), LOOK_SECONDS, slo.slo_id, by)
    if not checks:
        return None
    for name in [bad_events, *(names.burn_rate(window) for window in sorted(windows))]:
        decoy = _sparse_text(tuple((tile, HIGH) for tile in range(0, length, per_look)), length)
        series.append(raw_input(series_name(name, {"slo_id": DECOY}), decoy))
    return group(f"guards of the {level.value} tiers", at(spec.steps.of(level)), series, checks)


@lru_cache(maxsize=256)
def _guards(tiers: tuple[Tier, ...], per_look: int) -> _Guards:
    bad: dict[int, float] = {}
    burn: dict[str, dict[int, float]] = {}
    met = 0
    for tier in tiers:
        met = max(met + 3, -(-tier.long.tiles // per_look))
        _mark_guard(bad, tier, met * per_look, (met + 1) * per_look)
        for window in (tier.long.name, tier.short.name):
            burn.setdefault(window, {}).update(dict.fromkeys((met * per_look, (met + 1) * per_look), high_over(tier)))
        met += 1
    last = met + 2
    named = {
        names.BAD_EVENTS[tiers[0].long.level.value]: bad,
        **{names.burn_rate(window): tiles for window, tiles in burn.items()},
    }
    texts = tuple(
        (name, _sparse_text(tuple(sorted(tiles.items())), last * per_look + 1)) for name, tiles in named.items()
    )
    looks = range(0, (last + 1) * per_look, per_look)
    burns = tuple(tuple(_burns_at(tier, look, bad, burn) for look in looks) for tier in tiers)
    return _Guards(texts, burns, last)


def _burns_at(tier: Tier, look: int, bad: dict[int, float], burn: dict[str, dict[int, float]]) -> tuple[float, bool]:
    """The long burn rate at a look, and whether a tier's condition holds there: tiers may share their windows."""
    long, short = burn[tier.long.name].get(look, 0.0), burn[tier.short.name].get(look, 0.0)
    held = sum(count for tile, count in bad.items() if look - tier.long.tiles < tile <= look)
    return long, min(long, short) > float(tier.factor) and held > tier.guard


def _mark_guard(bad: dict[int, float], tier: Tier, met: int, passed: int) -> None:
    """At `met` the guard is exactly met, with many events one tile too old; at `passed` it is passed by the oldest."""
    window = tier.long.tiles
    bad[met - window] = bad.get(met - window, 0.0) + MANY
    oldest = passed - window + 1
    bad[oldest] = bad.get(oldest, 0.0) + 1
    for look, wanted in ((met, float(tier.guard)), (passed, tier.guard + 0.5)):
        held = sum(count for tile, count in bad.items() if look - window < tile <= look)
        bad[look - 1] = bad.get(look - 1, 0.0) + wanted - held


@lru_cache(maxsize=256)
def _sparse_text(tiles: tuple[tuple[int, float], ...], length: int) -> str:
    slots: list[Slot] = [GAP] * length
    for tile, value in tiles:
        slots[tile] = value
    return values(slots)
