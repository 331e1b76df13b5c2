"""What an SLO is measured by, as PromQL by its part: so that a change of it can be told from one of its numbers."""

from __future__ import annotations

from slo_compiler.ir import Counters, Histogram, Measurement, Queries, Slices, Slo, Throughput
from slo_compiler.promql.build import matchers, selector


def reads_of(slo: Slo) -> dict[str, list[str]]:
    """Selectors and queries by what they tell: `histogram`, `total`, `good`, `bad`, `value`, `tokens`, `waiting`.

    A batch promise reads the age of its oldest document besides, `pendingAge`.
    """
    found = _of_measurement(slo.measurement)
    return found if slo.deadline is None else {**found, "pendingAge": [selector(slo.deadline.pending_age)]}


def _of_measurement(measurement: Measurement) -> dict[str, list[str]]:
    if isinstance(measurement, Histogram):
        return {"histogram": [f"{name}{matchers(measurement.matchers)}" for name in measurement.names]}
    if isinstance(measurement, Counters):
        return {"total": [selector(measurement.total)], measurement.part_is: [selector(measurement.part)]}
    if isinstance(measurement, Queries):
        return {"total": [measurement.total], measurement.part_is: [measurement.part]}
    return _of_slices(measurement)


def _of_slices(slices: Slices) -> dict[str, list[str]]:
    inner = slices.inner
    if isinstance(inner, Counters | Queries):
        return _of_measurement(inner)
    if isinstance(inner, Throughput):
        return {
            "tokens": [selector(item) for item in inner.tokens],
            "waiting": [selector(item) for item in inner.waiting],
        }
    return {"value": [inner.query]}
