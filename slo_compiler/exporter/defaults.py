"""What is usual for a role or a label, from `builtin/exporter.yaml`; engine documents say what is not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path


class Usual(NamedTuple):
    """What a metric of a role shows, and which moments of a request reach it; none of a gauge that shows a state."""

    shows: str
    reached_by: tuple[str, ...]


class Defaults(NamedTuple):
    """By role, the name of the served model, and by name of a label."""

    roles: Mapping[str, Usual]
    model: str
    labels: Mapping[str, str]


@cache
def load_defaults() -> Defaults:
    """The content of the file, which is read once.

    Raises:
        KeyError: the file is not what it should be, which is a fault of the package.
        OSError: the file is not there, which is a fault of the installation.
    """
    data = read_trusted(builtin_path("exporter.yaml").read_bytes())
    roles = {role: Usual(entry["shows"], tuple(entry.get("reachedBy", ()))) for role, entry in data["roles"].items()}
    return Defaults(roles, data["model"], data["labels"])
