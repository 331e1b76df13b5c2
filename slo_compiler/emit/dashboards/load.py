"""The rows of the engine: how busy it is, what it gets done, and how much of that is as promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.emit.dashboards import panels, queries
from slo_compiler.emit.dashboards.ids import SHARED
from slo_compiler.emit.dashboards.labels import short_name
from slo_compiler.emit.dashboards.layout import Row
from slo_compiler.emit.dashboards.parts import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    About,
    Json,
    Query,
    coloured,
    lines,
    override,
)
from slo_compiler.emit.dashboards.text import describe, step_text
from slo_compiler.ir import EngineInUse, Selector, Slices, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.units import decimal_text

_KV_FULL = Decimal("0.9")


class Vitals(NamedTuple):
    """How busy an engine is: gauges and counters under all of their names, none where it shows nothing."""

    running: tuple[Selector, ...]
    waiting: tuple[Selector, ...]
    kv_cache: tuple[Selector, ...]
    preemptions: tuple[Selector, ...]
    prompt_tokens: tuple[Selector, ...]
    generation_tokens: tuple[Selector, ...]
    replica_label: str


def _vitals(engine: EngineInUse) -> Vitals:
    def series(role: str, kind: str) -> tuple[Selector, ...]:
        signal = engine.signal(role)
        return signal.selectors if signal is not None and signal.kind == kind else ()

    return Vitals(
        running=series("running", "gauge"),
        waiting=series("queue_depth", "gauge"),
        kv_cache=series("kv_cache_usage", "gauge"),
        preemptions=series("preemptions", "counter"),
        prompt_tokens=series("prompt_tokens", "counter"),
        generation_tokens=series("generation_tokens", "counter"),
        replica_label=engine.replica_label,
    )


def saturation_row(spec: Spec) -> Row:
    """How busy the engine is: what comes before slow answers."""
    found = list(_saturation(spec, _vitals(spec.engine))) if spec.engine is not None else []
    return Row(SHARED["saturation row"], "Saturation of the engine", found, collapsed=True)


def _saturation(spec: Spec, vitals: Vitals) -> Iterator[Json]:
    step = step_text(spec.steps.scrape)
    replica = ("job", vitals.replica_label)
    inside = {"waiting": vitals.waiting, "running": vitals.running}
    colours = {"waiting": ORANGE, "running": BLUE}
    if any(inside.values()):
        yield panels.timeseries(
            About(
                SHARED["requests in the engine"],
                "Requests in the engine",
                describe(
                    "Requests that run and that wait, of all replicas together.",
                    "running follows the traffic, and nothing waits for long.",
                    "waiting that grows means too few replicas for this traffic, or one that hangs.",
                ),
                8,
                8,
            ),
            [Query(queries.gauge_of("sum", gauges), name, step) for name, gauges in inside.items() if gauges],
            unit="short",
            overrides=[coloured(name, colour) for name, colour in colours.items() if inside[name]],
            min=0,
        )
    if vitals.waiting:
        limit = spec.queue_limit
        said = (
            f"under {decimal_text(limit)} on average, the limit of this spec (dashed)."
            if limit is not None
            else "near 0."
        )
        each = queries.gauge_of("sum", vitals.waiting, replica)
        yield panels.timeseries(
            About(
                SHARED["waiting per replica"],
                "Waiting per replica",
                describe(
                    "Requests that wait at a replica, on average and at the one with the most.",
                    said,
                    "far apart: the load is balanced badly, or one replica is slow; both high: add replicas.",
                ),
                8,
                8,
            ),
            [Query(f"avg({each})", "average", step), Query(f"max({each})", "most", step)],
            unit="short",
            steps=lines([(limit, ORANGE)]) if limit is not None else None,
            min=0,
        )
    if vitals.kv_cache:
        yield _kv_cache(spec, vitals)
    for gauges, key, title in (
        (vitals.waiting, "queue heatmap", "Replicas by requests waiting"),
        (vitals.running, "running heatmap", "Replicas by requests running"),
    ):
        if gauges:
            yield panels.heatmap(
                About(
                    SHARED[key],
                    title,
                    describe(
                        "How many replicas had how many of these requests.",
                        "one band: all replicas are alike.",
                        "a cell far from the others is one replica: compare its node, version and traffic.",
                    ),
                    8,
                    8,
                ),
                Query(queries.gauge_of("sum", gauges, replica), f"{{{{{vitals.replica_label}}}}}", step),
                unit="short",
                calculated=True,
            )


def _kv_cache(spec: Spec, vitals: Vitals) -> Json:
    step = step_text(spec.steps.scrape)
    asked = [
        Query(queries.gauge_of("max", vitals.kv_cache), "fullest replica", step),
        Query(queries.gauge_of("avg", vitals.kv_cache), "average", step),
    ]
    overrides = [override(query.legend, max=1) for query in asked]
    if vitals.preemptions:
        asked.append(Query(queries.rate_of(vitals.preemptions), "preemptions by the second", step))
        overrides.append(coloured("preemptions by the second", PURPLE, unit="cps", custom__axisPlacement="right"))
    return panels.timeseries(
        About(
            SHARED["KV cache"],
            "KV cache",
            describe(
                "The share of the cache of keys and values that is used; where it is full, requests wait or are preempted and"
                " computed again.",
                f"under {decimal_text(_KV_FULL * 100)} % (dashed), no preemptions.",
                "shorter contexts, fewer requests at once, more memory for the cache, or more replicas.",
            ),
            8,
            8,
        ),
        asked,
        unit="percentunit",
        steps=lines([(_KV_FULL, ORANGE)]),
        overrides=overrides,
        min=0,
    )


def throughput_row(spec: Spec) -> Row:
    """What the engine gets done, and how much of it is as promised."""
    found = [_requests(spec)]
    vitals = _vitals(spec.engine) if spec.engine is not None else None
    if vitals is not None and (vitals.prompt_tokens or vitals.generation_tokens):
        found.append(_tokens(spec, vitals))
    by_request = [slo for slo in spec.slos if _counts_requests(slo)]
    if by_request:
        found.append(_goodput(spec, by_request))
    return Row(SHARED["throughput row"], "Throughput and goodput", found, collapsed=True)


def _counts_requests(slo: Slo) -> bool:
    """Whether its events are whole requests of the spec's own traffic, each at one moment."""
    return (
        slo.counts == "requests"
        and not isinstance(slo.measurement, Slices)
        and not slo.part_later
        and "variant" not in dict(slo.info)
    )


def _requests(spec: Spec) -> Json:
    slos = [slo for slo in spec.slos if not isinstance(slo.measurement, Slices)] or list(spec.slos)
    late = max((_late_under(slo) for slo in slos), default=Decimal(0))
    said = " Under the dashed line some page is later than its theory: too few events for its guard." if late else ""
    return panels.timeseries(
        About(
            SHARED["requests"],
            "Events by the second",
            describe(
                f"What each objective counts, of tokens the requests that they make up.{said}",
                "follows the day; the objectives of one engine lie on one another.",
                "a sudden fall: look before the engine, at the gateway and its clients.",
            ),
            8,
            8,
        ),
        [
            Query(queries.events_per_second(slo, names.EVENTS), short_name(spec, slo), f"{slo.steps.fast}s")
            for slo in slos
        ],
        unit="reqps",
        steps=lines([(late, ORANGE)]) if late else None,
        min=0,
    )


def _late_under(slo: Slo) -> Decimal:
    """Events by the second under which a page's guard is passed later than its factor: guard / (factor x budget) in L."""
    return max(
        (
            tier.guard / slo.events_per_request / (tier.factor * slo.budget) / tier.long.length.seconds
            for tier in slo.tiers
            if tier.severity == "page"
        ),
        default=Decimal(0),
    ).quantize(Decimal("0.000001"))


def _tokens(spec: Spec, vitals: Vitals) -> Json:
    step = step_text(spec.steps.scrape)
    asked = {"prompt": vitals.prompt_tokens, "generated": vitals.generation_tokens}
    return panels.timeseries(
        About(
            SHARED["tokens"],
            "Tokens by the second",
            describe(
                "Tokens of prompts and of answers, of all replicas together.",
                "follows the requests.",
                "fewer generated tokens at the same requests: decoding is slow, or answers are cut.",
            ),
            8,
            8,
        ),
        [Query(queries.rate_of(counters), name, step) for name, counters in asked.items() if counters],
        unit="cps",
        min=0,
    )


def _goodput(spec: Spec, slos: Sequence[Slo]) -> Json:
    step = f"{spec.steps.fast}s"
    best, least = queries.goodput(slos)
    high, low = "at most", "at least"
    counted = ", ".join(short_name(spec, slo) for slo in slos)
    return panels.timeseries(
        About(
            SHARED["goodput"],
            "Goodput: requests that keep every promise, by the second",
            describe(
                "Histograms apart cannot say how many requests kept all promises at once: at most as many as kept the worst one,"
                f" at least all without the bad ones of each. The band between holds the truth. Counted: {counted}.",
                "near all requests.",
                "a wide fall of the band: the breaches say which promise it is.",
            ),
            8,
            8,
        ),
        [Query(queries.all_requests(slos), "all", step), Query(best, high, step), Query(least, low, step)],
        unit="reqps",
        overrides=[
            coloured(high, GREEN, custom__fillBelowTo=low, custom__fillOpacity=25),
            coloured(low, GREEN),
            coloured("all", BLUE),
        ],
        min=0,
    )
