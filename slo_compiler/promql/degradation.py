"""How far a gateway should reduce its load, 0 to 2, in PromQL."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.ir import Degradation, Histogram, Slo
from slo_compiler.promql import histograms, names
from slo_compiler.promql.build import either, recorded
from slo_compiler.units import Duration


def degradation_level(slo: Slo, degradation: Degradation) -> str:
    """1 where over 1% of the last fast tile's events lie beyond the edge, 2 where that was so a step ago as well.

    That is a P99 over the edge, read without interpolation. It reads raw series, so that no exemption hides the load.
    Without events it is 0; without series there is none, and what was recorded before a gap does not count.

    Raises:
        ValueError: the SLO reads no histogram.
    """
    if not isinstance(slo.measurement, Histogram):
        raise ValueError(f"{slo.slo_id} reads no histogram")
    read = slo.measurement._replace(measured=degradation.bound)
    window = Duration(slo.steps.fast + slo.steps.scrape).promql
    good = either(histograms.goods(read, read.measured, "rate", window))
    judged = either(histograms.judged(read, "rate", window))
    # Half a step over one step, the range holds the level of the last evaluation alone.
    before = recorded(names.DEGRADATION, slo.slo_id, Duration(Decimal(slo.steps.fast) * 3 / 2).promql)
    return (
        f"(sum({good}) < bool 0.99 * sum({judged}))\n"
        f"* on () (1 + (max_over_time({before}) > bool 0 or on () vector(0)))"
    )
