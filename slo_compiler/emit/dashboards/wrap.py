"""A dashboard as a file: as it is, in a ConfigMap that a sidecar reads, or as an object of Grafana's operator."""

from __future__ import annotations

from slo_compiler.emit.base import DashboardFiles
from slo_compiler.emit.dashboards.parts import Json
from slo_compiler.emit.serialize import to_json

# What the sidecar of Grafana's chart looks for, and the annotation that it is usually told to take folders from.
_SIDECAR = {"grafana_dashboard": "1"}
_FOLDER = "grafana_folder"


def to_text(dashboard: Json, files: DashboardFiles, name: str) -> str:
    """The file of a dashboard.

    Args:
        name: of a Kubernetes object; a dot in it is in no name of a service or spec, so that no two meet.
    """
    text = to_json(dashboard)
    if files.format == "json":
        return text
    annotations = dict(files.annotations)
    labels = dict(files.labels)
    if files.format == "configmap":
        annotations = {**({_FOLDER: files.folder} if files.folder else {}), **annotations}
        document = _object("v1", "ConfigMap", name, files, {**_SIDECAR, **labels}, annotations)
        document["data"] = {f"{dashboard['uid']}.json": text}
        return to_json(document)
    document = _object("grafana.integreatly.org/v1beta1", "GrafanaDashboard", name, files, labels, annotations)
    document["spec"] = {
        "instanceSelector": {"matchLabels": dict(files.instance_selector)},
        **({"folder": files.folder} if files.folder else {}),
        "json": text,
    }
    return to_json(document)


def _object(
    version: str, kind: str, name: str, files: DashboardFiles, labels: dict[str, str], annotations: dict[str, str]
) -> Json:
    metadata: Json = {"name": name}
    for key, value in (("namespace", files.namespace), ("labels", labels), ("annotations", annotations)):
        if value:
            metadata[key] = value
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
