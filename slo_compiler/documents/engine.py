"""The `Engine` document: the metrics of a program, by version."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from slo_compiler.documents.base import Model
from slo_compiler.documents.metadata import Metadata

Role = Literal[
    "ttft",
    "itl",
    "tpot",
    "tpot_request_mean",
    "e2e",
    "queue_time",
    "queue_depth",
    "running",
    "kv_cache_usage",
    "prompt_tokens",
    "generation_tokens",
    "requests_success",
    "requests_total",
]
# A comparison per part, all of which must hold: `>=0.8.0,<0.12.0`.
VersionRange = Annotated[str, Field(pattern=r"^(>=|<|==)[0-9.]+(,(>=|<)[0-9.]+)?$")]


class Buckets(Model):
    """The edges of a histogram in a range of versions, by the name of their set."""

    set: str
    versions: VersionRange | None = None


class EngineLabel(Model):
    """A label that the program itself puts on its series."""

    name: str
    versions: VersionRange | None = None


class Metric(Model):
    """A metric in one role.

    Attributes:
        versions: in which it is exposed by default; all where absent.
        labels: beside the engine's own; `own_labels` instead of the engine's.
    """

    role: Role
    name: str
    type: Literal["histogram", "counter", "gauge"]
    unit: Literal["seconds", "requests", "tokens", "ratio"]
    versions: VersionRange | None = None
    labels: list[str] = Field(default_factory=list)
    own_labels: list[str] | None = None
    buckets: list[Buckets] = Field(default_factory=list)
    notes: str = ""


class Versions(Model):
    """The releases that were looked at, ascending."""

    known: Annotated[list[str], Field(min_length=1)]


class Configurable(Model):
    """From which version the buckets can be changed, and how."""

    versions: VersionRange
    how: str


class Availability(Model):
    """Failed requests as the engine itself counts them."""

    total: str
    bad: dict[str, str]
    matchers: dict[str, str] = Field(default_factory=dict)
    why: str = ""


class EngineSpec(Model):
    """Everything that the rules need to know of a program's metrics."""

    source: str
    metrics_path: str = "/metrics"
    model_label: str | None = None
    finish_label: str | None = None
    le_format: Literal["python_float", "go", "shortest_roundtrip_float"]
    gateway: bool = False
    versions: Versions
    labels: list[EngineLabel] = Field(default_factory=list)
    buckets_configurable: Configurable | None = None
    sees: list[str] = Field(default_factory=list)
    blind_spots: list[str] = Field(default_factory=list)
    availability: Availability | None = None
    bucket_sets: dict[str, list[Decimal]] = Field(default_factory=dict)
    metrics: Annotated[list[Metric], Field(min_length=1)]


class Engine(Model):
    """The metrics of a program."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["Engine"]
    metadata: Metadata
    spec: EngineSpec
