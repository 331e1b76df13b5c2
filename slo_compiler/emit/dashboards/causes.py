"""The rows that say what went wrong, and whether the data is there."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler.emit.dashboards import panels, queries
from slo_compiler.emit.dashboards.ids import SHARED
from slo_compiler.emit.dashboards.labels import breach_of, short_name
from slo_compiler.emit.dashboards.layout import Row
from slo_compiler.emit.dashboards.parts import (
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    About,
    Json,
    Query,
    Steps,
    coloured,
    mapped,
)
from slo_compiler.emit.dashboards.text import describe
from slo_compiler.ir import Histogram, Matcher, Slo, Spec
from slo_compiler.promql import names


def breaches_row(spec: Spec) -> Row:
    """What went wrong, what it cost, and which alerts it set off."""
    return Row(SHARED["breaches row"], "Breaches", [_by_type(spec), _spent(spec), _alerts(spec)])


def _by_type(spec: Spec) -> Json:
    shown = {slo.slo_id: f"{breach_of(slo)[0]} ({short_name(spec, slo)})" for slo in spec.slos}
    return panels.timeseries(
        About(
            SHARED["breaches"],
            "Bad events by type, by the second",
            describe(
                "The bad events of each objective. Where an objective counts tokens, they are shown as the requests that they"
                " make up; a request that breaks two promises is in both.",
                "few, and no type that suddenly grows.",
                "the type says where to look: slow to begin is queue or prefill, slow to go on is decode, errors are the log.",
            ),
            12,
            8,
        ),
        [
            Query(queries.events_per_second(slo, names.BAD_EVENTS), shown[slo.slo_id], f"{slo.steps.fast}s")
            for slo in spec.slos
        ],
        unit="reqps",
        stacked=True,
        overrides=[coloured(shown[slo.slo_id], breach_of(slo)[1]) for slo in spec.slos],
        min=0,
    )


def _spent(spec: Spec) -> Json:
    return panels.bar_gauge(
        About(
            SHARED["spent budget"],
            "Budget spent in the time shown",
            describe(
                "How much of its own budget each objective spent within the time that the dashboard shows: what ate the budget.",
                "less than the time's share of the period.",
                "the longest bar is where work on reliability pays.",
            ),
            6,
            8,
        ),
        [
            Query(
                queries.spent_in_view(slo),
                f"{breach_of(slo)[0]} ({short_name(spec, slo)})",
                f"{slo.steps.slow}s",
                instant=True,
            )
            for slo in spec.slos
        ],
        unit="percentunit",
        steps=Steps(GREEN, ((0.25, ORANGE), (1, RED))),
        min=0,
        max=1,
    )


def _alerts(spec: Spec) -> Json:
    tier = spec.own_label("tier")
    return panels.state_timeline(
        About(
            SHARED["alerts"],
            "Alerts",
            describe(
                "Which alerts of this spec were pending and firing, and whether they page.",
                "none.",
                "a page is for whoever is on call: the runbook; the others are for working hours.",
            ),
            6,
            8,
        ),
        [
            Query(
                queries.alert_level(spec, f"alertname, {tier}, slo_id"),
                f"{{{{alertname}}}} {{{{{tier}}}}} {{{{slo_id}}}}",
                f"{spec.steps.fast}s",
            )
        ],
        mappings=mapped({"1": ("pending", YELLOW), "2": ("firing", ORANGE), "3": ("page", RED)}),
        no_value="no alert",
    )


def data_row(spec: Spec) -> Row:
    """Whether what is shown is true: a dashboard without data is not a green one."""
    slos, number = spec.slos, len(spec.slos)
    found = [
        panels.one_number(
            About(
                SHARED["SLIs with data"],
                f"Objectives with data, of {number}",
                describe(
                    "How many objectives had events within the last step of their rules.",
                    f"{number} while there is traffic.",
                    "fewer: a metric was renamed, a selector is wrong, or nobody asks. Run check-metrics on the spec.",
                ),
                6,
                5,
            ),
            Query(f"count(count by (slo_id) ({queries.of_all(slos, names.EVENTS['fast'])}))", instant=True),
            unit="short",
            steps=Steps(RED, ((number, GREEN),)),
            no_value="none",
        ),
        panels.one_number(
            About(
                SHARED["age of the rules"],
                "Age of the rules",
                describe(
                    "How long ago the rules of this spec were evaluated last.",
                    f"under {spec.steps.slow} s.",
                    "older: the rule file is not loaded, or its group fails; the server says which under Rules.",
                ),
                6,
                5,
            ),
            Query(f"time() - min(timestamp({queries.of_all(slos, names.TARGET)}))", instant=True),
            unit="s",
            steps=Steps(GREEN, ((2 * spec.steps.slow, RED),)),
            no_value="never",
        ),
        panels.one_number(
            About(
                SHARED["period recorded"],
                "Share of the period that is recorded",
                describe(
                    "How much of the period the rules have seen: the numbers above stand for that much of it.",
                    "100 % once the rules are a period old.",
                    "in the first period read budgets as so far; later, less means that the server was down.",
                ),
                6,
                5,
            ),
            Query(f"min({queries.of_all(slos, names.PERIOD_COVERAGE)})", instant=True),
            unit="percentunit",
            steps=Steps(YELLOW, ((0.5, GREEN),)),
            no_value="none",
        ),
    ]
    watched = next((source.target_matchers for source in spec.sources if source.target_matchers), ())
    if watched:
        found.append(_targets_up(watched))
    histograms = [slo for slo in slos if isinstance(slo.measurement, Histogram)]
    if histograms:
        found.append(_judged(histograms))
    return Row(SHARED["data row"], "Data quality", found, collapsed=True)


def _targets_up(watched: Sequence[Matcher]) -> Json:
    return panels.one_number(
        About(
            SHARED["targets up"],
            "Targets up",
            describe(
                "The share of the targets that this spec reads which answer scrapes.",
                "100 %.",
                "less: pods that start or crash, or a scrape that times out; the server says why under Targets.",
            ),
            6,
            5,
        ),
        Query(f"avg({queries.targets(watched, 'up')})", instant=True),
        unit="percentunit",
        steps=Steps(RED, ((0.75, YELLOW), (1, GREEN))),
        no_value="no target",
    )


def _judged(slos: Sequence[Slo]) -> Json:
    return panels.one_number(
        About(
            SHARED["share that can be judged"],
            "Share of events that can be judged",
            describe(
                "The share of events from replicas that expose the bucket which the rules read, of the worst objective.",
                "100 %.",
                "less: replicas of another version or with other buckets; their events are left out of the SLO.",
            ),
            6,
            5,
        ),
        Query(f"min({queries.of_all(slos, names.COVERED)})", instant=True),
        unit="percentunit",
        steps=Steps(RED, ((0.9, GREEN),)),
    )
