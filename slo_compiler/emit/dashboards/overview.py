"""The dashboard of all specs: how many objectives hold, which are worst, and where to look next.

It reads `slo:info` and what is recorded for every SLO, whatever its windows and its policy, and is the same for all
repositories.
"""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.emit.dashboards import fleet, panels
from slo_compiler.emit.dashboards.frame import frame, query_variable
from slo_compiler.emit.dashboards.ids import OVERVIEW
from slo_compiler.emit.dashboards.labels import BREACHES, BUDGET_STEPS, state_columns
from slo_compiler.emit.dashboards.layout import Row, place
from slo_compiler.emit.dashboards.parts import (
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    About,
    Json,
    Query,
    Steps,
    lines,
    mapped,
    override,
)
from slo_compiler.emit.dashboards.text import describe
from slo_compiler.ir import Matcher, Selector
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, selector

_COLUMNS = {
    "slo": "SLO",
    "service": "Service",
    "model": "Model",
    "endpoint": "Endpoint",
    "sli": "SLI",
    "promised": "Promised",
    "class": "Class",
    "team": "Team",
}
_STEP = "60s"
_SHOWN = 20


def overview(uid: str) -> Json:
    """The dashboard as JSON holds it."""
    rows = [
        Row(OVERVIEW["state row"], "Now", _numbers()),
        Row(OVERVIEW["table row"], "Objectives, the worst first", [_table()]),
        Row(OVERVIEW["time row"], "Over time", [_states(), _least()]),
        Row(OVERVIEW["class row"], "By experience class and type of breach", _groups(), collapsed=True),
    ]
    info = selector(Selector(names.INFO))
    alerts = selector(Selector("ALERTS", (Matcher("slo_id", "!=", ""),)))
    variables = [query_variable(name, label, info) for name, label in fleet.FILTERS.items()]
    variables.append(query_variable("severity", "Severity", alerts))
    return frame(
        uid=uid,
        title="SLOs: all services",
        description="Compiled from all specs together. Edits here are lost.",
        tags=["slo", "llm-inference"],
        panels=place(rows),
        annotations=[],
        links=[],
        variables=variables,
    )


def _numbers() -> list[Json]:
    none_bad = Steps(GREEN, ((1, RED),))
    asked = {
        "SLOs": (
            f"count({fleet.info()})",
            Steps(GREEN),
            describe(
                "How many objectives the filters leave.",
                "all that the repository holds.",
                "fewer: a rule file is not loaded.",
            ),
        ),
        "Within budget": (
            fleet.counted(f"{fleet.left()} >= 0"),
            Steps(GREEN),
            describe("Objectives with budget left.", "all of them.", "the others are first in the table below."),
        ),
        "Burning": (
            fleet.counted(f"{fleet.of_each(fleet.burn())} > 1"),
            Steps(GREEN, ((1, ORANGE),)),
            describe(
                "Objectives that spend their budget faster than it lasts, by the last hour.",
                "a few, for a while.",
                "many at once: look for what they share, such as a node pool, a gateway or a release.",
            ),
        ),
        "Exhausted": (
            fleet.counted(f"{fleet.left()} < 0"),
            none_bad,
            describe("Objectives without budget.", "none.", "their teams put work on reliability first."),
        ),
        "No data": (
            fleet.counted(f"{fleet.info()} unless on (slo_id) {names.EVENTS['fast']}"),
            Steps(GREEN, ((1, YELLOW),)),
            describe(
                "Objectives without an event in the last step of their rules.",
                "those that nobody uses at this hour.",
                "the others: their dashboard says under data quality what is missing.",
            ),
        ),
        "Alerts firing": (
            fleet.counted(fleet.firing()),
            none_bad,
            describe(
                "Alerts of all services that fire, of the chosen severities, those of engines among them.",
                "none.",
                "the table says of which objective; its dashboard and its runbook say what to do.",
            ),
        ),
    }
    return [
        panels.one_number(
            About(OVERVIEW[title], title, description, 4, 4),
            Query(expression, instant=True),
            unit="short",
            steps=steps,
            no_value="none",
        )
        for title, (expression, steps, description) in asked.items()
    ]


def _table() -> Json:
    asked = {
        "Facts": fleet.info(*_COLUMNS, "dashboard_uid"),
        "Target": fleet.of_each(aggregate("max", names.TARGET, ("slo_id",))),
        "Attained": fleet.of_each(fleet.least_of(names.PERIOD_ATTAINMENT)),
        "Budget left": fleet.left(),
        "Burn rate, 1h, x": fleet.of_each(fleet.burn()),
        "Alert": f"2 * ({fleet.of_each(aggregate('max', fleet.firing(), ('slo_id',)))}) or 0 * {fleet.info()}",
    }
    columns = {
        **_COLUMNS,
        "dashboard_uid": "dashboard_uid",
        **{f"Value #{chr(ord('A') + place)}": name for place, name in enumerate(asked)},
    }
    link = {
        "title": "Its dashboard",
        "url": "/d/${__data.fields.dashboard_uid}?${datasource:queryparam}&${__url_time_range}",
        "targetBlank": False,
    }
    overrides = [
        override("SLO", links=[link], custom__minWidth=200),
        *(override(name, custom__hidden=True) for name in ("Facts", "dashboard_uid")),
        *state_columns(["Burn rate, 1h, x"]),
    ]
    return panels.table(
        About(
            OVERVIEW["objectives"],
            "Objectives",
            describe(
                "Every objective with what is left of its budget, the least first; of several groups the worst.",
                "budget left above 25 %, burn rates under 1, no alert.",
                "the link of a line leads to its dashboard.",
            ),
            24,
            14,
        ),
        [Query(expression, instant=True, shape="table") for expression in asked.values()],
        transformations=panels.organized(columns, dropped=("Time", "slo_id"), sort_by="Budget left"),
        overrides=overrides,
    )


def _states() -> Json:
    left, burning = fleet.left(), fleet.of_each(fleet.burn())
    states = f"({left} < 0) * 0 + 3 or ({burning} > 1) * 0 + 2 or ({left} >= 0) * 0 + 1 or 0 * {fleet.info()}"
    return panels.state_timeline(
        About(
            OVERVIEW["states"],
            "State of each objective",
            describe(
                "Whether each objective had budget left, and whether it was spending it faster than it lasts.",
                "all within budget.",
                "several that turn at the same moment have one cause.",
            ),
            16,
            12,
        ),
        [Query(states, "{{slo_id}}", _STEP)],
        mappings=mapped(
            {
                "0": ("no data", "#808080"),
                "1": ("within budget", GREEN),
                "2": ("burning", ORANGE),
                "3": ("exhausted", RED),
            }
        ),
        no_value="no SLO",
    )


def _least() -> Json:
    return panels.bar_gauge(
        About(
            OVERVIEW["least budget"],
            "Least budget left",
            describe(
                f"What is left of the budgets of the {_SHOWN} objectives that have the least.",
                "above 25 %.",
                "the shortest bars first.",
            ),
            8,
            12,
        ),
        [Query(f"sort(bottomk({_SHOWN}, {fleet.left()}))", "{{slo_id}}", instant=True)],
        unit="percentunit",
        steps=BUDGET_STEPS,
        min=-0.5,
        max=1,
    )


def _groups() -> list[Json]:
    words = {name: said for name, (said, _) in BREACHES.items() if name}
    met = aggregate("avg", f"{fleet.left('class')} >= bool 0", ("class",))
    return [
        panels.timeseries(
            About(
                OVERVIEW["met by class"],
                "Objectives within budget, by class",
                describe(
                    "The share of each experience class's objectives that have budget left.",
                    "100 %.",
                    "one class alone: what its services share.",
                ),
                8,
                8,
            ),
            [Query(met, "{{class}}", _STEP)],
            unit="percentunit",
            min=0,
            max=1,
        ),
        *(
            panels.timeseries(
                About(
                    OVERVIEW[f"burn by {label}"],
                    f"Mean burn rate of the last hour, {title}, x",
                    describe(f"How fast budgets are spent, on average, {title}.", "under 1 (dashed).", act),
                    8,
                    8,
                ),
                [Query(aggregate("avg", fleet.of_each(fleet.burn(), label), (label,)), f"{{{{{label}}}}}", _STEP)],
                unit="none",
                steps=lines([(Decimal(1), ORANGE)]),
                decimals=1,
                min=0,
                mappings=[],
            )
            for label, title, act in (
                ("class", "by class", "the table above, filtered by the class."),
                (
                    "breach",
                    "by type of breach",
                    f"the types are {', '.join(f'{key} ({said})' for key, said in words.items())}.",
                ),
            )
        ),
    ]
