"""SLO410: an objective that relies on what its engine cannot see, said in the engine document's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.sight import UNSEEN_TITLES, BlindSpot
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Matcher, Selector
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings
from slo_compiler.slis import Sli


def say_unseen(engine: ResolvedEngine, sli: Sli, findings: Findings, path: Path) -> None:
    """Says what a view of the engine's own promises and cannot see.

    A warning for an engine; information for gateways, which see more than anybody else does.
    """
    spots = [spot for spot in engine.document.spec.unseen if sli.name in spot.slis]
    if not spots:
        return
    message = f"{sli.name} of {engine.title} cannot see {_listed(spots)}: {_said(spots)}"
    if engine.is_gateway:
        findings.info(Code.SLO410, path, message, "measure at the client what no gateway can see")
        return
    gateway = "source: {bad: ..., total: ...} with counters of the gateway"
    hint = gateway if "source" in sli.fields else f"promise availability beside it: {gateway}"
    findings.warning(Code.SLO410, path, message, hint)


def say_misleading(engine: ResolvedEngine, selector: Selector, findings: Findings, path: Path) -> None:
    """Warns of a selector that asks a counter of the engine for what it never counts."""
    labels = engine.labels_named(selector.name)
    for matcher in selector.matchers:
        if matcher.label not in labels:
            continue
        spots = [
            spot for spot in engine.document.spec.unseen if _asks_for(matcher, spot.misleading.get(matcher.label, ()))
        ]
        if spots:
            message = (
                f"{selector.name} of {engine.title} does not tell {_listed(spots)} by {matcher.label}: {_said(spots)}"
            )
            hint = f"select by another label than {matcher.label}, or measure at the gateway or the client"
            findings.warning(Code.SLO410, path, message, hint)


def _asks_for(matcher: Matcher, values: Sequence[str]) -> bool:
    """Whether the matcher names one of the values, or a pattern that it fits."""
    if matcher.op == "=":
        return matcher.value in values
    try:
        return matcher.op == "=~" and any(re.fullmatch(matcher.value, value) for value in values)
    except re.error:  # RE2 knows what Python does not
        return False


def _listed(spots: Sequence[BlindSpot]) -> str:
    titles = [UNSEEN_TITLES[spot.unseen] for spot in spots]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"


def _said(spots: Sequence[BlindSpot]) -> str:
    return " ".join(f"{spot.says.rstrip('.')}." for spot in spots).rstrip(".")
