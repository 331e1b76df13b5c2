"""What each SLI is: `builtin/slis.yaml` as values."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

import yaml
from pydantic import Field

from slo_compiler.documents.base import Model
from slo_compiler.resources import builtin_path

# Fields that every objective may have.
_COMMON_FIELDS = ("name", "sli", "target", "mode")


class Sli(Model):
    """A service level indicator: what is counted, where it is looked for, and what its breach feels like."""

    name: str
    title: str
    kind: Literal["histogram", "counters"]
    roles: tuple[str, ...] = ()
    counts: Literal["requests", "tokens", "events", "documents"]
    breach: str | None = None
    fields: tuple[str, ...]
    tiers: tuple[str, ...] = ()
    user: Annotated[str, Field(min_length=1)]


@cache
def load_slis() -> dict[str, Sli]:
    """All SLIs by name.

    Raises:
        ValueError: the file is broken, which is a fault of the package.
    """
    document = yaml.load(builtin_path("slis.yaml").read_bytes(), Loader=yaml.CBaseLoader)
    return {
        name: Sli.model_validate({**entry, "name": name, "fields": [*_COMMON_FIELDS, *entry["fields"]]})
        for name, entry in document["slis"].items()
    }
