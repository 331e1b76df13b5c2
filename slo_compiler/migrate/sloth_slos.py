"""Sloth's `prometheus/v1` and its Kubernetes kind `PrometheusServiceLevel` to an `openslo/v1` SLO each.

Fields: slok/sloth, pkg/prometheus/api/v1/v1.go and pkg/kubernetes/api/sloth/v1/types.go; which labels win and what an
SLI of two queries means: internal/storage/io/sloth.go; the period of 30 days: `--default-slo-period`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from slo_compiler.diagnostics.codes import Code
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import OPENSLO, QUERY_YIELDS, Job, document, has_window, text_of
from slo_compiler.migrate.sloth_alerting import alerting_of
from slo_compiler.migrate.sloth_dialects import CAMEL, SNAKE, Dialect
from slo_compiler.migrate.source import Entry
from slo_compiler.migrate.tree import Field, Item, Items, Kept, Mapping, Value
from slo_compiler.promql.ratios import split_ratio
from slo_compiler.promql.selectors import NotASelector
from slo_compiler.resolve.identity import PREFIX

_PERIOD = "30d"
_EXAMPLE_QUERY = "sum(rate(requests_total[{{.window}}]))"


def migrate_prometheus(root: Fields, job: Job) -> list[Mapping]:
    """A `prometheus/v1` document as one SLO for each of its `slos`."""
    version = root.text("version")
    return _slos(root, SNAKE, job, [] if version is None else [version])


def migrate_service_level(root: Fields, job: Job) -> list[Mapping]:
    """A `PrometheusServiceLevel` as one SLO for each of its `slos`."""
    heads = [entry for name in ("apiVersion", "kind") if (entry := root.text(name)) is not None]
    metadata = root.inner("metadata")
    if metadata is not None:
        metadata.drop("name", "every SLO is named by its own entry in slos", "name the file after it")
        metadata.drop(
            "namespace",
            "rules have no namespace of their own",
            "outputs: {prometheusRule: {namespace: ...}} in slo-compiler.yaml, with flavour: prometheus-operator",
        )
        metadata.drop(
            "labels",
            "they are labels of the Kubernetes object",
            "outputs: {prometheusRule: {labels: {...}}} in slo-compiler.yaml, with flavour: prometheus-operator",
        )
        metadata.rest()
    root.drop("status", "the operator writes it", "remove it")
    spec = root.inner("spec", "spec: {service: my-service, slos: [...]}")
    root.rest()
    return [] if spec is None else _slos(spec, CAMEL, job, heads)


def _slos(group: Fields, dialect: Dialect, job: Job, heads: Sequence[Entry]) -> list[Mapping]:
    service = group.text("service", "service: my-service")
    labels = group.inner("labels")
    _drop_plugins(group, dialect.slo_plugins)
    items = group.items("slos", "slos: [{name: availability, objective: 99.9, ...}]")
    if not items and "slos" in group.entries and not job.notices.failed:
        job.notices.error(Code.SLO202, group.node, f"{group.path('slos')} holds no SLO", "slos: [{name: ...}]")
    group.rest()
    if service is None:
        return []
    found = []
    for number, item in enumerate(items):
        slo = Fields(item.value, f"{group.path('slos')}[{number}]", job.notices)
        made = _slo(slo, dialect, job, service, labels, group)
        if made is not None:
            made.fields[0].origins = (*(heads if number == 0 else ()), item)
            found.append(made)
    return found


def _slo(
    slo: Fields, dialect: Dialect, job: Job, service: Entry, labels: Fields | None, group: Fields
) -> Mapping | None:
    service_name = job.name(service, group.path("service"))
    name_entry = slo.text("name", "name: availability")
    own_labels = slo.inner("labels")
    _drop_plugins(slo, "plugins")
    description = job.description(slo)
    target = _target(slo, job)
    ratio, yields = _ratio(slo, dialect, job)
    alerting = slo.inner("alerting")
    alert_labels, runbook, runbook_entries = alerting_of(alerting, dialect, job)
    slo.rest()
    if name_entry is None or service_name is None or target is None or ratio is None:
        return None
    name = job.own_name(name_entry, slo.path("name"), text_of(service_name))
    if name is None:
        return None
    metadata = Mapping()
    metadata.put("name", name, name_entry)
    metadata.put(
        "labels",
        job.labels([labels, own_labels, *alert_labels], "sloth_"),
        *group.entry("labels"),
        *slo.entry("labels"),
    )
    annotations = Mapping()
    annotations.put(f"{PREFIX}runbook", runbook, *runbook_entries)
    annotations.put(QUERY_YIELDS, yields)
    metadata.put("annotations", annotations)
    indicator = Mapping()
    indicator.put("metadata", Mapping([Field("name", text_of(name))]))
    indicator.put("spec", Mapping([ratio]))
    spec = Mapping()
    spec.put("description", description, *slo.entry("description"))
    spec.put("service", service_name, service)
    spec.put("indicator", indicator, *slo.entry("sli"))
    spec.put("budgetingMethod", Plain("Occurrences"))
    window = Mapping([Field("duration", Plain(_PERIOD)), Field("isRolling", Plain("true"))])
    spec.put("timeWindow", Items([Item(window)]))
    objective = Mapping([Field("targetPercent", target, slo.entry("objective"))])
    spec.put("objectives", Items([Item(objective)]))
    return document(OPENSLO, "SLO", metadata, spec)


def _target(slo: Fields, job: Job) -> Value | None:
    entry = slo.text("objective", "objective: 99.9")
    if entry is None:
        return None
    text = str(entry.value.value)
    path = slo.path("objective")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        job.notices.error(Code.SLO203, entry.value, f"{path}: {text!r} is no number", "objective: 99.9")
    elif number >= 100:
        message = f"{path}: {text} leaves no error budget; OpenSLO takes percentages under 100"
        job.notices.error(Code.SLO203, entry.value, message, "objective: 99.99")
    elif number <= 0:
        job.notices.error(Code.SLO203, entry.value, f"{path}: {text} promises nothing", "objective: 99.9")
    else:
        return Plain(text)
    return None


def _ratio(slo: Fields, dialect: Dialect, job: Job) -> tuple[Field | None, str | None]:
    """The ratioMetric of an SLI, and what its queries yield where the compiler must be told."""
    sli = slo.inner("sli", f"sli: {{events: {{{dialect.error_query}: ..., {dialect.total_query}: ...}}}}")
    if sli is None:
        return None, None
    events, raw, plugin = sli.inner("events"), sli.inner("raw"), sli.inner("plugin")
    sli.rest()
    given = [name for name, part in (("events", events), ("raw", raw), ("plugin", plugin)) if part is not None]
    if len(given) != 1:
        message = f"{sli.where} needs one of events, raw and plugin" + (f", not {' and '.join(given)}" if given else "")
        job.notices.error(Code.SLO202 if not given else Code.SLO203, sli.node, message, "keep one of them")
        return None, None
    if plugin is not None:
        identity = plugin.text("id")
        message = f"{sli.path('plugin')}: a plugin's query is not in the file, and cannot be carried over"
        hint = (
            f"write the two queries that it makes: events: {{{dialect.error_query}: ..., {dialect.total_query}: ...}}"
        )
        node = identity.value if identity is not None else plugin.node
        job.notices.error(Code.SLO206, node, message, hint)
        return None, None
    if events is not None:
        return _events(events, sli.entry("events"), dialect, job)
    assert raw is not None
    return _raw(raw, sli.entry("raw"), dialect, job)


def _events(events: Fields, origins: tuple[Entry, ...], dialect: Dialect, job: Job) -> tuple[Field | None, str | None]:
    queries = []
    for name in (dialect.error_query, dialect.total_query):
        entry = events.text(name, f"{name}: {_EXAMPLE_QUERY}")
        if entry is not None and not has_window(entry):
            message = f"{events.path(name)} has no [{{{{.window}}}}]"
            job.notices.error(Code.SLO203, entry.value, message, _EXAMPLE_QUERY)
            entry = None
        queries.append(entry)
    events.rest()
    error, total = queries
    if error is None or total is None:
        return None, None
    if str(error.value.value).split() == str(total.value.value).split():
        message = f"{events.path(dialect.error_query)} is the same as {dialect.total_query}: every event would be bad"
        job.notices.error(Code.SLO203, error.value, message, "it must select a part of the total")
        return None, None
    yields = job.yields(error, total, error)
    return _ratio_metric("bad", Kept(error.value), (error,), Kept(total.value), (total,), origins), yields


def _raw(raw: Fields, origins: tuple[Entry, ...], dialect: Dialect, job: Job) -> tuple[Field | None, str | None]:
    """An error ratio: split into its sides where it is a quotient, else carried as a stored ratio."""
    entry = raw.text(dialect.error_ratio_query, f"{dialect.error_ratio_query}: ...")
    raw.rest()
    if entry is None:
        return None, None
    path = raw.path(dialect.error_ratio_query)
    if not has_window(entry):
        job.notices.error(Code.SLO203, entry.value, f"{path} has no [{{{{.window}}}}]", _EXAMPLE_QUERY)
        return None, None
    try:
        sides = split_ratio(str(entry.value.value))
    except NotASelector as fault:
        job.notices.error(Code.SLO203, entry.value, f"{path}: {fault}", _EXAMPLE_QUERY)
        return None, None
    if sides is None:
        message = f"{path}: a ratio that is no quotient of two queries has no events to count; carried as raw"
        hint = f"write events: {{{dialect.error_query}: ..., {dialect.total_query}: ...}} instead"
        job.notices.notice(entry.value, message, hint)
        metric = Mapping([Field("raw", _metric(Kept(entry.value)), (entry,)), Field("rawType", Plain("failure"))])
        return Field("ratioMetric", metric, origins), None
    kind, part, total = sides
    part_is = "bad" if kind == "quotient" else "good"
    yields = job.yields(part, total, entry)
    job.notices.notice(
        entry.value,
        f"{path} is split: what it divides are the {part_is} events, what it divides by all events",
        "check that both count events",
    )
    return _ratio_metric(part_is, part, (entry,), total, (), origins), yields


def _ratio_metric(
    part_is: str,
    part: Value,
    part_origins: tuple[Entry, ...],
    total: Value,
    total_origins: tuple[Entry, ...],
    origins: tuple[Entry, ...],
) -> Field:
    metric = Mapping()
    metric.put(part_is, _metric(part, *part_origins))
    metric.put("total", _metric(total, *total_origins))
    return Field("ratioMetric", metric, origins)


def _metric(query: Value, *origins: Entry) -> Mapping:
    source = Mapping([Field("type", Plain("Prometheus")), Field("spec", Mapping([Field("query", query, origins)]))])
    return Mapping([Field("metricSource", source)])


def _drop_plugins(fields: Fields, name: str) -> None:
    fields.drop(name, "plugins of Sloth do not run here", "remove them")
