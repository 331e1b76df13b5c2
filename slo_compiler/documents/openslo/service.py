"""OpenSLO's `Service`: what SLOs are grouped by."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slo_compiler.documents.openslo.metadata import Metadata
from slo_compiler.documents.openslo.parts import Description, Part


class ServiceSpec(Part):
    """What the service is."""

    description: Description | None = None


class Service(Part):
    """A service that SLOs belong to."""

    api_version: Literal["openslo/v1"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec = Field(default_factory=ServiceSpec)
