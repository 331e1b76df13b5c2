"""Resolved specs to a table or JSON of their numbers and where each came from; a code to its page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.diagnostics.pages import read_page
from slo_compiler.diagnostics.report_json import json_text
from slo_compiler.emit import texts
from slo_compiler.emit.numbers import error_ratio, field_name, numbers_of
from slo_compiler.ir import Degradation, Slo, Spec, Tier, WorstReplica
from slo_compiler.plain_text import ASIDE, GAP, HEADING, NARROWEST, SEVERITY_COLOURS, indented, painted, visible
from slo_compiler.units import decimal_text, percent_text

SCHEMA = "slo-compiler/explain/v1"
PAGE_SCHEMA = "slo-compiler/explain-code/v1"
# blind at: the events per hour at which not even a total failure is enough; detected: a total failure, after so long.
_TIER_HEADS = ("tier", "factor", "windows", "severity", "bad over", "for", "blind at", "detected", "spent")


def find_code(text: str) -> Code | None:
    """The code of that name, whatever its case; None where there is none."""
    return Code.__members__.get(text.upper())


def page_json(code: Code) -> str:
    """The page of a code as one JSON document."""
    page = read_page(code)
    document = {
        "schema": PAGE_SCHEMA,
        "code": code.name,
        "title": code.value,
        "severity": page.severity.value,
        "page": page.text,
    }
    return json_text(document)


def suggest_codes(text: str) -> str:
    """A hint for a code that does not exist: those with the same first digit, else the nearest one."""
    stem = text.upper()[:4]
    near = [f"{code.name} ({code.value})" for code in Code if len(stem) == 4 and code.name.startswith(stem)]
    return f"known: {', '.join(near)}" if near else did_you_mean(text, Code.__members__)


def render_numbers(specs: Sequence[Spec], width: int = NARROWEST, *, colour: bool = False) -> str:
    """Every SLO's numbers with their origin, and its alert tiers, as text.

    Args:
        width: of the terminal in columns; under 80 it is taken as 80.
    """
    lines = (
        painted(visible(line), code if colour else "")
        for spec in specs
        for line, code in _spec_lines(spec, max(width, NARROWEST))
    )
    return "\n".join(lines).rstrip("\n")


def numbers_json(specs: Sequence[Spec]) -> str:
    """The same as one JSON document: durations in seconds, ratios 0 to 1."""
    slos = [numbers_of(spec, slo) for spec in specs for slo in spec.slos]
    return json_text({"schema": SCHEMA, "slos": slos})


def _spec_lines(spec: Spec, width: int) -> Iterator[tuple[str, str]]:
    """Lines, each with its colour."""
    yield f"{spec.engine_id} ({spec.path})", HEADING
    for slo in spec.slos:
        yield "", ""
        for line in textwrap.wrap(f"{slo.slo_id}: {slo.promise}", width, subsequent_indent=GAP * 2):
            yield line, HEADING
        for line in indented(_number_rows(slo), width):
            yield line, ""
        if not slo.tiers:
            yield f"{GAP}no burn-rate alerts (mode {slo.mode})", ""
            continue
        yield "", ""
        table = indented([_TIER_HEADS, *(_tier_row(slo, tier) for tier in slo.tiers)], width)
        colours = [ASIDE, *(SEVERITY_COLOURS.get(tier.severity, "") for tier in slo.tiers)]
        yield from zip(table, colours, strict=True)
    yield "", ""


def _number_rows(slo: Slo) -> list[tuple[str, ...]]:
    """Field, value, origin; the promised threshold stands directly above the measured one."""
    rows: list[tuple[str, ...]] = [(field_name(item), item.value, item.origin) for item in slo.provenance]
    if slo.groups.labels:
        kept = ", ".join(slo.groups.allow) if slo.groups.allow else f"the {slo.groups.most} with the most traffic"
        rows.append(("groups", ", ".join(slo.groups.labels), kept))
    rows.append(("mode", slo.mode, ""))
    if slo.worst_replica is not None:
        rows.append(("worst replica", *_worst_replica(slo, slo.worst_replica)))
    if slo.degradation is not None:
        rows.append(("degradation", *_degradation(slo, slo.degradation)))
    return rows


def _worst_replica(slo: Slo, worst: WorstReplica) -> tuple[str, str]:
    """From which share of bad events on one replica is a ticket, and what else that takes."""
    counts = f"more than {worst.guard} bad {slo.counts} in {worst.window} by label {worst.label}"
    ticket = f"a ticket after {worst.hold}" if slo.mode != "none" else "recorded only"
    return f"over {percent_text(worst.limit)}", f"{counts}; {ticket}"


def _degradation(slo: Slo, degradation: Degradation) -> tuple[str, str]:
    """From which latency the recorded level tells a gateway to reduce its load, and how many must take as long."""
    measured = "" if degradation.measured == degradation.limit else f", measured at {degradation.measured}"
    counts = f"over {percent_text(slo.budget)} and more than {degradation.guard} {slo.counts} in {slo.steps.fast}s"
    return f"at {degradation.limit}", f"{counts}{measured}; level 2 where that lasts a step longer"


def _tier_row(slo: Slo, tier: Tier) -> tuple[str, ...]:
    detected = texts.detection(slo, tier)
    return (
        tier.name,
        decimal_text(tier.factor),
        f"{tier.long.name}/{tier.short.name}",
        tier.severity,
        percent_text(error_ratio(slo, tier)),
        str(tier.hold) if tier.hold.seconds else "-",
        f"{texts.rounded(tier.blind_at_events_per_hour, 2)}/h",
        detected.removeprefix("after "),
        texts.budget_spent(slo, tier),
    )
