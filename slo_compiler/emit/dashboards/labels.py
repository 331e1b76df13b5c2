"""The words for an objective where there is little room, and the colours of what people compare across dashboards."""

from __future__ import annotations

from collections.abc import Iterable

from slo_compiler.emit.dashboards.parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Json,
    Steps,
    mapped,
    override,
)
from slo_compiler.emit.dashboards.text import words
from slo_compiler.ir import Slo, Spec
from slo_compiler.slis import load_slis

# By the label `breach` of `slo:info`, in all dashboards alike.
BREACHES = {
    "ttft_breach": ("slow to begin", ORANGE),
    "itl_jitter_breach": ("slow to go on", YELLOW),
    "hard_timeout": ("slow to end", PURPLE),
    "incomplete_response": ("broken off", BLUE),
    "error": ("error", RED),
    "": ("bad", GREY),
}
# What is left of a budget.
BUDGET_STEPS = Steps(RED, ((0, ORANGE), (0.25, GREEN)))
# The levels of `queries.alert_level`.
ALERT_WORDS = {
    "0": ("none", GREEN),
    "1": ("pending", YELLOW),
    "2": ("firing", ORANGE),
    "3": ("page", RED),
}
# Of tiers by their place, the fastest first.
TIERS = (RED, "semi-dark-orange", "dark-yellow", BLUE, PURPLE)


def short_name(spec: Spec, slo: Slo) -> str:
    """`TTFT`, or the objective's own name where it has one; of OpenSLO the name of the indicator."""
    own = slo.name.removeprefix(f"{spec.name}-")
    if own == slo.sli.replace("_", "-"):
        return load_slis()[slo.sli].short
    return words(slo.title if own == slo.name else own)


def breach_of(slo: Slo) -> tuple[str, str]:
    """What a bad event of an objective is, in words, and its colour."""
    return BREACHES[dict(slo.info).get("breach", "")]


def tier_colour(place: int) -> str:
    """The colour of a tier."""
    return TIERS[min(place, len(TIERS) - 1)]


def state_columns(burn_rates: Iterable[str]) -> list[Json]:
    """How a table of objectives shows target, attainment, budget, the burn rates of these names, and alert."""
    coloured = {"type": "color-text"}
    gauge = {"type": "gauge", "mode": "basic", "valueDisplayMode": "color"}
    budget = {"unit": "percentunit", "decimals": 1, "min": -0.5, "max": 1, "thresholds": BUDGET_STEPS.json()}
    burning = Steps(GREEN, ((1, YELLOW),)).json()
    return [
        override("Target", unit="percentunit"),
        override("Attained", unit="percentunit", decimals=3),
        override("Budget left", **budget, custom__cellOptions=gauge),
        *(override(name, decimals=1, thresholds=burning, custom__cellOptions=coloured) for name in burn_rates),
        override("Alert", mappings=mapped(ALERT_WORDS), custom__cellOptions=coloured),
    ]
