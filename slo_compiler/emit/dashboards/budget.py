"""The row of the error budget: what is left of it and how fast it goes, now and over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from slo_compiler.emit.dashboards import panels, queries
from slo_compiler.emit.dashboards.ids import OF_SLO, SHARED
from slo_compiler.emit.dashboards.labels import BUDGET_STEPS, short_name, tier_colour
from slo_compiler.emit.dashboards.layout import Row
from slo_compiler.emit.dashboards.parts import (
    GREEN,
    GREY,
    ORANGE,
    RED,
    About,
    Json,
    Query,
    Steps,
    coloured,
    lines,
    mapped,
)
from slo_compiler.emit.dashboards.text import describe, markdown, number, seconds_text, words
from slo_compiler.ir import Slo, Spec
from slo_compiler.promql import names
from slo_compiler.units import decimal_text, percent_text

_GAUGE_END = 1.2  # of the highest factor, so that it is seen on the dial


def budget_row(spec: Spec, bases: Sequence[int]) -> Row:
    """What is left of each budget, how fast it goes, and both over time."""
    small = [panel for slo, base in zip(spec.slos, bases, strict=True) for panel in _numbers(spec, slo, base)]
    charts = [_burn_rates(spec, slo, base) for slo, base in zip(spec.slos, bases, strict=True) if slo.windows]
    return Row(SHARED["budget row"], "Error budget", [*small, _over_period(spec), *charts])


def _numbers(spec: Spec, slo: Slo, base: int) -> Iterator[Json]:
    name, period = short_name(spec, slo), slo.period.name
    yield panels.gauge(
        About(
            base + OF_SLO["budget left"],
            f"{name}: budget left",
            describe(
                f"The share of the error budget of {period} that is left: {percent_text(slo.budget)} of the {slo.counts}"
                " may be bad. Below 0 more was spent than there was.",
                "above 25 %; it comes back as bad events leave the period.",
                "under 25 % put off risky changes, below 0 stop them until it is positive.",
            ),
            6,
            4,
        ),
        Query(queries.worst(slo, names.PERIOD_BUDGET_REMAINING, high=False), instant=True),
        unit="percentunit",
        steps=BUDGET_STEPS,
        decimals=1,
        min=-0.5,
        max=1,
    )
    window = queries.hour_window(slo)
    factors = [tier.factor for tier in slo.tiers]
    yield panels.gauge(
        About(
            base + OF_SLO["burn rate"],
            f"{name}: burn rate, {window.name}, x",
            describe(
                f"How many times too fast the budget was spent over the last {window.name}; 1 spends it exactly over {period}.",
                "under 1. The colours begin at the factors of the alerts: "
                f"{', '.join(decimal_text(factor) for factor in sorted(set(factors))) or 'none'}.",
                "over the highest factor act now: the runbook; over 1 find out what changed.",
            ),
            6,
            4,
        ),
        Query(queries.burn(slo, window), instant=True),
        unit="none",
        steps=Steps(
            GREEN,
            tuple((number(factor), _urgency(slo, factor)) for factor in sorted(set(factors))),
        ),
        decimals=1,
        min=0,
        max=float(max([Decimal(2), *factors]) * Decimal(str(_GAUGE_END))),
    )
    yield panels.one_number(
        About(
            base + OF_SLO["bad events left"],
            f"{name}: bad {slo.counts} left",
            describe(
                f"How many more {slo.counts} of a full {period} may be bad, at the mean traffic so far.",
                "above 0.",
                "set it against what a planned change may cost.",
            ),
            6,
            4,
        ),
        Query(queries.bad_events_left(slo), instant=True),
        unit="short",
        steps=Steps(RED, ((0, GREEN),)),
    )
    yield panels.one_number(
        About(
            base + OF_SLO["exhausted in"],
            f"{name}: exhausted in",
            describe(
                f"When the budget is spent if the burn rate of the last {window.name} goes on.",
                "not burning: it lasts, or there is no traffic.",
                "less than a day is for whoever is on call, less than a week for the team.",
            ),
            6,
            4,
        ),
        Query(queries.exhausted_in(slo), instant=True),
        unit="dtdurations",
        steps=Steps(RED, ((86400, ORANGE), (7 * 86400, GREEN))),
        no_value="not burning",
        mappings=mapped({"0": ("exhausted", RED)}),
    )


def _urgency(slo: Slo, factor: Decimal) -> str:
    """The colour of a factor: that of a page, or of anything less."""
    return RED if any(tier.severity == "page" for tier in slo.tiers if tier.factor == factor) else ORANGE


def _over_period(spec: Spec) -> Json:
    step = f"{spec.steps.slow}s"
    asked = [
        Query(queries.worst(slo, names.PERIOD_BUDGET_REMAINING, high=False), short_name(spec, slo), step)
        for slo in spec.slos
    ]
    even = "spent evenly"
    period = spec.slos[0].period
    return panels.timeseries(
        About(
            SHARED["budget over the period"],
            f"Budget left over {period.name}",
            describe(
                f"What was left of each budget at each moment of the last {period.name}. The grey line goes from all to"
                " nothing: steeper than it, a budget does not last its period.",
                "flat or rising, above 0.",
                "a step down is an incident: look at the breaches of that time.",
            ),
            12,
            8,
        ),
        [*asked, Query(queries.even_spending(), even, step)],
        unit="percentunit",
        steps=Steps(RED, ((0, "transparent"),)),
        time_from=seconds_text(period.length.seconds),
        custom={"thresholdsStyle": {"mode": "area"}, "lineWidth": 2},
        overrides=[coloured(even, GREY, custom__lineStyle={"fill": "dash", "dash": [10, 10]}, custom__lineWidth=1)],
        max=1,
    )


def _burn_rates(spec: Spec, slo: Slo, base: int) -> Json:
    tiers = sorted(slo.tiers, key=lambda tier: tier.factor, reverse=True)
    asked = [
        Query(queries.burn(slo, window), window.name, f"{slo.steps.of(window.level)}s")
        for window in sorted(slo.windows, key=lambda window: window.length.seconds)
    ]
    drawn: dict[str, Json] = {}
    for place, tier in enumerate(tiers):
        drawn.setdefault(tier.long.name, coloured(tier.long.name, tier_colour(place), custom__lineWidth=2))
    for place, tier in enumerate(tiers):
        dashed = {"fill": "dash", "dash": [6, 4]}
        drawn.setdefault(tier.short.name, coloured(tier.short.name, tier_colour(place), custom__lineStyle=dashed))
    pairs = "; ".join(
        f"{words(tier.name)}: {tier.long.name} and {tier.short.name} over {decimal_text(tier.factor)}" for tier in tiers
    )
    return panels.timeseries(
        About(
            base + OF_SLO["burn rates"],
            f"{short_name(spec, slo)}: burn rate, all windows, x",
            describe(
                "How many times too fast the budget is spent, over each window. The dashed lines are the alerts' factors,"
                " in the colour of their long window. An alert fires while both of its windows are over its line:"
                f" {markdown(pairs) or 'there is none'}. The axis is logarithmic: 0 is not drawn.",
                "under 1.",
                "where the short window has fallen below the line the trouble is over, and the alert ends soon.",
            ),
            12,
            8,
        ),
        asked,
        unit="none",
        steps=lines([(tier.factor, tier_colour(place)) for place, tier in enumerate(tiers)]) if tiers else None,
        log=True,
        overrides=[drawn[name] for name in sorted(drawn)],
        decimals=2,  # its axis goes down to hundredths
    )
