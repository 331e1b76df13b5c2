"""Locates the files that ship with the package: the only code that knows where they lie."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PACKAGE = Path(__file__).parent


def builtin_path(*parts: str) -> Path:
    """A file or folder of facts under `slo_compiler/builtin/`."""
    return _PACKAGE.joinpath("builtin", *parts)


def template_path(*parts: str) -> Path:
    """A file or folder of templates: inside an installed wheel, or at the top of a checkout."""
    return _shipped("templates", parts)


def schema_path(*parts: str) -> Path:
    """A file or folder of JSON Schemas: inside an installed wheel, or at the top of a checkout."""
    return _shipped("schemas", parts)


def _shipped(name: str, parts: tuple[str, ...]) -> Path:
    installed = _PACKAGE / f"_{name}"
    root = installed if installed.is_dir() else _PACKAGE.parent / name
    return root.joinpath(*parts)


@cache
def zone_names() -> frozenset[str]:
    """The names of all time zones of the `tzdata` package, which is the same on every machine."""
    return frozenset(_zones().joinpath("zones").read_text("utf-8").split())


def zone_bytes(name: str) -> bytes:
    """The compiled file of a zone that is one of `zone_names`."""
    return _zones().joinpath("zoneinfo", *name.split("/")).read_bytes()


def _zones() -> Traversable:
    from importlib.resources import files  # few runs need it

    return files("tzdata")
