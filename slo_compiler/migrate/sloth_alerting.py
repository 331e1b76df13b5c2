"""What of Sloth's `alerting` has a place: labels of all alerts and the runbook; everything else is named."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

import yaml

from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import Job, text_of
from slo_compiler.migrate.sloth_dialects import Dialect
from slo_compiler.migrate.source import Entry
from slo_compiler.migrate.tree import Kept, Value
from slo_compiler.promql.names import ALERT_PAGE, ALERT_TICKET
from slo_compiler.resolve.identity import PREFIX

_URL = re.compile(r"https?://[!-~]+")
_RUNBOOKS = ("runbook", "runbook_url", "runbookUrl", "runbook_link")
_FIXED_NAMES = f"all alerts are named {ALERT_PAGE} and {ALERT_TICKET}"
_ROUTES = "route by slo_id and severity in Alertmanager"


def alerting_of(
    alerting: Fields | None, dialect: Dialect, job: Job
) -> tuple[list[Fields], Value | None, tuple[Entry, ...]]:
    """Labels for all alerts, the runbook with its origin; everything else is named."""
    if alerting is None:
        return [], None, ()
    alerting.drop("name", _FIXED_NAMES, _ROUTES)
    levels = [("", alerting)]
    for name, severity in ((dialect.page_alert, "page"), (dialect.ticket_alert, "ticket")):
        alert = alerting.inner(name)
        if alert is None:
            continue
        levels.append((severity, alert))
        if alert.flag("disable"):
            message = (
                f"{alert.path('disable')} is not carried over: an OpenSLO document has no switch for {severity} alerts"
            )
            entry = alert.entries["disable"]
            job.notices.notice(entry.key or entry.value, message, "silence or route them by severity in Alertmanager")
    shared = _shared_labels([alert for _, alert in levels[1:]])
    labels = [found for found in (alerting.inner("labels"), shared) if found is not None]
    for severity, alert in levels[1:]:
        _name_alert_labels(alert, severity, shared.entries if shared is not None else {}, job)
    runbook, origins = _annotations([alert for _, alert in levels], job)
    for _, alert in levels:
        alert.rest(("labels", "annotations"))
    return labels, runbook, origins


def _shared_labels(alerts: Sequence[Fields]) -> Fields | None:
    """The labels that page and ticket have alike: those can stand on all alerts."""
    found = [alert.inner("labels") for alert in alerts]
    page, ticket = found if len(found) == 2 else (None, None)
    if page is None or ticket is None:
        return None
    alike = {
        key
        for key in page.entries.keys() & ticket.entries.keys()
        if page.entries[key].value.value == ticket.entries[key].value.value and key != "severity"
    }
    page.entries = {key: entry for key, entry in page.entries.items() if key in alike}
    return page


def _name_alert_labels(alert: Fields, severity: str, shared: Container[str], job: Job) -> None:
    labels = alert.inner("labels")
    for key, entry in (labels.entries if labels is not None else {}).items():
        assert labels is not None
        if key in shared:
            continue
        why, hint = "labels stand on all alerts of an SLO", _ROUTES
        if key == "severity" and isinstance(entry.value, yaml.ScalarNode):
            why = "the configuration names severities"
            hint = f"severities: {{{severity}: {entry.value.value}}} in slo-compiler.yaml"
        job.notices.notice(entry.key or entry.value, f"{labels.path(key)} is not carried over: {why}", hint)


def _annotations(levels: Sequence[Fields], job: Job) -> tuple[Value | None, tuple[Entry, ...]]:
    """The first runbook address; every other annotation is named."""
    runbook: Value | None = None
    origins: tuple[Entry, ...] = ()
    for level in levels:
        annotations = level.inner("annotations")
        for key, entry in (annotations.entries if annotations is not None else {}).items():
            assert annotations is not None
            text = str(entry.value.value)
            if key in _RUNBOOKS and isinstance(entry.value, yaml.ScalarNode) and _URL.fullmatch(text):
                if runbook is None:
                    runbook, origins = Kept(entry.value), (entry,)
                if text_of(runbook) == text:
                    continue
                message, hint = "an SLO has one runbook", "name it in the other one"
            elif key in _RUNBOOKS:
                message, hint = f"{text!r} is no http(s) address", f"{PREFIX}runbook: https://runbooks.example.com/chat"
            else:
                message, hint = "the compiler writes the annotations of its alerts", "write it into the runbook"
            job.notices.notice(
                entry.key or entry.value, f"{annotations.path(key)} is not carried over: {message}", hint
            )
    return runbook, origins
