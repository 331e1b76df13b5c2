"""Grafana dashboards: one for each spec, from its promise down to whether its data is there."""

from __future__ import annotations

from collections.abc import Iterable

from slo_compiler.emit.base import Artifact, Context
from slo_compiler.emit.dashboards.detail import dashboard
from slo_compiler.emit.dashboards.wrap import to_text
from slo_compiler.ir import Spec

NAME = "dashboards"


def paths(spec: Spec) -> list[str]:
    """The file of a spec."""
    return [f"{NAME}/{spec.service}/{spec.name}.json"]


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """The dashboard of a spec, as it is or as an object of Kubernetes."""
    for path in paths(spec):
        yield Artifact(path, to_text(dashboard(spec, context), context.dashboards, f"{spec.service}.{spec.name}"))
