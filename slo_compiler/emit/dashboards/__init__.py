"""Grafana dashboards: one for each spec, from its promise down to whether its data is there, and one of all specs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slo_compiler.emit.base import Artifact, Context
from slo_compiler.emit.dashboards.detail import dashboard
from slo_compiler.emit.dashboards.overview import overview
from slo_compiler.emit.dashboards.wrap import to_text
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.ir import Spec

NAME = "dashboards"
OVERVIEW = f"{NAME}/overview.json"
LINT = f"{NAME}/.lint"
FOLDED: tuple[str, ...] = (OVERVIEW, LINT)
OF: tuple[str, ...] = (NAME,)
READS = False
# What `dashboard-linter lint --config` is told, so that the rest of its rules hold under `--strict`.
_NOT_LINTED = {
    rule: {"reason": f"{why}."}
    for why, rules in (
        (
            "Selectors come from the specs, so that there is nothing to choose",
            ("template-job-rule", "template-instance-rule"),
        ),
        ("Recorded series have no job and no instance", ("target-job-rule", "target-instance-rule")),
    )
    for rule in rules
}


def paths(spec: Spec) -> list[str]:
    """The file of a spec."""
    return [f"{NAME}/{spec.service}/{spec.name}.json"]


def is_object(path: str, context: Context) -> bool:
    """Whether a file of this kind is an object of Kubernetes."""
    return context.dashboards.format != "json" and path != LINT


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """The dashboard of a spec, as it is or as an object of Kubernetes."""
    for path in paths(spec):
        yield Artifact(path, to_text(dashboard(spec, context), context.dashboards, f"{spec.service}.{spec.name}"))


def fold(texts: Mapping[str, str], context: Context) -> Iterable[Artifact]:
    """The dashboard of all specs, which asks the server which there are; and what a linter is told of all of them."""
    del texts
    fleet = context.dashboards.fleet
    yield Artifact(OVERVIEW, to_text(overview(fleet), context.dashboards, fleet))
    yield Artifact(LINT, to_yaml({"exclusions": _NOT_LINTED}))
