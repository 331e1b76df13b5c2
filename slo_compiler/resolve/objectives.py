"""What an objective of an `InferenceSLO` is: its SLI, its target, who is told, and what its guards count."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.inference_slo import InferenceSLOSpec, Objective
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.promises import Promises
from slo_compiler.slis import Sli
from slo_compiler.units import percent_text

_OUTPUT_TOKENS_WHERE_UNKNOWN = 256
_DEFAULT_MODES = {"production": "page", "preproduction": "ticket", "dev": "none"}


def sli_of(objective: Objective, slis: Mapping[str, Sli], path: Path, findings: Findings) -> Sli | None:
    """The SLI that it names, with no field that belongs to another; None where there is none."""
    sli = slis.get(objective.sli)
    if sli is None:
        hint = did_you_mean(objective.sli, slis)
        findings.error(Code.SLO203, (*path, "sli"), f"unknown sli {objective.sli}", hint)
        return None
    for field, given in (
        ("threshold", objective.threshold),
        ("source", objective.source),
        ("good", objective.good),
        ("bad", objective.bad),
        ("total", objective.total),
        ("rate", objective.rate),
        ("slice", objective.slice),
    ):
        if given is not None and field not in sli.fields:
            message = f"{field} does not belong to sli {sli.name}"
            findings.error(Code.SLO201, (*path, field), message, f"its fields: {', '.join(sli.fields)}")
    return sli


def target_of(
    objective: Objective, sli: Sli, promises: Promises, path: Path, findings: Findings
) -> tuple[Decimal, str] | None:
    """The share of good events, 0 to 1, and where it came from; None where there is none that leaves a budget."""
    target = promises.target(objective)
    if target is None:
        hint = "target: 99.9%" if sli.name == "availability" else "target: 95%"
        findings.error(Code.SLO202, path, f"sli {sli.name} needs a target", hint)
        return None
    if not 0 < target[0] < 1:
        message = f"a target of {percent_text(target[0])} leaves no error budget or needs none"
        findings.error(Code.SLO203, (*path, "target"), message, "promise less than 100%, such as 99.9%")
        return None
    return target


def default_mode(spec: InferenceSLOSpec) -> str:
    """`page`, `ticket` or `none`: as the spec says, else as its stage does."""
    return spec.alerting.mode or _DEFAULT_MODES[spec.stage]


def mode_of(objective: Objective, sli: Sli, spec: InferenceSLOSpec, promises: Promises) -> str:
    """The objective's own mode, then what E2E and batch default to, then the spec's, then the stage's."""
    if objective.mode is not None:
        return objective.mode
    default = default_mode(spec)
    streamed = sli.name == "e2e" and spec.traffic.streaming
    experience_class = promises.experience_class
    informational = experience_class is not None and experience_class.latency_is_informational
    if default == "page" and (streamed or sli.name == "job_completion" or (informational and sli.kind == "histogram")):
        return "ticket"
    return default


def events_per_request(sli: Sli, promises: Promises, path: Path, findings: Findings) -> Decimal:
    """Guards count requests: one slow answer is many slow tokens."""
    if sli.counts != "tokens":
        return Decimal(1)
    tokens = promises.traffic.output_tokens
    if tokens is None:
        tokens = _OUTPUT_TOKENS_WHERE_UNKNOWN
        message = f"output tokens are not given; the guard of {sli.name} counts {tokens} per request"
        findings.info(Code.SLO309, (*path, "sli"), message, "traffic: {outputTokens: ...}")
    return Decimal(tokens)
