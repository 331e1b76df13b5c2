"""How far a gateway should reduce its load, 0 to 2, in PromQL."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.ir import Degradation, Histogram, Slo
from slo_compiler.promql import histograms, names
from slo_compiler.promql.build import aggregate, either, recorded
from slo_compiler.units import Duration, decimal_text


def degradation_level(slo: Slo, degradation: Degradation) -> str:
    """1 where more than the budget's share of the last step's events lie beyond the edge, 2 where a step ago did, too.

    With a target of 99% that is a P99 over the edge, read without interpolation. It reads raw series, so that no exemption
    hides the load. Without events it is 0. Without series there is none, and what was recorded before a gap does not
    count: a scrape that fails is no load.

    Raises:
        ValueError: the SLO reads no histogram.
    """
    if not isinstance(slo.measurement, Histogram):
        raise ValueError(f"{slo.slo_id} reads no histogram")
    step, read = slo.steps.fast, slo.measurement._replace(measured=degradation.bound)
    window = Duration(step + slo.steps.scrape).promql
    total = f"{aggregate('sum', either(histograms.judged(read, 'rate', window)), ())} * {step}"
    good = f"{aggregate('sum', either(histograms.goods(read, read.measured, 'rate', window)), ())} * {step}"
    if read.native is not None:
        # Of an idle native histogram there is no share, and so no series.
        good = f"({good}\nor on () 0 * {total})"
    # Half a step over one step, the range holds the level of the last evaluation alone.
    before = recorded(names.DEGRADATION, slo.slo_id, Duration(Decimal(step) * 3 / 2).promql)
    return (
        f"({good}\n< bool {total}\n- clamp_min({decimal_text(slo.budget)} * {total}, {degradation.guard}))\n"
        f"* on () (1 + (clamp_max(max_over_time({before}), 1) or on () vector(0)))"
    )


def fresh_level(slo: Slo) -> str:
    """The level as a gateway should ask for it: of a server that records no more there is none, not its last one."""
    level = recorded(names.DEGRADATION, slo.slo_id)
    return f"{level}\nand time() - timestamp({level}) < {decimal_text(Decimal(slo.steps.fast) * 5 / 2)}"
