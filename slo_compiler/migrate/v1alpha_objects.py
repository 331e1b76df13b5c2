"""`openslo/v1alpha` Service, and the kinds for alerts of its last drafts, to `openslo/v1`.

Fields: the README of OpenSLO/OpenSLO before v0.1.0-beta; OpenSLO/go-sdk, pkg/openslo/v1alpha.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

import yaml

from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import OPENSLO, Job, document
from slo_compiler.migrate.tree import Field, Item, Items, Kept, Mapping, Value, copy


def migrate_service(root: Fields, job: Job) -> list[Mapping]:
    """A Service: the same fields."""
    return _renamed(root, job, {})


def migrate_alert_policy(root: Fields, job: Job) -> list[Mapping]:
    """An AlertPolicy; its conditions lose their `operator`."""
    return _renamed(root, job, {"conditions": _conditions, "notificationTargets": _targets})


def migrate_alert_condition(root: Fields, job: Job) -> list[Mapping]:
    """An AlertCondition; v1 asks for the kind and the operator."""
    return _renamed(root, job, {"condition": _condition})


def migrate_notification_target(root: Fields, job: Job) -> list[Mapping]:
    """An AlertNotificationTarget: the same fields."""
    return _renamed(root, job, {})


def metadata_of(metadata: Fields, job: Job, name: Value | None = None) -> Mapping | None:
    """The metadata, its name as a DNS label unless `name` gives another."""
    entry = metadata.text("name", "name: my-name")
    display_name = job.display_name(metadata)
    labels, annotations = metadata.inner("labels"), metadata.inner("annotations")
    metadata.rest()
    if entry is None:
        return None
    given = name or job.name(entry, metadata.path("name"))
    if given is None:
        return None
    values = {
        "name": given,
        "displayName": display_name,
        "labels": job.labels([labels], "openslo_"),
        "annotations": job.annotations(annotations),
    }
    made = Mapping()
    for key in [*(key for key in metadata.entries if key in values), *values]:
        if all(made_field.key != key for made_field in made.fields):
            made.put(key, values[key], *metadata.entry(key))
    return made


def policies_of(spec: Fields, name: str, job: Job) -> Items:
    """The alert policies of an SLO: a name alone becomes a reference."""
    found = Items()
    for number, item in enumerate(spec.items(name)):
        path = f"{spec.path(name)}[{number}]"
        if isinstance(item.value, yaml.ScalarNode):
            reference = job.name(item, path)
            if reference is not None:
                found.items.append(Item(Mapping([Field("alertPolicyRef", reference)]), (item,)))
            continue
        inner = Fields(item.value, path, job.notices)
        special = {"conditions": _conditions, "notificationTargets": _targets}
        found.items.append(Item(_reference(inner, "alertPolicyRef", special, job), (item,)))
    return found


def _renamed(root: Fields, job: Job, special: MappingOf[str, object]) -> list[Mapping]:
    """A document whose spec keeps its fields, but for those that `special` has a function for."""
    version, kind = root.text("apiVersion"), root.text("kind")
    metadata, spec = root.inner("metadata", "metadata: {name: my-name}"), root.inner("spec")
    root.rest()
    if metadata is None:
        return []
    made = metadata_of(metadata, job)
    if made is None or kind is None or version is None:
        return []
    new = document(OPENSLO, str(kind.value.value), made, _spec_of(spec, job, special), version)
    new.fields[1].origins = (kind,)
    new.fields[2].origins = root.entry("metadata")
    new.fields[3].origins = root.entry("spec")
    return [new]


def _spec_of(spec: Fields | None, job: Job, special: MappingOf[str, object]) -> Mapping:
    made = Mapping()
    for name, entry in (spec.entries if spec is not None else {}).items():
        assert spec is not None
        spec.take(name)
        make = special.get(name)
        if name == "description":
            made.put(name, job.description(spec), entry)
        elif callable(make):
            made.put(name, make(spec, name, job), entry)
        else:
            made.put(name, copy(entry.value), entry)
    return made


def _conditions(spec: Fields, name: str, job: Job) -> Items:
    found = Items()
    for number, item in enumerate(spec.items(name)):
        inner = Fields(item.value, f"{spec.path(name)}[{number}]", job.notices)
        inner.drop("operator", "a policy has one condition", "remove it")
        found.items.append(Item(_reference(inner, "conditionRef", {"condition": _condition}, job), (item,)))
    return found


def _targets(spec: Fields, name: str, job: Job) -> Items:
    found = Items()
    for number, item in enumerate(spec.items(name)):
        inner = Fields(item.value, f"{spec.path(name)}[{number}]", job.notices)
        found.items.append(Item(_reference(inner, "targetRef", {}, job), (item,)))
    return found


def _reference(inner: Fields, name: str, special: MappingOf[str, object], job: Job) -> Mapping:
    """An object by its name, or written out; v1 wants no apiVersion there."""
    made = Mapping()
    reference = inner.text(name)
    if reference is not None:
        made.put(name, job.name(reference, inner.path(name)), reference)
        inner.rest()
        return made
    kind = inner.text("kind", f"{name}: my-name")
    inner.take("apiVersion")
    metadata, spec = inner.inner("metadata", "metadata: {name: my-name}"), inner.inner("spec", "spec: {...}")
    inner.rest()
    if kind is not None and metadata is not None:
        made.put("kind", Kept(kind.value), kind)
        made.put("metadata", metadata_of(metadata, job), *inner.entry("metadata"))
        made.put("spec", _spec_of(spec, job, special), *inner.entry("spec"))
    return made


def _condition(spec: Fields, name: str, job: Job) -> Mapping:
    condition = spec.inner(name)
    made = Mapping()
    if condition is None:
        return made
    for key, value, why in (("kind", "burnrate", ""), ("op", "gt", "v1alpha alerted above the threshold")):
        entry = condition.text(key)
        if entry is None:
            made.put(key, Plain(value))
            if why:
                job.notices.notice(condition.node, f"{condition.path(key)}: {value} is added: {why}", f"{key}: {value}")
        else:
            made.put(key, Kept(entry.value), entry)
    for key, entry in condition.entries.items():
        if key not in ("kind", "op") and condition.take(key) is not None:
            made.put(key, copy(entry.value), entry)
    return made
