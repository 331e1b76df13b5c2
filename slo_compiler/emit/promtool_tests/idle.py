"""A fleet of native histograms in which nothing happens: of nothing there is no share, and none of it is bad."""

from __future__ import annotations

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.batches import slo_batches
from slo_compiler.emit.promtool_tests.burn import DECOY, labels
from slo_compiler.emit.promtool_tests.groups import free_name, groups_of, placed
from slo_compiler.emit.promtool_tests.labels import NoExample, matching
from slo_compiler.emit.promtool_tests.notation import at, expect, expect_scaled, group, ramp, raw_input, series_name
from slo_compiler.ir import Histogram, Level, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import string
from slo_compiler.promql.histograms import series_of

_STANDS_AT = 700.0
# Another SLO is not idle.
_DECOY_EVENTS = 0.5


def idle_fleets(spec: Spec) -> list[Document]:
    """What is recorded of replicas that answer nobody for as long as slow tiles reach."""
    idle = [slo for slo in spec.slos if isinstance(slo.measurement, Histogram) and slo.measurement.native is not None]
    found = [_batch(spec, slos) for slos in slo_batches(idle)]
    return [batch for batch in found if batch is not None]


def _batch(spec: Spec, slos: list[Slo]) -> Document | None:
    steps = spec.steps
    look = -(-2 * (steps.slow + int(steps.scrape) + 1) // steps.fast) * steps.fast
    slot = max(steps.fast // 3, 1)
    series: dict[str, Document] = {}
    drawn = []
    for slo in slos:
        try:
            own = matching(slo.measurement.matchers) if isinstance(slo.measurement, Histogram) else {}
        except NoExample:
            continue
        drawn.append(slo)
        for group_labels in groups_of(slo):
            for item in _series(slo, placed(own, slo, group_labels), ramp(_STANDS_AT, 0, look // slot)):
                series.setdefault(item["series"], item)
    if not drawn:
        return None
    for level in Level:
        decoy = series_name(names.EVENTS[level.value], {"slo_id": DECOY})
        series[decoy] = raw_input(decoy, ramp(_DECOY_EVENTS, 0, look // slot))
    asked = "|".join(slo.slo_id for slo in drawn)
    samples = [(labels(slo.slo_id, own), 0.0) for slo in drawn for own in groups_of(slo)]
    recorded = [names.EVENTS["fast"], names.BAD_EVENTS["fast"], names.EVENTS["slow"], names.BAD_EVENTS["slow"]]
    checks = [expect_scaled(look, f"{name}{{slo_id=~{string(asked)}}}", samples) for name in recorded]
    for kind in sorted({_other_bound(slo) for slo in drawn} - {""}):
        bounds = [
            (labels(slo.slo_id, own), 0.0) for slo in drawn if _other_bound(slo) == kind for own in groups_of(slo)
        ]
        checks.append(expect_scaled(look, f"{names.OTHER_BOUND[kind]}{{slo_id=~{string(asked)}}}", bounds))
    checks.append(expect(look, f"{names.COVERED}{{slo_id=~{string(asked)}}}", []))
    title = f"nothing is bad where nothing happens: {', '.join(slo.name for slo in drawn)}"
    return group(title, at(slot), list(series.values()), checks)


def _other_bound(slo: Slo) -> str:
    """`possible` or `certain`, where one of them is recorded of an SLO."""
    measurement = slo.measurement
    if isinstance(measurement, Histogram) and (measurement.other is not None or measurement.other_is_all):
        return measurement.other_is
    return ""


def _series(slo: Slo, own: dict[str, str], text: str) -> list[Document]:
    """A replica of every name."""
    assert isinstance(slo.measurement, Histogram)
    replica = free_name("replica", slo)
    return [
        raw_input(series_name(item.name, {**own, replica: f"r{index}"}), text)
        for index, item in enumerate(series_of(slo.measurement))
    ]
