"""The dashboard of one spec: its rows in the order in which one asks, and what frames them."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.emit.base import Context
from slo_compiler.emit.dashboards import queries
from slo_compiler.emit.dashboards.budget import budget_row
from slo_compiler.emit.dashboards.causes import breaches_row, data_row
from slo_compiler.emit.dashboards.frame import annotation, frame, link, to_overview
from slo_compiler.emit.dashboards.ids import bases
from slo_compiler.emit.dashboards.layout import place
from slo_compiler.emit.dashboards.load import saturation_row, throughput_row
from slo_compiler.emit.dashboards.objectives import objective_rows
from slo_compiler.emit.dashboards.parts import Json
from slo_compiler.emit.dashboards.promise import promise_row
from slo_compiler.emit.dashboards.text import words
from slo_compiler.ir import Matcher, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import any_of

_RESTARTS_WINDOW = "5m"


def dashboard(spec: Spec, context: Context) -> Json:
    """The dashboard as JSON holds it."""
    numbers = list(bases(spec.slos))
    rows = [
        promise_row(spec, numbers),
        budget_row(spec, numbers),
        *objective_rows(spec, numbers),
        breaches_row(spec),
        saturation_row(spec),
        throughput_row(spec),
        data_row(spec),
    ]
    title = spec.portable.display_name if spec.portable is not None and spec.portable.display_name else spec.name
    return frame(
        uid=spec.dashboard_uid,
        title=words(f"{title} ({spec.service}): SLOs"),
        description=f"Compiled from the spec {words(spec.path)}. Edits here are lost: change the spec.",
        tags=_tags(spec),
        panels=place(rows),
        annotations=list(_annotations(spec)),
        links=[*_links(spec, context), to_overview(context.dashboards.fleet)],
    )


def _tags(spec: Spec) -> list[str]:
    engine = spec.engine.name if spec.engine is not None else ""
    facts = {"service": spec.service, "class": dict(spec.slos[0].info).get("class", ""), "engine": engine}
    return ["slo", "llm-inference", *(words(f"{key}:{value}") for key, value in facts.items() if value)]


def _annotations(spec: Spec) -> Iterator[Json]:
    burning = Matcher("alertname", "=~", any_of([names.ALERT_PAGE, names.ALERT_TICKET]))
    firing = Matcher("alertstate", "=", "firing")
    tier = spec.own_label("tier")
    yield annotation(
        "Burn alerts",
        queries.alerts(spec, burning, firing),
        colour="red",
        title=f"{{{{alertname}}}} {{{{{tier}}}}}",
        text="{{slo_id}}",
        tags=f"severity,{tier}",
    )
    # Twice the slow step, at which targets are recorded.
    changed = f"changes({queries.of_all(spec.slos, names.TARGET)}[{2 * spec.steps.slow}s]) > 0"
    yield annotation("Objective changed", changed, colour="blue", title="The target changed", text="{{slo_id}}")
    watched = next((source.target_matchers for source in spec.sources if source.target_matchers), ())
    if spec.engine is not None and watched:
        label = spec.engine.replica_label
        started = f"changes({queries.targets(watched, 'process_start_time_seconds')}[{_RESTARTS_WINDOW}]) > 0"
        yield annotation(
            "Engine restarts", started, colour="purple", title="A replica restarted", text=f"{{{{{label}}}}}"
        )


def _links(spec: Spec, context: Context) -> Iterator[Json]:
    links = context.links
    wanted = {
        "Runbook": spec.runbook_url,
        "Spec in git": spec.spec_url,
        "Traces": links.traces,
        "Alerts in Prometheus": f"{links.prometheus.rstrip('/')}/alerts?search={spec.engine_id}"
        if links.prometheus
        else "",
    }
    for title, url in wanted.items():
        if url:
            yield from link(title, url)
