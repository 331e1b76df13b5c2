"""The row that everyone looks at first: what is promised, where the numbers came from, and how it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slo_compiler.emit.dashboards import panels, queries
from slo_compiler.emit.dashboards.ids import OF_SLO, SHARED
from slo_compiler.emit.dashboards.labels import short_name, state_columns
from slo_compiler.emit.dashboards.layout import Row
from slo_compiler.emit.dashboards.parts import (
    About,
    Json,
    Query,
    mapped,
    override,
)
from slo_compiler.emit.dashboards.text import address, describe, is_address, markdown, words
from slo_compiler.ir import Slo, Spec, Window
from slo_compiler.promql import names


def promise_row(spec: Spec, bases: Sequence[int]) -> Row:
    """What is promised and where each number came from; and how each objective stands."""
    height = min(4 + 2 * len(spec.slos), 14)
    about = About(
        SHARED["promise"],
        "Promise",
        describe(
            "What users are promised, and where each number came from.",
            "it is what the owners of the service agreed on.",
            "change it in the spec, not here: this dashboard is compiled.",
        ),
        24,
        height,
    )
    return Row(
        SHARED["promise row"], "Promise and state", [panels.text(about, _promise(spec)), _objectives(spec, bases)]
    )


def _promise(spec: Spec) -> str:
    facts = {
        "Service": spec.service,
        "Model": spec.model,
        "Endpoint": spec.endpoint,
        "Engine": dict(spec.slos[0].info).get("engine", ""),
        "Experience class": dict(spec.slos[0].info).get("class", ""),
        "Use case": spec.use_case,
        "Stage": spec.stage,
        "Team": dict(spec.slos[0].info).get("team", ""),
        "Spec": spec.path,
    }
    links = {"Runbook": spec.runbook_url, "Spec in git": spec.spec_url}
    shown = [f"**{name}:** {markdown(value)}" for name, value in facts.items() if value]
    shown += [f"[{name}]({address(url)})" for name, url in links.items() if is_address(url)]
    rows = [f"| {markdown(f'{slo.promise}, over {slo.period.name}')} | {_origins(slo)} |" for slo in spec.slos]
    return "\n".join([" · ".join(shown), "", "| Promise | Where its numbers come from |", "|---|---|", *rows])


def _origins(slo: Slo) -> str:
    return "; ".join(markdown(f"{item.field} {item.value}: {item.origin}") for item in slo.provenance)


def _objectives(spec: Spec, bases: Sequence[int]) -> Json:
    slos = spec.slos
    fast, slow = (
        f"Burn rate, {' or '.join(sorted({window(slo).name for slo in slos}))}, x"
        for window in (queries.hour_window, queries.long_window)
    )
    asked = {
        "Target": f"max by (slo_id) ({queries.of_all(slos, names.TARGET)})",
        "Attained": f"min by (slo_id) ({queries.of_all(slos, names.PERIOD_ATTAINMENT)})",
        "Budget left": f"min by (slo_id) ({queries.of_all(slos, names.PERIOD_BUDGET_REMAINING)})",
        fast: _burns(slos, queries.hour_window),
        slow: _burns(slos, queries.long_window),
        "Alert": f"{queries.alert_level(spec, 'slo_id')} or max by (slo_id) ({queries.of_all(slos, names.TARGET)}) * 0",
        "Panel": queries.panel_numbers(
            [(slo, base + OF_SLO["good share"]) for slo, base in zip(slos, bases, strict=True)]
        ),
    }
    columns = {"slo_id": "Objective"}
    columns |= {f"Value #{chr(ord('A') + index)}": name for index, name in enumerate(asked)}
    link = {
        "title": "Its panel",
        "url": f'/d/{spec.dashboard_uid}?viewPanel=${{__data.fields["Panel"]}}&${{datasource:queryparam}}&${{__url_time_range}}',
        "targetBlank": False,
    }
    shown = {slo.slo_id: (f"{short_name(spec, slo)}: {words(slo.promise)}", "") for slo in slos}
    # What the engine shows once has alerts and no objective.
    shown.setdefault(spec.engine_id, ("Engine", ""))
    overrides = [
        override("Objective", mappings=mapped(shown), links=[link], custom__minWidth=440),
        *state_columns(dict.fromkeys((fast, slow))),
        override("Panel", custom__hidden=True),
    ]
    about = About(
        SHARED["objectives"],
        "Objectives",
        describe(
            "One line per objective: its target, the share of good events over the period, what is left of the error budget,"
            " how fast it is spent (1 spends it exactly over the period) and its alert. Of several groups the worst is shown.",
            "budget left above 25 %, burn rates under 1, no alert.",
            "open the objective's panels by the link in its line; the runbook says what to look at first.",
        ),
        24,
        3 + len(slos),
    )
    asking = [Query(expression, instant=True, shape="table") for expression in asked.values()]
    return panels.table(about, asking, transformations=panels.organized(columns), overrides=overrides)


def _burns(slos: Sequence[Slo], window: Callable[[Slo], Window]) -> str:
    """The burn rates of all objectives, each over its own window."""
    by_window: dict[str, list[Slo]] = {}
    series = []
    for slo in slos:
        if window(slo) in slo.windows:
            by_window.setdefault(window(slo).name, []).append(slo)
        else:
            series.append(queries.burn(slo, window(slo)))
    series += [queries.of_all(group, names.burn_rate(name)) for name, group in by_window.items()]
    return f"max by (slo_id) ({' or '.join(series)})"
