"""Exemptions as PromQL: whether one holds, whether it masks, and tiles of which the masked ones are 0.

Of each exemption two things are recorded: that its condition holds, and that it masks, which it does for as long as a
tile may hold events of that time and until its share of the period is used. A masked tile is written as 0, whether its
source is there or not: a tile that is absent would make the others stand for it.
"""

from __future__ import annotations

from slo_compiler.ir import Exemption, Matcher, Selector, Steps, YoungReplicas
from slo_compiler.promql import names
from slo_compiler.promql.build import matchers, selector, string
from slo_compiler.promql.schedules import is_open
from slo_compiler.promql.slices import handed_over
from slo_compiler.units import Duration, decimal_text

_START = "process_start_time_seconds"


def holds(exemption: Exemption, reach: int) -> str:
    """1 where the condition of an exemption holds, nothing where it does not.

    Args:
        reach: seconds that a tile looks back.
    """
    if exemption.schedule is not None:
        return f"{is_open(exemption.schedule)}\n== 1"
    if exemption.young is not None:
        return f"count({_young(exemption.young, reach)}) > bool 0"
    return f"{exemption.when} > bool 0"


def masks(exemption: Exemption, slo_id: str, steps: Steps, reach: int) -> str:
    """1 while an exemption masks, 0 otherwise.

    The tiles of the steps after its end still hold events of its time, and are masked too. A used period is known with a
    slow step's delay; where it is not known yet, nothing is used.
    """
    condition = _of(names.EXEMPT_WHEN, slo_id, exemption)
    used = _of(names.PERIOD_EXEMPT_SECONDS, slo_id, exemption)
    return (
        f"max_over_time({condition}[{held_range(steps, reach).promql}])\n"
        f"unless {used} >= {decimal_text(exemption.most.seconds)}\n"
        "or on () vector(0)"
    )


def held_range(steps: Steps, reach: int) -> Duration:
    """How long a condition masks after it was last seen: while a tile's reach may meet the step that it held in."""
    evaluations = -(-(reach + steps.fast) // steps.fast)
    return Duration.of(evaluations * steps.fast - steps.fast // 2)


def masked(name: str, slo_id: str, exemptions: tuple[Exemption, ...]) -> str:
    """A recorded tile, or 0 where an exemption masks all of it."""
    mask = any_masks(slo_id, exemptions)
    seen = f"{name}{matchers((Matcher('slo_id', '=', slo_id),))}"
    return f"{seen} unless on () {mask}\nor on () 0 * {mask}"


def any_masks(slo_id: str, exemptions: tuple[Exemption, ...]) -> str:
    """1 where one of the exemptions that leave out whole tiles masks, nothing where none does."""
    partial = [exemption.name for exemption in exemptions if not exemption.masks_all]
    own = (Matcher("slo_id", "=", slo_id), *(Matcher("exemption", "!=", name) for name in partial))
    return f"max({names.EXEMPT}{matchers(own)} == 1)"


def young_replicas(exemption: Exemption, slo_id: str, reach: int) -> str:
    """What leaves out the events of replicas that have just started: `unless on (job, instance) (...)`.

    Raises:
        ValueError: the exemption is about something else.
    """
    if exemption.young is None:
        raise ValueError(f"{exemption.name} is not about replicas")
    mask = f"{_of(names.EXEMPT, slo_id, exemption)} == 1"
    return f"unless on (job, {exemption.young.replica_label}) ({_young(exemption.young, reach)} and on () {mask})"


def grown_replicas(exemption: Exemption, reach: int) -> str:
    """What leaves out replicas that have just started, or had within the last `reach` seconds.

    Raises:
        ValueError: the exemption is about something else.
    """
    if exemption.young is None:
        raise ValueError(f"{exemption.name} is not about replicas")
    return f"unless on (job, {exemption.young.replica_label}) {_young(exemption.young, reach)}"


def used_seconds(slo_id: str, steps: Steps) -> str:
    """The seconds of a slow step that each exemption masked."""
    return f"{handed_over(names.EXEMPT, steps, slo_id)} * {steps.fast}"


def _young(young: YoungReplicas, reach: int) -> str:
    """Replicas whose events in a tile may be of their first minutes."""
    limit = decimal_text(young.age.seconds + reach)
    return f"{selector(Selector(_START, young.targets))} > time() - {limit}"


def _of(name: str, slo_id: str, exemption: Exemption) -> str:
    return f"{name}{{exemption={string(exemption.name)},slo_id={string(slo_id)}}}"
