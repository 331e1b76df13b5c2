"""`slo-compiler.yaml`: what is true of the whole repository."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from slo_compiler.documents.base import DurationText, Model, PeriodText
from slo_compiler.documents.metadata import DnsLabel
from slo_compiler.units import Duration

_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
LabelName = Annotated[str, Field(pattern=_LABEL)]


class Prometheus(Model):
    """The server that evaluates the rules.

    Attributes:
        scrape_interval: of the targets that the SLOs read; the tiles are one interval wider than their step.
        retention: how long samples are kept; unset, the period is not checked against it.
        target_labels: labels that come from scraping, not from the program: `up` carries them too.
        replica_label: what tells the replicas of an engine apart.
    """

    scrape_interval: DurationText = Duration(Decimal(15))
    retention: DurationText | None = None
    target_labels: list[LabelName] = Field(default_factory=lambda: ["job", "instance", "namespace", "cluster"])
    replica_label: LabelName = "instance"


class PrometheusRuleMetadata(Model):
    """What the Prometheus operator selects by."""

    namespace: DnsLabel | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Outputs(Model):
    """What is written, and how."""

    flavour: Literal["prometheus", "prometheus-operator"] = "prometheus"
    prometheus_rule: PrometheusRuleMetadata = Field(default_factory=PrometheusRuleMetadata)


class Urls(Model):
    """Base addresses; without one, the link is left out."""

    runbooks: str | None = None
    dashboards: str | None = None


class Severities(Model):
    """The values of the label `severity`."""

    page: str = "page"
    ticket: str = "ticket"
    info: str = "info"


class Defaults(Model):
    """What a spec takes where it says nothing.

    Attributes:
        policy: the name of a burn-rate policy.
    """

    period: PeriodText = Duration(Decimal(28 * 86400))
    policy: str = "default"


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
    severities: Severities = Field(default_factory=Severities)
    defaults: Defaults = Field(default_factory=Defaults)


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
            values[name] = field.get_default(call_default_factory=True)
    return model.model_construct(**values)
