"""What an emitter is, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from slo_compiler.emit.user_templates import NO_TEMPLATES, UserTemplates
from slo_compiler.ir import Spec
from slo_compiler.units import Duration


@dataclass(frozen=True, slots=True)
class Artifact:
    """One output file: a path relative to the output folder, with `/`, and its text."""

    path: str
    text: str


class DashboardFiles(NamedTuple):
    """How dashboards get into Grafana.

    Attributes:
        format: `json`, `configmap` or `grafana-operator`.
        namespace, labels, annotations: metadata of Kubernetes objects.
        folder: of Grafana's; empty without one.
        instance_selector: labels of the Grafana that its operator puts them into.
        fleet: the uid of the dashboard of all specs.
    """

    format: str = "json"
    namespace: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    instance_selector: tuple[tuple[str, str], ...] = ()
    fleet: str = "slo-fleet"


class Links(NamedTuple):
    """Addresses of places that outputs link to and no spec has one of its own; empty where unknown."""

    traces: str = ""
    prometheus: str = ""


AS_FILES, NO_LINKS = DashboardFiles(), Links()


class RunbookPages(NamedTuple):
    """How runbooks are made.

    Attributes:
        templates: the repository's own.
        grafana: its address, under which queries are opened; empty where unknown.
        datasource: the uid of the data source that they are asked of; empty leaves it to Grafana.
    """

    templates: UserTemplates = NO_TEMPLATES
    grafana: str = ""
    datasource: str = ""


class ScaledObjects(NamedTuple):
    """How objects of KEDA are made.

    Attributes:
        server_address: of the Prometheus that their triggers ask.
        namespace: where the spec names none; empty leaves it to who applies them.
        labels: metadata.
        authentication: the name of a TriggerAuthentication; empty where none is needed.
    """

    server_address: str = ""
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    authentication: str = ""


class Monitors(NamedTuple):
    """How engines get scraped.

    Attributes:
        kind: `ServiceMonitor`, `PodMonitor` or `scrape-config`.
        namespace, labels: metadata of the operator's objects; an empty namespace leaves it to who applies them.
        asks_for_native: whether the server takes native histograms of an engine only where a target says so.
    """

    kind: str = "ServiceMonitor"
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    asks_for_native: bool = False


class Ruler(NamedTuple):
    """What the server that evaluates the rules is told, where it is not Prometheus.

    Attributes:
        namespace_prefix: of Mimir's namespaces, before the name of the spec.
        query_offset: how far in the past rules of Mimir and Thanos look; None leaves it to the server.
        partial_response: what Thanos does where a store does not answer: `abort` or `warn`.
    """

    namespace_prefix: str = ""
    query_offset: Duration | None = None
    partial_response: str = "abort"


AS_SHIPPED, NOT_SCALED, AS_SERVICES, AS_RULERS_ARE = RunbookPages(), ScaledObjects(), Monitors(), Ruler()


@dataclass(frozen=True, slots=True)
class Context:
    """What the configuration says about the outputs.

    Attributes:
        flavour: of the rules, by the names of `FLAVOURS`.
        namespace, labels, annotations: metadata of operator objects.
        receivers: values of the label `severity`, each with who gets its alerts.
        object_namespace: of all objects of Kubernetes that the kustomization applies; empty leaves each its own.
    """

    flavour: str = "prometheus"
    namespace: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    dashboards: DashboardFiles = AS_FILES
    links: Links = NO_LINKS
    runbooks: RunbookPages = AS_SHIPPED
    receivers: tuple[tuple[str, str], ...] = (("page", "slo-page"), ("ticket", "slo-ticket"), ("info", "slo-info"))
    autoscaling: ScaledObjects = NOT_SCALED
    monitors: Monitors = AS_SERVICES
    ruler: Ruler = AS_RULERS_ARE
    object_namespace: str = ""


class Emitter(Protocol):
    """A kind of output: its name on the command line, the paths and the files it makes of a spec."""

    NAME: str

    def paths(self, spec: Spec) -> list[str]: ...

    def emit(self, spec: Spec, context: Context) -> Iterable[Artifact]: ...


class Fold(Protocol):
    """What a kind of output makes of many files together, beside those of each spec.

    Attributes:
        OF: the kinds of output whose files it is made of, what these fold included.
        FOLDED: the paths of what it makes, whatever the specs are.
        READS: whether it reads the files: one that somebody edited then stands in its way.
    """

    NAME: str
    OF: tuple[str, ...]
    FOLDED: tuple[str, ...]
    READS: bool

    def fold(self, texts: Mapping[str, str], context: Context) -> Iterable[Artifact]:
        """The files about all specs.

        Args:
            texts: at least one file of these kinds by its path, sorted: those of this run, and those of specs that it was
                not asked about. A text is read when it is asked for.
        """
        ...


Document = dict[str, Any]
