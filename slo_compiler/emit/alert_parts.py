"""What all alerts have: the rule itself, its annotations, its part of the runbook."""

from __future__ import annotations

from slo_compiler.emit.base import Document
from slo_compiler.emit.serialize import Block
from slo_compiler.emit.texts import anchor, template_text
from slo_compiler.ir import Spec
from slo_compiler.units import Duration


def runbook_url_of(spec: Spec, page: str, name: str) -> str:
    """The alert's own part of the runbook where that is one of ours; a page of the team's own as it is."""
    return f"{page}#{anchor(name)}" if page and spec.runbook_is_compiled else page


def annotations_of(
    summary: str, description: str, query: str, runbook_url: str, dashboard_url: str, spec_url: str
) -> dict[str, str]:
    """Annotations of which summary, description and query are templates already; links that are empty are left out."""
    annotations = {"summary": summary, "description": description, "query": query}
    links = {"runbook_url": runbook_url, "dashboard_url": dashboard_url, "spec_url": spec_url}
    annotations.update({name: template_text(address) for name, address in links.items() if address})
    return annotations


def alert(
    name: str,
    expression: str,
    labels: dict[str, str],
    annotations: dict[str, str],
    *,
    hold: Duration,
    keep: Duration | None = None,
) -> Document:
    """The rule; times of zero are left out."""
    rule: Document = {"alert": name, "expr": Block(expression)}
    if hold.seconds:
        rule["for"] = hold.promql
    if keep is not None and keep.seconds:
        rule["keep_firing_for"] = keep.promql
    return {**rule, "labels": labels, "annotations": annotations}
