"""The catalog that ships: the documents under `builtin/catalog/`.

Each is read when something of it is first asked for: a spec names a class or a use case, and seldom an adjustment. The
tests hold the files against `documents.catalog`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from slo_compiler.catalog import Adjustments, Catalog, CatalogSpec
from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path

Entry = TypeVar("Entry")

# Section -> the file that holds it.
_FILES = {
    "adjustments": "adjustments.yaml",
    "experience_classes": "classes.yaml",
    "traffic_profiles": "profiles.yaml",
    "use_cases": "use-cases.yaml",
}


@cache
def _shipped(section: str) -> CatalogSpec:
    """The document that holds a section of the built-in catalog."""
    return CatalogSpec.read(read_trusted(builtin_path("catalog", _FILES[section]).read_bytes())["spec"])


class _ShippedEntries(Mapping[str, Entry]):
    """Entries by name, read when one is first asked for."""

    def __init__(self, read: Callable[[], Mapping[str, Entry]]) -> None:
        self._read = read

    def __getitem__(self, name: str) -> Entry:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class _ShippedAdjustments(Adjustments):
    """The parameters, read when one is first asked for."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__.update(vars(_shipped("adjustments").adjustments))
        return object.__getattribute__(self, name)


@cache
def load_builtin_catalog() -> Catalog:
    """The catalog that ships with the package, each file of which is read once, when first asked for.

    Raises:
        OSError: on access, where the files are not there, which is a fault of the installation.
    """
    return Catalog(
        _ShippedEntries(
            cache(lambda: {key: title for name in _FILES for key, title in _shipped(name).sources.items()})
        ),
        _ShippedEntries(lambda: _shipped("experience_classes").experience_classes),
        _ShippedEntries(lambda: _shipped("traffic_profiles").traffic_profiles),
        _ShippedEntries(lambda: _shipped("use_cases").use_cases),
        _ShippedAdjustments(),
    )
