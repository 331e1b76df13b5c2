"""Time slices: whether a slice's length fits the rules, which tiers it leaves, and the SLI `throughput`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.inference_slo import Objective
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Matcher, Measurement, Selector, Slices, Source, Steps, Throughput, Tier, Value
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings
from slo_compiler.slis import Sli
from slo_compiler.units import Duration

# Every fast step reads a whole slice of raw samples: over this that costs more than it tells.
LONGEST_SLICE = Duration.of(3600)
_DEFAULT_SLICE = Duration.of(60)
_TOKENS, _WAITING = "generation_tokens", "queue_depth"


def judgeable(
    measurement: Measurement, steps: Steps, findings: Findings, path: Path, *, field: str = "timeSliceWindow"
) -> bool:
    """Whether the rules can judge slices of this length; a diagnostic at `path` where they cannot.

    A slice is a multiple of the fast step, no longer than an hour; a query that is compared with a value reads no scrape
    more than its slice, and needs two of them in it. What is measured otherwise is always judgeable.

    Args:
        field: how the document calls the window, for the hint.
    """
    if not isinstance(measurement, Slices):
        return True
    seconds, step = measurement.window.seconds, Decimal(steps.fast)
    if seconds % step or seconds > LONGEST_SLICE.seconds:
        near = min(max(step, (seconds / step).to_integral_value() * step), LONGEST_SLICE.seconds)
        why = f"over {LONGEST_SLICE}" if seconds > LONGEST_SLICE.seconds else f"no multiple of the fast step of {step}s"
        message = f"a slice of {measurement.window} cannot be judged: it is {why}"
        findings.error(Code.SLO203, path, message, f"{field}: {Duration(near)}")
        return False
    if isinstance(measurement.inner, Value) and seconds < 2 * steps.scrape:
        message = f"a slice of {measurement.window} holds less than two scrapes, {Duration(steps.scrape)} apart"
        findings.error(Code.SLO203, path, message, f"{field}: {Duration(2 * max(steps.scrape, step))}")
        return False
    return True


def without_short_windows(
    tiers: Sequence[Tier], measurement: Measurement, findings: Findings, path: Path
) -> tuple[Tier, ...]:
    """The tiers whose short window holds a slice; the others are left out with a warning each.

    Every tile of a window that is shorter than a slice sees the same moment: the window is a slice, not a mean of some.
    """
    if not isinstance(measurement, Slices):
        return tuple(tiers)
    found = []
    for tier in tiers:
        if tier.short.length >= measurement.window:
            found.append(tier)
            continue
        message = (
            f"the short window of the {tier.name} tier, {tier.short.length}, is shorter than a slice of "
            f"{measurement.window}: the tier is left out"
        )
        findings.warning(Code.SLO506, path, message, f"slices of {tier.short.length} or less keep it")
    return tuple(found)


def read_throughput(
    objective: Objective,
    sli: Sli,
    engine: ResolvedEngine,
    matchers: tuple[Matcher, ...],
    findings: Findings,
    path: Path,
) -> tuple[Slices, Source] | None:
    """Slices in which the engine generates tokens at the promised rate, or nothing waits; None with a diagnostic."""
    if objective.rate is None:
        message = f"sli {sli.name} needs a rate of output tokens per second, of all replicas together"
        findings.error(Code.SLO202, path, message, "rate: 500")
    missing = [role for role in sli.roles if not engine.has(role)]
    if missing:
        message = f"{engine.title} exposes no metric for {sli.name} ({sli.title})"
        findings.error(Code.SLO402, (*path, "sli"), message, engine.alternatives(missing, sli.name))
    if objective.rate is None or missing:
        return None
    tokens, waiting = (tuple(Selector(name, matchers) for name in engine.names(role)) for role in (_TOKENS, _WAITING))
    inner = Throughput(tokens, waiting, Decimal(str(objective.rate)))
    own = engine.labels(_TOKENS)
    targets = tuple(matcher for matcher in matchers if matcher.label not in own)
    return Slices(inner, objective.slice or _DEFAULT_SLICE), Source(tokens[0].name, tokens, targets)
