"""`openslo/v1alpha` SLO to `openslo/v1`.

Fields: OpenSLO/go-sdk, pkg/openslo/v1alpha; the specification's README before v0.1.0-beta; the loader of slok/sloth
(internal/storage/io/openslo.go), which reads a window that does not say whether it is rolling as rolling, and no
window as 30 days.
"""

from __future__ import annotations

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.metadata import slug
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import OPENSLO, QUERY_YIELDS, Job, document, text_of
from slo_compiler.migrate.source import Entry
from slo_compiler.migrate.tree import Field, Item, Items, Mapping, Value
from slo_compiler.migrate.v1alpha_objectives import indicator_of, objective_of, ratio_of
from slo_compiler.migrate.v1alpha_objects import metadata_of, policies_of
from slo_compiler.migrate.v1alpha_windows import window_of

_METHODS = {"occurrences": "Occurrences", "timeslices": "Timeslices"}
# Where each field of the source's spec stands in the new one; the others are added before the objectives.
_PLACES = {"timeWindows": "timeWindow", "timeWindow": "timeWindow"}


def migrate_slo(root: Fields, job: Job) -> list[Mapping]:
    """An SLO as one for each of its objectives: in v1 an SLO has one indicator, here every objective may have its own."""
    heads = [entry for name in ("apiVersion", "kind") if (entry := root.text(name)) is not None]
    metadata = root.inner("metadata", "metadata: {name: my-slo}")
    spec = root.inner("spec", "spec: {service: my-service, ...}")
    root.rest()
    if metadata is None or spec is None:
        return []
    name, service = metadata.text("name", "name: my-slo"), spec.text("service", "service: my-service")
    service_name = job.name(service, spec.path("service")) if service is not None else None
    items = spec.items("objectives", "objectives: [{target: 0.99, ratioMetrics: {...}}]")
    objectives = [Fields(item.value, f"spec.objectives[{number}]", job.notices) for number, item in enumerate(items)]
    if not objectives and "objectives" in spec.entries:
        job.notices.error(Code.SLO202, spec.node, "spec.objectives holds none", "objectives: [{target: 0.99, ...}]")
    if len(objectives) > 1:
        message = f"{len(objectives)} objectives become an SLO each: in {OPENSLO} an SLO has one indicator"
        hint = "alerts and dashboards go by the new names"
        job.notices.notice((spec.entry("objectives")[0].key or spec.node), message, hint)
    found = []
    suffixes = _suffixes(objectives)
    for number, objective in enumerate(objectives):
        own_name = None
        if name is not None and service_name is not None:
            own_name = job.own_name(name, metadata.path("name"), text_of(service_name), suffixes[number])
        made = _slo(metadata, spec, objective, items[number], own_name, service_name, job)
        if made is None or own_name is None:
            continue
        own_metadata = metadata_of(metadata, job, name=own_name)
        if own_metadata is None:
            continue
        new_spec, yields = made
        if yields is not None:
            _annotate(own_metadata, yields)
        new = document(OPENSLO, "SLO", own_metadata, new_spec, *heads[:1])
        new.fields[1].origins = tuple(heads[1:])
        new.fields[2].origins, new.fields[3].origins = root.entry("metadata"), root.entry("spec")
        found.append(new)
    return found


def _annotate(metadata: Mapping, yields: str) -> None:
    for field in metadata.fields:
        if field.key == "annotations" and isinstance(field.value, Mapping):
            field.value.put(QUERY_YIELDS, yields)
            return
    metadata.put("annotations", Mapping([Field(QUERY_YIELDS, yields)]))


def _suffixes(objectives: list[Fields]) -> list[str]:
    """What tells the SLOs of several objectives apart: their display names, else the numbers that Sloth gives them."""
    if len(objectives) < 2:
        return [""] * len(objectives)
    names = []
    for objective in objectives:
        entry = objective.text("displayName")
        names.append(slug(str(entry.value.value))[:20].rstrip("-") if entry is not None else "")
    if all(names) and len(set(names)) == len(names):
        return names
    return [str(number) for number in range(len(objectives))]


def _slo(
    metadata: Fields, spec: Fields, objective: Fields, item: Entry, name: Value | None, service: Value | None, job: Job
) -> tuple[Mapping, str | None] | None:
    """The spec of one objective, its fields in the source's order."""
    method = _method(spec, job)
    window = window_of(spec, job)
    indicator, yields = indicator_of(spec, objective, name, job)
    measures = "ratio" if ratio_of(objective) is not None else "threshold" if "indicator" in spec.entries else ""
    made_objective = objective_of(objective, method, job, measures=measures)
    policies = policies_of(spec, "alertPolicies", job)
    values: dict[str, tuple[Value | None, tuple[Entry, ...]]] = {
        "description": (job.description(spec), spec.entry("description")),
        "service": (service, spec.entry("service")),
        "indicator": (indicator, spec.entry("indicator")),
        "budgetingMethod": (Plain(method), spec.entry("budgetingMethod")),
        "timeWindow": (window, spec.entry("timeWindows") or spec.entry("timeWindow")),
        "objectives": (Items([Item(made_objective, (item,))]), spec.entry("objectives")),
        "alertPolicies": (policies, spec.entry("alertPolicies")),
    }
    spec.rest()
    if indicator is None or service is None:
        return None
    order = list(dict.fromkeys(_PLACES.get(key, key) for key in spec.entries if _PLACES.get(key, key) in values))
    added = [key for key in values if key not in order]
    at = order.index("objectives")
    made = Mapping()
    for key in [*order[:at], *(key for key in added if key != "alertPolicies"), *order[at:]]:
        value, origins = values[key]
        made.put(key, value, *origins)
    return made, yields


def _method(spec: Fields, job: Job) -> str:
    entry = spec.text("budgetingMethod")
    if entry is None:
        message = "spec.budgetingMethod is missing; Occurrences is added: good events over all events"
        job.notices.notice(spec.node, message, "budgetingMethod: Occurrences")
        return "Occurrences"
    text = str(entry.value.value)
    known = _METHODS.get(text.lower())
    if known is None:
        hint = did_you_mean(text, _METHODS.values())
        job.notices.error(Code.SLO203, entry.value, f"spec.budgetingMethod: {text!r} is none", hint)
        return "Occurrences"
    return known
