"""Policy, period and scrape interval to steps, windows and tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents import policy as policies
from slo_compiler.documents.config import LONGEST_SCRAPE as LONGEST_SCRAPE
from slo_compiler.ir import Level, Steps, Tier, Window
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.policies import DEFAULT_POLICY, AlertTier
from slo_compiler.units import Duration, decimal_text, percent_text

# Over this scrape interval a fast tile of 30 s would go missing, so the fast step doubles; over the longest, nothing helps.
FAST_STEP_HOLDS_TO = Decimal(30)
# What an alert may wait, and go on for, in seconds: proofs step through it.
LONGEST_WAIT = Decimal(86400)
# Windows up to this length are made of fast tiles.
_LONGEST_FAST_WINDOW = Decimal(3600)
# Below so many events in a 5m window the alert would flap between them, so it fires on for longer.
_SPARSE_REQUESTS_PER_HOUR = 120
_SPARSE_KEEP = Duration(Decimal(1800))


def steps_of(policy: policies.BurnRatePolicy, scrape_interval: Duration) -> Steps:
    """The steps of a policy for a scrape interval of at most `LONGEST_SCRAPE`."""
    fast = policy.spec.steps.fast.whole_seconds
    if scrape_interval.seconds > FAST_STEP_HOLDS_TO:
        fast *= 2
    return Steps(fast, policy.spec.steps.slow.whole_seconds, scrape_interval.seconds)


def level_of(length: Duration) -> Level:
    """Which tiles a window of a tier sums."""
    return Level.FAST if length.seconds <= _LONGEST_FAST_WINDOW else Level.SLOW


@lru_cache(maxsize=1024)
def window_of(length: Duration, steps: Steps, *, period: bool = False) -> Window:
    """A window as a range of tiles, written half a step short.

    Raises:
        ValueError: the length is no multiple of the step.
    """
    level = Level.SLOW if period else level_of(length)
    step = steps.of(level)
    tiles, rest = divmod(length.seconds, step)
    if rest or tiles < 2:
        raise ValueError(f"{length} is no multiple of the {level.value} step of {Duration.of(step)}")
    return Window(str(length), level, int(tiles), Duration(length.seconds - Decimal(step) / 2), length)


def tier_factor(tier: policies.Tier, target: Decimal, period: Duration, holds_from: Duration) -> Decimal:
    """The burn rate at which a tier fires.

    An error ratio becomes a factor by the budget, to one decimal. A tier with only a share, and under the period for
    which the factors are made one that has a share too, keeps that share of the budget: max(1, share x period / long
    window), to one decimal.
    """
    budget = 1 - target
    if tier.error_ratio is not None:
        return (tier.error_ratio / budget).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    if tier.factor is not None and (period.seconds >= holds_from.seconds or tier.share is None):
        return tier.factor
    assert tier.share is not None  # the model has one of the three
    scaled = tier.share * period.seconds / tier.long_window.seconds
    return max(Decimal(1), scaled.quantize(Decimal("0.1"), ROUND_HALF_EVEN))


def resolve_tiers(
    policy: policies.BurnRatePolicy,
    target: Decimal,
    period: Duration,
    steps: Steps,
    *,
    mode: str,
    long_from: Duration | None,
    short_from: Duration | None,
    guard_scale: Decimal,
    min_bad_events: int,
    requests_per_hour: Decimal | None,
    findings: Findings,
    path: Path,
    period_path: Path | None = None,
) -> tuple[Tier, ...]:
    """The tiers of an SLO, in the policy's order.

    A tier that cannot work is left out of the compiler's own default with a warning; in a policy that was chosen by
    name it is an error.

    Args:
        mode: `ticket` makes every tier a ticket that waits 15m; `none` gives no tier.
        long_from: the shortest long window that makes sense for the SLI; None allows all.
        short_from: likewise of short windows: shorter ones are lengthened to it.
        guard_scale: events per request, for SLIs that count tokens.
        min_bad_events: raises the guards.
        path: where the target stands, for findings.
        period_path: where the period stands; None where it is not the document's own.
    """
    if mode == "none":
        return ()
    tiers, said = _tiers(
        _OfRun(policy),
        target,
        period,
        steps,
        mode,
        long_from,
        short_from,
        guard_scale,
        min_bad_events,
        requests_per_hour,
    )
    for word in said:
        where = period_path if word.about_period and period_path is not None else path
        findings.add(word.code, word.severity, where, word.message, word.hint)
    return tiers


class _OfRun:
    """A policy as the key of a cache: by identity, since a run holds one object per policy."""

    def __init__(self, policy: policies.BurnRatePolicy) -> None:
        self.policy = policy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OfRun) and other.policy is self.policy

    def __hash__(self) -> int:
        return id(self.policy)


class _Said(NamedTuple):
    """A finding about a tier, wherever the target and the period of the document stand."""

    severity: Severity
    code: Code
    message: str
    hint: str
    about_period: bool = False


@lru_cache(maxsize=256)
def _tiers(
    of_run: _OfRun,
    target: Decimal,
    period: Duration,
    steps: Steps,
    mode: str,
    long_from: Duration | None,
    short_from: Duration | None,
    guard_scale: Decimal,
    min_bad_events: int,
    requests_per_hour: Decimal | None,
) -> tuple[tuple[Tier, ...], tuple[_Said, ...]]:
    """The tiers and what is to be said of them: the same for most objectives of a repository."""
    policy = of_run.policy
    found: list[Tier] = []
    said: list[_Said] = []
    chosen = policy.metadata.name != DEFAULT_POLICY
    severity = Severity.ERROR if chosen else Severity.WARNING
    left_out = "" if chosen else " and is left out"
    for tier in policy.spec.tiers:
        if long_from is not None and tier.long_window < long_from:
            continue
        if tier.below_target is not None and not target < tier.below_target:
            continue
        if tier.from_target is not None and target < tier.from_target:
            continue
        factor = tier_factor(tier, target, period, policy.spec.factors_hold_from)
        name = tier.title or f"{decimal_text(factor)}x"
        if tier.long_window.seconds * 2 > period.seconds:
            message = f"the {name} tier looks at {tier.long_window}, over half of the period of {period}{left_out}"
            hint = f"timeWindow: [{{duration: {_whole_days(tier.long_window.seconds * 2)}, isRolling: true}}] or longer keeps it"
            said.append(_Said(severity, Code.SLO503, message, hint, about_period=True))
            continue
        if factor * (1 - target) >= 1:
            message = (
                f"at a target of {percent_text(target)} the {name} tier would need "
                f"{percent_text(factor * (1 - target))} of all events to be bad: it can never fire{left_out}"
            )
            highest = percent_text(((1 / (1 - target)) * Decimal("0.9")).quantize(Decimal("0.1")) / 100)
            hint = "the outage tier covers a total failure; or raise the target"
            if isinstance(tier, AlertTier):
                hint = f"raise the target, or threshold: {highest.removesuffix('%')} or less"
            elif chosen:
                hint = (
                    f"raise the target, or give the tier of policy {policy.metadata.name} a factor of "
                    f"{highest.removesuffix('%')} or less, or belowTarget"
                )
            said.append(_Said(severity, Code.SLO501, message, hint))
            continue
        resolved = _tier(tier, factor, steps, mode, guard_scale, min_bad_events, requests_per_hour)
        if short_from is not None and resolved.short.length < short_from:
            resolved = resolved._replace(short=window_of(short_from, steps))
        found.append(resolved._replace(name=_own_name(resolved, {other.name for other in found})))
        if requests_per_hour is not None:
            said += _late(tier, found[-1], 1 - target, requests_per_hour * guard_scale)
    return tuple(found), tuple(said)


def _own_name(tier: Tier, taken: set[str]) -> str:
    """A name that no other tier has: with its long window, and with a number where that is taken too."""
    names = [tier.name, f"{tier.name}-{tier.long.name}"]
    names += [f"{tier.name}-{tier.long.name}-{number}" for number in range(2, len(taken) + 2)]
    return next(name for name in names if name not in taken)


def _whole_days(seconds: Decimal) -> Duration:
    """The next whole number of days."""
    return Duration((seconds / 86400).to_integral_value(ROUND_CEILING) * 86400)


def _tier(
    tier: policies.Tier,
    factor: Decimal,
    steps: Steps,
    mode: str,
    guard_scale: Decimal,
    min_bad_events: int,
    requests_per_hour: Decimal | None,
) -> Tier:
    hold = tier.for_ or Duration(Decimal(0))
    if mode == "ticket" and hold.seconds < 900:
        hold = Duration(Decimal(900))
    keep = tier.keep_firing_for or Duration(Decimal(0))
    if requests_per_hour is not None and requests_per_hour < _SPARSE_REQUESTS_PER_HOUR:
        keep = max(keep, _SPARSE_KEEP)
    scaled = tier.error_ratio is None and factor != tier.factor
    of_policy = tier if isinstance(tier, AlertTier) else None
    return Tier(
        name=f"{decimal_text(factor)}x" if scaled else tier.title,
        factor=factor,
        long=window_of(tier.long_window, steps),
        short=window_of(tier.short_window, steps),
        severity="ticket" if mode == "ticket" else of_policy.severity_text if of_policy else tier.severity,
        hold=hold,
        keep_firing_for=keep,
        guard=max(tier.min_bad_events, min_bad_events) * int(guard_scale),
        labels=of_policy.labels if of_policy else (),
    )


def _late(tier: policies.Tier, resolved: Tier, budget: Decimal, events_per_hour: Decimal) -> Iterator[_Said]:
    """At this traffic, factor x budget of the long window is no more than the guard: detection takes longer."""
    expected = events_per_hour * tier.long_window.seconds / 3600
    needed = resolved.guard / (resolved.factor * budget)
    if expected <= resolved.guard:
        yield _Said(
            Severity.WARNING,
            Code.SLO502,
            f"at {decimal_text(round(events_per_hour, 1))} events per hour the {resolved.name} tier sees "
            f"{decimal_text(round(expected, 1))} events in {tier.long_window} and needs more than {resolved.guard} bad ones: "
            "not even a total failure fires it",
            f"judge more traffic together: over {decimal_text(round(resolved.blind_at_events_per_hour, 2))} events per hour",
        )
    elif expected < needed:
        yield _Said(
            Severity.INFO,
            Code.SLO502,
            f"at {decimal_text(round(events_per_hour, 1))} events per hour the {resolved.name} tier sees "
            f"{decimal_text(round(expected, 1))} events in {tier.long_window} and needs {decimal_text(round(needed, 1))}: "
            "it fires later than its burn rate says",
            "promise a lower target, or judge more traffic together; few bad events are no evidence",
        )


def windows_of(tiers: Sequence[Tier]) -> tuple[Window, ...]:
    """Every window that some tier reads, shortest first."""
    found = {window for tier in tiers for window in (tier.long, tier.short)}
    return tuple(sorted(found, key=lambda window: window.length))
