"""OpenSLO's `DataSource`: where metrics are queried."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from slo_compiler.documents.openslo.metadata import Metadata
from slo_compiler.documents.openslo.parts import Description, NonEmpty, Part


class DataSourceSpec(Part):
    """The kind of source and how it is reached.

    Attributes:
        type: such as Prometheus; case does not count.
        connection_details: any YAML. It may hold secrets: nothing of it is ever printed.
    """

    description: Description | None = None
    type: NonEmpty
    connection_details: Any = Field(repr=False)


class DataSource(Part):
    """A source of metrics that indicators name."""

    api_version: Literal["openslo/v1"]
    kind: Literal["DataSource"]
    metadata: Metadata
    spec: DataSourceSpec
