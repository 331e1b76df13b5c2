"""Outputs that are written only where the configuration has an entry for them, even one without a field."""

from typing import Annotated, Literal

from pydantic import Field

from slo_compiler.documents.base import Model
from slo_compiler.documents.config import WebAddress
from slo_compiler.documents.metadata import DnsLabel


class Receivers(Model):
    """Who gets alerts, by severity: names of receivers."""

    page: Annotated[str, Field(min_length=1)] = "slo-page"
    ticket: Annotated[str, Field(min_length=1)] = "slo-ticket"
    info: Annotated[str, Field(min_length=1)] = "slo-info"


class AlertmanagerOutput(Model):
    """A configuration of Alertmanager; written where this stands in the configuration, even without a field."""

    receivers: Receivers = Field(default_factory=Receivers)


class AutoscalingOutput(Model):
    """ScaledObjects of KEDA for the specs that ask for one; written where this stands in the configuration.

    Attributes:
        server_address: of the Prometheus that evaluates the rules, as KEDA reaches it.
        namespace: of workloads whose spec selects no namespace.
        labels: metadata of the objects.
        authentication: the name of a TriggerAuthentication, where the server asks for one.
    """

    server_address: WebAddress
    namespace: DnsLabel | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    authentication: DnsLabel | None = None


class MonitorsOutput(Model):
    """How the engines of specs that say where they are get scraped; written where this stands in the configuration.

    Attributes:
        kind: an object of the Prometheus operator, or `scrape_configs` of Prometheus itself.
        namespace, labels: metadata of the objects.
    """

    kind: Literal["ServiceMonitor", "PodMonitor", "scrape-config"] = "ServiceMonitor"
    namespace: DnsLabel | None = None
    labels: dict[str, str] = Field(default_factory=dict)


class KustomizationOutput(Model):
    """The list of all outputs that are objects of Kubernetes; written where this stands in the configuration.

    Attributes:
        namespace: of all of them, in place of their own.
    """

    namespace: DnsLabel | None = None
