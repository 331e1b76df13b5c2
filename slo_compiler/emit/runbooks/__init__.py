"""Runbooks: for each spec the page that its alerts link to, in Markdown, with places for the team's own words."""

from __future__ import annotations

from collections.abc import Iterable

from slo_compiler.emit.base import Artifact, Context
from slo_compiler.ir import Spec

NAME = "runbooks"
TEMPLATE = "runbook.md.j2"


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """The runbook of a spec; its sections are empty, and what stands in them on disk is put back when it is written.

    Raises:
        TemplateFault: a template of the repository's own is broken.
    """
    from slo_compiler.emit.runbooks.page import page  # jinja2 is loaded by those who write runbooks

    yield Artifact(runbook_path(spec), page(spec, context))


def runbook_path(spec: Spec) -> str:
    """Where the runbook lies in the output folder."""
    return f"{NAME}/{spec.service}/{spec.name}.md"


def paths(spec: Spec) -> list[str]:
    """All files that `emit` gives for a spec."""
    return [runbook_path(spec)]
