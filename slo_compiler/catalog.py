"""The catalog as one value: the documents under `builtin/catalog/` go in, a frozen `Catalog` comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import yaml

from slo_compiler.documents.catalog import (
    Adjustments,
    ExperienceCatalog,
    ExperienceClass,
    TrafficProfile,
    UseCase,
)
from slo_compiler.resources import builtin_path

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Catalog:
    """Classes, use cases, traffic profiles and formula parameters by name; every leaf is a `Sourced` value."""

    sources: Mapping[str, str]
    experience_classes: Mapping[str, ExperienceClass]
    traffic_profiles: Mapping[str, TrafficProfile]
    use_cases: Mapping[str, UseCase]
    adjustments: Adjustments

    def source_title(self, key: str) -> str:
        """The title of a source.

        Args:
            key: the key that a `Sourced` value carries, such as `A`.

        Raises:
            KeyError: the catalog has no such source.
        """
        return self.sources[key]


@cache
def load_builtin_catalog() -> Catalog:
    """The catalog that ships with the package; the files are read once.

    Raises:
        ValueError: a file is not what `merge_catalog` takes, which is a fault of the package.
        OSError: the files are not there, which is a fault of the installation.
    """
    return merge_catalog(
        ExperienceCatalog.model_validate(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader))
        for path in sorted(builtin_path("catalog").glob("*.yaml"))
    )


def merge_catalog(documents: Iterable[ExperienceCatalog]) -> Catalog:
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
    for document in documents:
        spec = document.spec
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
