"""`slo-compiler.yaml`: what is true of the whole repository."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from slo_compiler.documents.base import DurationText, JsonSchema, Model, PeriodText, Rare, default_of
from slo_compiler.documents.histograms import HistogramForm, Schema, reads_native, which_server
from slo_compiler.documents.judged import Fault, Judged
from slo_compiler.documents.metadata import BoolText, DnsLabel
from slo_compiler.units import Duration

_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
LabelName = Annotated[str, Field(pattern=_LABEL)]
_UID = r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"
_PREFIX = r"^([a-zA-Z][a-zA-Z0-9_]{0,31})?$"
# To an editor an unquoted 2.53 is a number.
_RELEASE = r"^v?[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]{1,4})?$"
_RELEASE_SCHEMA = {
    "anyOf": [{"type": "string", "pattern": _RELEASE, "examples": ["3.5", "2.53.1"]}, {"type": "number"}]
}
ServerVersion = Annotated[str, Field(pattern=_RELEASE), JsonSchema(_RELEASE_SCHEMA)]
WebAddress = Annotated[str, Field(pattern=r"^https?://[!-~]+$")]

LONGEST_SCRAPE = Decimal(60)
"""In seconds: tiles of events would go missing over it."""
# Where the models of outputs are that few ask for.
_ON_REQUEST = "slo_compiler.documents.outputs_on_request"
# What the rules need: keep_firing_for came with it.
_OLDEST_SERVER = (2, 42)
_LEAST_INTERVAL = 1
# What the rules themselves read or write.
_HELD_LABELS = {
    **dict.fromkeys(("slo_id", "severity", "alertname", "le"), "rules and alerts carry it with a meaning of its own"),
    "model_name": "engines tell models apart by it",
}


class Prometheus(Judged):
    """The server that evaluates the rules.

    Attributes:
        version: of the server; unset, it is not checked that it can read the rules.
        evaluation_interval: of rules that record no tiles: what an engine shows once. Tiles have steps of their own.
        ha_label: the external label that tells the servers of a pair apart; rules that each server evaluates for itself
            never see it.
        scrape_interval: of the targets that the SLOs read; the tiles are one interval wider than their step.
        retention: how long samples are kept; unset, the period is not checked against it.
        target_labels: labels that come from scraping, not from the program: `up` carries them too.
        replica_label: what tells the replicas of an engine apart.
        histograms: how the engines' histograms arrive. `custom-buckets` are native histograms that the server made of classic
            ones (`convert_classic_histograms_to_nhcb`), `exponential` those that an engine or a collector wrote itself.
        coarsest_schema: of exponential histograms, the coarsest that may arrive: only its edges are read.
    """

    version: ServerVersion | None = None
    scrape_interval: DurationText = Duration(Decimal(15))
    evaluation_interval: DurationText | None = None
    retention: DurationText | None = None
    target_labels: list[LabelName] = Field(default_factory=lambda: ["job", "instance", "namespace", "cluster"])
    replica_label: LabelName = "instance"
    histograms: HistogramForm = "classic"
    coarsest_schema: Schema = 3
    ha_label: LabelName | None = None

    def faults(self) -> Iterator[Fault]:
        """What no rule can do with the server as it is described."""
        if self.version is not None and _release(self.version) < _OLDEST_SERVER:
            message = f"Prometheus {self.version} refuses the rules: they hold keep_firing_for, which 2.42 brought"
            yield Fault(("version",), message, "upgrade the server to 2.42 or newer")
        if self.histograms != "classic" and not reads_native(self.version):
            message = f"native histograms need Prometheus 3 to read them, and {which_server(self.version)}"
            yield Fault(("histograms",), message, 'version: "3.5" beside it')
        if self.scrape_interval.seconds > LONGEST_SCRAPE:
            message = (
                f"scrapes {self.scrape_interval} apart are over {LONGEST_SCRAPE}s: tiles of events would go missing"
            )
            yield Fault(("scrapeInterval",), message, "scrape the targets at least every 60s")
        elif self.scrape_interval.seconds < _LEAST_INTERVAL:
            message = f"scrapes {self.scrape_interval} apart are under 1s, which no server keeps up with"
            yield Fault(("scrapeInterval",), message, "scrapeInterval: 15s")
        interval = self.evaluation_interval
        if interval is not None and not _LEAST_INTERVAL <= interval.seconds <= LONGEST_SCRAPE:
            message = f"rules evaluated every {interval} warn too late, or cost more than they tell"
            yield Fault(("evaluationInterval",), message, "write 1s to 60s, such as 30s")
        if self.ha_label is not None:
            yield from self._misplaced_ha_label(self.ha_label)

    def _misplaced_ha_label(self, label: str) -> Iterator[Fault]:
        if label in _HELD_LABELS:
            message = f"{label} cannot be the haLabel: {_HELD_LABELS[label]}"
            yield Fault(("haLabel",), message, "haLabel: prometheus_replica")
            return
        why = f"{label} is the haLabel, which a server adds when it sends: series that rules read lack it"
        if label in self.target_labels:
            given = "target_labels" in self.model_fields_set
            at = ("targetLabels", self.target_labels.index(label)) if given else ("haLabel",)
            yield Fault(at, why, f"remove {label}" if given else "haLabel: prometheus_replica")
            if not given:
                return
        if label == self.replica_label:
            apart = "pod" if label == "instance" else "instance"
            yield Fault(("replicaLabel",), why, f"replicaLabel: {apart}, which tells the engine's replicas apart")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))


class PrometheusRuleMetadata(Model):
    """What the Prometheus operator selects by."""

    namespace: DnsLabel | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Dashboards(Model):
    """How dashboards get into Grafana: as they are, as ConfigMaps that a sidecar reads, or as objects of its operator.

    Attributes:
        namespace, labels, annotations: metadata of Kubernetes objects; a ConfigMap has the sidecar's label besides.
        folder: of Grafana's, for Kubernetes objects; files are put into one by their own folder.
        instance_selector: labels of the Grafana that the operator puts them into.
        fleet: the uid of the dashboard of all specs; another one where two repositories share a Grafana.
    """

    format: Literal["json", "configmap", "grafana-operator"] = "json"
    namespace: DnsLabel | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    folder: Annotated[str, Field(min_length=1)] | None = None
    instance_selector: dict[str, str] = Field(default_factory=lambda: {"dashboards": "grafana"})
    fleet: Annotated[str, Field(pattern=_UID)] = "slo-fleet"


class Runbooks(Model):
    """How runbooks are made.

    Attributes:
        templates: a folder with templates of your own, relative to the configuration; `runbook.md.j2` in it is the page.
        suffix: of a page's name in links; empty where a site shows `<service>/<spec>.md` without it.
        datasource: the uid of the Prometheus data source that queries are opened with in Grafana; unset, Grafana's default.
    """

    templates: Annotated[str, Field(min_length=1)] | None = None
    suffix: Annotated[str, Field(pattern=r"^[-._~/a-zA-Z0-9]{0,40}$")] = ".md"
    datasource: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,40}$")] | None = None


class Outputs(Model):
    """What is written, and how.

    Attributes:
        mimir, thanos: what the server is told whose flavour it is.
    """

    flavour: Literal["prometheus", "prometheus-operator", "mimir", "thanos", "vmalert"] = "prometheus"
    prometheus_rule: PrometheusRuleMetadata = Field(default_factory=PrometheusRuleMetadata)
    dashboards: Dashboards = Field(default_factory=Dashboards)
    runbooks: Runbooks = Field(default_factory=Runbooks)
    alertmanager: Annotated[Any, Rare(_ON_REQUEST, "AlertmanagerOutput")] = None
    autoscaling: Annotated[Any, Rare(_ON_REQUEST, "AutoscalingOutput")] = None
    monitors: Annotated[Any, Rare(_ON_REQUEST, "MonitorsOutput")] = None
    kustomization: Annotated[Any, Rare(_ON_REQUEST, "KustomizationOutput")] = None
    mimir: Annotated[Any, Rare("slo_compiler.documents.rulers", "Mimir")] = None
    thanos: Annotated[Any, Rare("slo_compiler.documents.rulers", "Thanos")] = None

    @property
    def rulers(self) -> dict[str, Any]:
        """What servers other than Prometheus are told, by flavour; None where nothing is said."""
        return {"mimir": self.mimir, "thanos": self.thanos}


class Urls(Model):
    """Addresses; without one, the link is left out.

    Attributes:
        runbooks, dashboards: to which /<service>/<spec> is added; of runbooks that is the suffix and the alert's part, too.
        repository: to which a spec's path is added, such as https://git.example.com/slos/blob/main.
        grafana: of Grafana itself: alerts then link to the dashboards that are compiled.
        traces: of where single requests are found.
        prometheus: of the server that evaluates the rules.
    """

    runbooks: str | None = None
    dashboards: str | None = None
    repository: WebAddress | None = None
    grafana: WebAddress | None = None
    traces: WebAddress | None = None
    prometheus: WebAddress | None = None


class Labels(Model):
    """Names of labels on alerts.

    Attributes:
        prefix: stands before the compiler's own, where yours have the same names: service, slo, sli, model, endpoint,
            tier, long_window, short_window and source. slo_id and severity keep theirs.
    """

    prefix: Annotated[str, Field(pattern=_PREFIX)] = ""


class Severities(Model):
    """The values of the label `severity`."""

    page: Annotated[str, Field(min_length=1)] = "page"
    ticket: Annotated[str, Field(min_length=1)] = "ticket"
    info: Annotated[str, Field(min_length=1)] = "info"


class Defaults(Model):
    """What a spec takes where it says nothing.

    Attributes:
        policy: the name of a burn-rate policy.
        worst_replica: whether the worst replica of each engine SLI is recorded, and a ticket.
        degradation: whether the degradation level of each TTFT promise is recorded, for gateways that reduce load.
    """

    period: PeriodText = Duration(Decimal(28 * 86400))
    policy: str = "default"
    worst_replica: BoolText = False
    degradation: BoolText = False


class Config(Model):
    """The configuration file; every field has a default.

    Attributes:
        paths: files and folders that hold specs, where a command is given none; relative to the configuration.
        catalogs: files and folders of catalogs, engines and policies that every command reads beside its specs.
    """

    paths: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: ["specs"])
    catalogs: list[str] = Field(default_factory=list)
    prometheus: Prometheus = Field(default_factory=Prometheus)
    outputs: Outputs = Field(default_factory=Outputs)
    urls: Urls = Field(default_factory=Urls)
    labels: Labels = Field(default_factory=Labels)
    severities: Severities = Field(default_factory=Severities)
    defaults: Defaults = Field(default_factory=Defaults)
    publish: Annotated[Any, Rare("slo_compiler.documents.publishing", "Publishing")] = None


def default_config() -> Config:
    """What holds without a configuration file; made without building a validator, which every start would pay for."""
    config = _defaults(Config)
    assert isinstance(config, Config)
    return config


def _defaults(model: type[Model]) -> Any:
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        part: object = field.annotation
        if isinstance(part, type) and issubclass(part, Model):
            values[name] = _defaults(part)
        else:
            values[name] = default_of(field)
    return model.model_construct(**values)
