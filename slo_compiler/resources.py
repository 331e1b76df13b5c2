"""Locates the files that ship with the package: the only code that knows where they lie."""

from __future__ import annotations

from pathlib import Path

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
