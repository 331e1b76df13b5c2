"""A row for each objective: what users feel of it, the SLI itself, and all that it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from slo_compiler.emit.dashboards import panels, queries
from slo_compiler.emit.dashboards.ids import OF_SLO
from slo_compiler.emit.dashboards.labels import BUDGET_STEPS, breach_of, short_name
from slo_compiler.emit.dashboards.layout import Row
from slo_compiler.emit.dashboards.parts import (
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    About,
    Json,
    Query,
    Steps,
    coloured,
    lines,
    mapped,
    override,
)
from slo_compiler.emit.dashboards.text import describe, literal, number, step_text, words
from slo_compiler.ir import Degradation, Histogram, Slices, Slo, Spec, Throughput, Value
from slo_compiler.promql import names
from slo_compiler.promql.build import recorded
from slo_compiler.promql.degradation import fresh_level
from slo_compiler.units import Duration, percent_text

# So many are open: what lies below is a screen away.
_OPEN = 4
_QUANTILES = (Decimal("0.5"), Decimal("0.95"), Decimal("0.99"))
# How Grafana calls the unit of a histogram's edges, by its seconds.
_EDGE_UNITS = {Decimal(1): "s", Decimal("0.001"): "ms", Decimal("0.000001"): "µs"}
_MOST_GROUPS = 20
_LEVELS = {
    "0": ("as always", GREEN),
    "1": ("shorter: less context, fewer tokens of answer", ORANGE),
    "2": ("fewer: new requests get 429", RED),
}


def objective_rows(spec: Spec, bases: Sequence[int]) -> Iterator[Row]:
    """The rows, in the order of the spec."""
    for place, (slo, base) in enumerate(zip(spec.slos, bases, strict=True)):
        title = f"{short_name(spec, slo)}: {words(slo.promise)}"
        yield Row(base + OF_SLO["row"], title, list(_panels(spec, slo, base)), collapsed=place >= _OPEN)


def _panels(spec: Spec, slo: Slo, base: int) -> Iterator[Json]:
    measurement = slo.measurement
    if isinstance(measurement, Histogram):
        yield _quantiles(spec, slo, measurement, base)
        yield _good_share(spec, slo, base, width=6)
        yield _heatmap(spec, slo, measurement, base)
    else:
        yield _value(spec, slo, measurement, base) if _has_value(slo) else _events(spec, slo, base)
        yield _good_share(spec, slo, base, width=12)
    if slo.worst_replica is not None:
        yield _worst_replica(spec, slo, slo.worst_replica.limit, slo.worst_replica.window, base)
    if slo.degradation is not None:
        yield _degradation(spec, slo, slo.degradation, base)
    if slo.groups.labels:
        yield _groups(spec, slo, base)


def _has_value(slo: Slo) -> bool:
    return isinstance(slo.measurement, Slices) and isinstance(slo.measurement.inner, Value | Throughput)


def _scale(slo: Slo, measurement: Histogram) -> Decimal:
    """Seconds in a unit of the histogram's edges."""
    return slo.measured.seconds / measurement.measured.edge if slo.measured is not None else Decimal(1)


def _threshold(slo: Slo) -> str:
    """`promised 150ms, measured at 250ms`, or the one that both are."""
    if slo.promised is None or slo.promised == slo.measured:
        return str(slo.measured or slo.promised or "")
    return f"promised {slo.promised}, measured at {slo.measured}"


def _quantiles(spec: Spec, slo: Slo, measurement: Histogram, base: int) -> Json:
    scale, step = _scale(slo, measurement), step_text(spec.steps.scrape)
    asked = sorted({*_QUANTILES, slo.target})
    limits = [(slo.measured.seconds, RED)] if slo.measured is not None else []
    limits += [(slo.highest.seconds, GREY)] if slo.highest is not None else []
    beyond = f" Above {slo.highest} (grey) nothing can be told." if slo.highest is not None else ""
    return panels.timeseries(
        About(
            base + OF_SLO["quantiles"],
            f"{short_name(spec, slo)}: quantiles ({_threshold(slo)})",
            describe(
                f"How long it takes, from the histogram, between whose edges it is an estimate. The red line is the threshold"
                f" that the SLO reads ({_threshold(slo)}).{beyond}",
                f"p{_percent(slo.target)} under the red line.",
                "p50 up with the rest: load or a new model; p99 alone: long prompts, preemptions or one replica.",
            ),
            12,
            8,
        ),
        [Query(queries.quantile(measurement, q, scale), f"p{_percent(q)}", step) for q in asked],
        unit="s",
        steps=lines(limits) if limits else None,
        overrides=[
            coloured(
                f"p{_percent(q)}",
                "semi-dark-orange" if q == slo.target else GREEN if q < slo.target else PURPLE,
                custom__lineWidth=1 + (q == slo.target),
            )
            for q in asked
        ],
    )


def _percent(ratio: Decimal) -> str:
    return percent_text(ratio).removesuffix("%")


def _good_share(spec: Spec, slo: Slo, base: int, width: int) -> Json:
    window = queries.first_window(slo)
    step = f"{slo.steps.of(window.level)}s"
    shown = f"good, {window.name}"
    asked = [Query(queries.good_share(slo), shown, step)]
    band = ""
    if isinstance(slo.measurement, Histogram) and (slo.measurement.other is not None or slo.measurement.other_is_all):
        asked.append(Query(queries.good_share_by_other_bound(slo), "by the other bound, 30m", f"{slo.steps.slow}s"))
        band = (
            f" The threshold lies between two edges of the histogram, the truth between the lines ({_threshold(slo)})."
        )
    return panels.timeseries(
        About(
            base + OF_SLO["good share"],
            f"{short_name(spec, slo)}: good share, target {percent_text(slo.target)}",
            describe(
                f"The SLI itself: the share of {slo.counts} of the last {window.name} that were good. The dashed line is the"
                f" target; it is red below.{band}",
                f"above {percent_text(slo.target)}; short dips are what the budget is for.",
                "below it for long: the breaches show of what kind, the rows of the engine why.",
            ),
            width,
            8,
        ),
        asked,
        unit="percentunit",
        steps=Steps(RED, ((number(slo.target), "transparent"),)),
        custom={"thresholdsStyle": {"mode": "dashed+area"}},
        overrides=[coloured("by the other bound, 30m", GREY)] if len(asked) > 1 else [],
        max=1,
    )


def _heatmap(spec: Spec, slo: Slo, measurement: Histogram, base: int) -> Json:
    return panels.heatmap(
        About(
            base + OF_SLO["heatmap"],
            f"{short_name(spec, slo)}: all {slo.counts} ({_threshold(slo)})",
            describe(
                f"How many {slo.counts} came into each bucket of the histogram.",
                f"the dark cells lie under the threshold ({_threshold(slo)}).",
                "two bands: two kinds of requests, or one slow replica; a band that climbs: a queue.",
            ),
            6,
            8,
        ),
        Query(queries.buckets(measurement), "{{le}}", step_text(spec.steps.scrape), "heatmap"),
        unit=_EDGE_UNITS.get(_scale(slo, measurement), "none"),
    )


def _events(spec: Spec, slo: Slo, base: int) -> Json:
    step = f"{slo.steps.fast}s"
    bad, colour = breach_of(slo)
    return panels.timeseries(
        About(
            base + OF_SLO["events"],
            f"{short_name(spec, slo)}: {slo.counts} by the second",
            describe(
                f"All {slo.counts} that the SLO counts, and the bad ones among them.",
                "the bad ones far below; no line where there is no traffic.",
                "more bad ones: the breaches and the log of whoever answers; all of them gone: the row of data quality.",
            ),
            12,
            8,
        ),
        [
            Query(queries.events_per_second(slo, names.EVENTS), "all", step),
            Query(queries.events_per_second(slo, names.BAD_EVENTS), bad, step),
        ],
        unit="short" if isinstance(slo.measurement, Slices) or slo.counts != "requests" else "reqps",
        overrides=[coloured(bad, colour)],
        min=0,
    )


def _value(spec: Spec, slo: Slo, measurement: object, base: int) -> Json:
    assert isinstance(measurement, Slices)
    inner = measurement.inner
    assert isinstance(inner, Value | Throughput)
    bound = inner.rate if isinstance(inner, Throughput) else inner.bound
    above = isinstance(inner, Throughput) or inner.op in (">", ">=")
    side = "above" if above else "below"
    return panels.timeseries(
        About(
            base + OF_SLO["value"],
            f"{short_name(spec, slo)}: what a slice is judged by",
            describe(
                f"The value over the last slice of {measurement.window}. The dashed line is its bound.",
                f"{side} the line{', or nothing waits' if isinstance(inner, Throughput) else ''}.",
                "on the wrong side of it every slice is bad: the runbook.",
            ),
            12,
            8,
        ),
        [Query(queries.worst(slo, names.SLICE_VALUE, high=not above), "value", f"{slo.steps.fast}s")],
        unit="cps" if isinstance(inner, Throughput) else "short",
        steps=lines([(bound, RED)]),
    )


def _worst_replica(spec: Spec, slo: Slo, limit: Decimal, window: Duration, base: int) -> Json:
    series = literal(recorded(names.WORST_REPLICA, slo.slo_id))
    return panels.timeseries(
        About(
            base + OF_SLO["worst replica"],
            f"{short_name(spec, slo)}: worst replica",
            describe(
                f"The share of bad {slo.counts} of the replica where it is greatest, over {window}. Replicas with few bad"
                " ones are not shown.",
                f"under {percent_text(round(limit, 4))}, or no line.",
                "look at its node and its log before it is replaced.",
            ),
            12,
            6,
        ),
        [Query(f"max by ({names.REPLICA_LABEL}) ({series})", f"{{{{{names.REPLICA_LABEL}}}}}", f"{slo.steps.slow}s")],
        unit="percentunit",
        steps=lines([(limit, RED)]),
        no_value="no replica has many bad ones",
        min=0,
        max=1,
    )


def _degradation(spec: Spec, slo: Slo, asked: Degradation, base: int) -> Json:
    edge = "" if asked.measured == asked.limit else f", read at {asked.measured}"
    return panels.state_timeline(
        About(
            base + OF_SLO["degradation"],
            f"{short_name(spec, slo)}: what a gateway should do",
            describe(
                f"The level by which a gateway reduces its load: more {slo.counts} than the budget allows, and more than"
                f" {asked.guard}, took over {asked.limit}{edge}, in the last {slo.steps.fast} s, and in those before as well.",
                f"{_LEVELS['0'][0]}; nothing while the engine's series are missing.",
                "the rows of the engine say how many wait; a level that comes back every day means too few replicas.",
            ),
            12,
            6,
        ),
        [Query(literal(fresh_level(slo)), "level", f"{slo.steps.fast}s")],
        mappings=mapped(_LEVELS),
        no_value="no level",
    )


def _groups(spec: Spec, slo: Slo, base: int) -> Json:
    by = ", ".join(slo.groups.labels)
    remaining, attained = (
        literal(recorded(name, slo.slo_id)) for name in (names.PERIOD_BUDGET_REMAINING, names.PERIOD_ATTAINMENT)
    )
    asked = {
        "Budget left": f"bottomk({_MOST_GROUPS}, min by ({by}) ({remaining}))",
        "Attained": f"min by ({by}) ({attained}) and on ({by}) bottomk({_MOST_GROUPS}, min by ({by}) ({remaining}))",
    }
    columns = {label: label for label in slo.groups.labels}
    columns |= {f"Value #{chr(ord('A') + index)}": name for index, name in enumerate(asked)}
    return panels.table(
        About(
            base + OF_SLO["groups"],
            f"{short_name(spec, slo)}: groups, the worst first",
            describe(
                f"What is left of the budget of each group by {by}, and its share of good {slo.counts} over the period;"
                f" the {_MOST_GROUPS} that have the least.",
                "all above 25 %.",
                "one alone: what it sends that others do not; all: the row of the engine.",
            ),
            12,
            8,
        ),
        [Query(expression, instant=True, shape="table") for expression in asked.values()],
        transformations=panels.organized(columns, sort_by="Budget left"),
        overrides=[
            override(
                "Budget left",
                unit="percentunit",
                decimals=1,
                thresholds=BUDGET_STEPS.json(),
                custom__cellOptions={"type": "color-text"},
            ),
            override("Attained", unit="percentunit", decimals=3),
        ],
    )
