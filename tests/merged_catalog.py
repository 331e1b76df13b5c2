"""The shipped documents of the catalog together, and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from slo_compiler.catalog import Adjustments, Catalog, CatalogSpec, ExperienceClass, TrafficProfile, UseCase

Entry = TypeVar("Entry")


def merge_catalog(documents: Iterable[CatalogSpec]) -> Catalog:
    """Joins documents that together make up one catalog.

    Raises:
        ValueError: two documents define one name or give one source key two titles, no document has the
            adjustments, or a use case names a class or a profile that no document defines.
    """
    sources: dict[str, str] = {}
    classes: dict[str, ExperienceClass] = {}
    profiles: dict[str, TrafficProfile] = {}
    use_cases: dict[str, UseCase] = {}
    adjustments: list[Adjustments] = []
    for spec in documents:
        for key, title in spec.sources.items():
            if sources.setdefault(key, title) != title:
                raise ValueError(f"source {key} is both {sources[key]!r} and {title!r}")
        _add_new(classes, spec.experience_classes, "experience class")
        _add_new(profiles, spec.traffic_profiles, "traffic profile")
        _add_new(use_cases, spec.use_cases, "use case")
        if spec.adjustments is not None:
            adjustments.append(spec.adjustments)
    if len(adjustments) != 1:
        raise ValueError(f"one document must have the adjustments, {len(adjustments)} do")
    for name, use_case in use_cases.items():
        if use_case.experience_class.value not in classes:
            raise ValueError(f"use case {name}: no experience class {use_case.experience_class.value!r}")
        if use_case.traffic_profile.value not in profiles:
            raise ValueError(f"use case {name}: no traffic profile {use_case.traffic_profile.value!r}")
    return Catalog(sources, classes, profiles, use_cases, adjustments[0])


def _add_new(known: dict[str, Entry], entries: Mapping[str, Entry], kind: str) -> None:
    for name, entry in entries.items():
        if known.setdefault(name, entry) is not entry:
            raise ValueError(f"{kind} {name} is defined twice")
