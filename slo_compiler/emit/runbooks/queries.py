"""The queries that somebody who was woken up asks first, ready to paste."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.ir import Counters, Histogram, Signal, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, either, rate, recorded, selector
from slo_compiler.promql.degradation import fresh_level
from slo_compiler.promql.histograms import base_series, counts, goods, quantile
from slo_compiler.units import Duration, decimal_text, percent_text

_WINDOW = "5m"
# How the signals of an engine are looked at: role to title and how its series are put together for each replica.
_SIGNALS = {
    "queue_depth": ("Waiting requests by replica", "sum"),
    "running": ("Running requests by replica", "sum"),
    "kv_cache_usage": ("KV cache in use by replica, 0 to 1", "max"),
    "preemptions": ("Preemptions per second by replica", "sum"),
    "generation_tokens": ("Tokens per second by replica", "sum"),
    "prompt_tokens": ("Prompt tokens per second by replica", "sum"),
    "requests_rejected": ("Refused requests per second by replica", "sum"),
    "requests_error": ("Failed requests per second by replica", "sum"),
    "queue_time": ("95% of requests wait in the queue at most, in seconds", "quantile"),
    "prefill_time": ("95% of prefills take at most, in seconds", "quantile"),
}
_TAIL = Decimal("0.95")


class Query(NamedTuple):
    """A query with what it shows."""

    title: str
    promql: str


def of_slo(spec: Spec, slo: Slo) -> list[Query]:
    """Burn rates, budget, the latency or share behind them, and the same by replica."""
    label = names.burn_rate("")
    same = f'{{__name__=~"{label}.+",{recorded("", slo.slo_id)[1:]}'
    found = [
        Query("Burn rate by window", same),
        Query("Budget that is left of the period, 0 to 1", recorded(names.PERIOD_BUDGET_REMAINING, slo.slo_id)),
    ]
    return [*found, *_measured(spec, slo)]


def of_signals(spec: Spec) -> dict[str, Query]:
    """What the engine shows beside its SLIs, by role."""
    if spec.engine is None:
        return {}
    found = {}
    for role, (title, operator) in _SIGNALS.items():
        signal = spec.engine.signal(role)
        if signal is None or (operator == "quantile") != (signal.kind == "histogram"):
            continue
        if operator == "quantile":
            reached = quantile(_TAIL, signal.selectors, native=signal.native, window=_WINDOW)
            in_seconds = reached if signal.seconds in (0, 1) else f"{reached} * {decimal_text(signal.seconds)}"
            found[role] = Query(title, in_seconds)
        else:
            found[role] = Query(title, _by_replica(spec.engine.replica_label, operator, signal))
    return found


def _measured(spec: Spec, slo: Slo) -> Iterator[Query]:
    by = slo.groups.labels
    replica = spec.engine.replica_label if spec.engine is not None else "instance"
    measurement = slo.measurement
    if isinstance(measurement, Histogram):
        title = f"{percent_text(slo.target)} of {slo.counts} are within, in {_unit(slo, measurement)}"
        yield Query(title, _reached(slo, measurement, _WINDOW))
        good = aggregate("sum", either(goods(measurement, measurement.measured, "rate", _WINDOW)), (replica,))
        total = aggregate("sum", either(counts(measurement, "rate", _WINDOW)), (replica,))
        yield Query("Bad share by replica, 0 to 1", f"1 - {good}\n/ {total}")
    elif isinstance(measurement, Counters) and not measurement.part_later:
        for title, labels in (("Bad share now, 0 to 1", by), ("Bad share by replica, 0 to 1", (replica, *by))):
            part = aggregate("sum", _rate(selector(measurement.part)), labels)
            share = f"{part}\n/ {aggregate('sum', _rate(selector(measurement.total)), labels)}"
            yield Query(title, share if measurement.part_is == "bad" else f"1 - {share}")


def _unit(slo: Slo, measurement: Histogram) -> str:
    """The unit of a histogram's edges: told by the edge that is read and the time that it stands for."""
    if slo.measured is None or slo.measured.seconds == measurement.measured.edge:
        return "seconds"
    factor = slo.measured.seconds / measurement.measured.edge
    return {Decimal("0.001"): "milliseconds", Decimal("0.000001"): "microseconds"}.get(
        factor.normalize(), "its own unit"
    )


def over_times(slo: Slo, times: Decimal) -> Query | None:
    """Whether the promised share of requests takes over so many times as long as promised; None where no latency is."""
    measurement, promised = slo.measurement, slo.promised
    if not isinstance(measurement, Histogram) or promised is None:
        return None
    reached = _reached(slo, measurement, "1m")
    scale = measurement.measured.edge / slo.measured.seconds if slo.measured is not None else Decimal(1)
    limit = promised.seconds * times
    return Query(
        f"Over {Duration(limit)}",
        f"{reached} > {decimal_text((limit * scale).normalize())}",
    )


def levels(slo: Slo) -> Iterator[Query]:
    """The recorded level, as a gateway asks for it, where there is one."""
    if slo.degradation is not None:
        yield Query(f"Degradation level of {slo.name}, 0 to 2", fresh_level(slo))


def _by_replica(label: str, operator: str, signal: Signal) -> str:
    texts = [selector(item) for item in signal.selectors]
    if signal.kind == "counter":
        texts = [_rate(text) for text in texts]
    return aggregate(operator, either(texts), (label,))


def _reached(slo: Slo, measurement: Histogram, window: str) -> str:
    """What the promised share of events stays under, in the histogram's own unit, of each group."""
    native = measurement.native is not None
    return quantile(slo.target, base_series(measurement), slo.groups.labels, native=native, window=window)


def _rate(series: str) -> str:
    return rate(series, _WINDOW)
