"""What the configuration says about outputs, as emitters take it."""

from __future__ import annotations

from slo_compiler.documents.config import Config
from slo_compiler.documents.histograms import asks_for_native
from slo_compiler.documents.outputs_on_request import AlertmanagerOutput, MonitorsOutput
from slo_compiler.emit.base import (
    AS_RULERS_ARE,
    NOT_SCALED,
    Context,
    DashboardFiles,
    Links,
    Monitors,
    Ruler,
    RunbookPages,
    ScaledObjects,
)
from slo_compiler.emit.user_templates import UserTemplates


def context_of(config: Config, flavour: str | None, templates: UserTemplates) -> Context:
    """What emitters are told of the outputs.

    Args:
        flavour: as asked for; None takes the configured one.
    """
    metadata, dashboards, urls = config.outputs.prometheus_rule, config.outputs.dashboards, config.urls
    return Context(
        flavour or config.outputs.flavour,
        metadata.namespace,
        tuple(sorted(metadata.labels.items())),
        tuple(sorted(metadata.annotations.items())),
        DashboardFiles(
            dashboards.format,
            dashboards.namespace,
            tuple(sorted(dashboards.labels.items())),
            tuple(sorted(dashboards.annotations.items())),
            dashboards.folder or "",
            tuple(sorted(dashboards.instance_selector.items())),
            dashboards.fleet,
        ),
        Links(urls.traces or "", urls.prometheus or ""),
        RunbookPages(templates, config.urls.grafana or "", config.outputs.runbooks.datasource or ""),
        _receivers(config),
        _scaled_objects(config),
        _monitors(config),
        _ruler(config, flavour or config.outputs.flavour),
        (config.outputs.kustomization.namespace or "") if config.outputs.kustomization is not None else "",
    )


def _ruler(config: Config, flavour: str) -> Ruler:
    """What the configuration says of the server whose flavour it is; others have none of these settings."""
    said = config.outputs.rulers.get(flavour)
    if said is None:
        return AS_RULERS_ARE
    given = {name: getattr(said, name) for name in type(said).model_fields if getattr(said, name) is not None}
    return AS_RULERS_ARE._replace(**given)


def _scaled_objects(config: Config) -> ScaledObjects:
    said = config.outputs.autoscaling
    if said is None:
        return NOT_SCALED
    return ScaledObjects(
        said.server_address.rstrip("/"),
        said.namespace or "",
        tuple(sorted(said.labels.items())),
        said.authentication or "",
    )


def _monitors(config: Config) -> Monitors:
    said = config.outputs.monitors or MonitorsOutput()
    asks = asks_for_native(config.prometheus.version)
    return Monitors(said.kind, said.namespace or "", tuple(sorted(said.labels.items())), asks)


def _receivers(config: Config) -> tuple[tuple[str, str], ...]:
    """Who gets alerts of each severity, by the value of the label."""
    severities, receivers = config.severities, (config.outputs.alertmanager or AlertmanagerOutput()).receivers
    return tuple((getattr(severities, name), getattr(receivers, name)) for name in ("page", "ticket", "info"))
