"""OpenSLO's alert policies to a burn-rate policy: one tier for each, as if the spec had named a policy of these tiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.judged import dotted
from slo_compiler.documents.metadata import Metadata
from slo_compiler.documents.openslo.alerts import AlertConditionSpec, AlertPolicySpec, ConditionSpec, inverted_words
from slo_compiler.documents.policy import BurnRatePolicy, BurnRatePolicySpec, Tier
from slo_compiler.ir import Severities, Steps
from slo_compiler.load.source_map import Path
from slo_compiler.promql.names import NOTIFICATION_TARGET
from slo_compiler.resolve.annotations import read_annotations
from slo_compiler.resolve.definitions import Definitions
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.identity import PREFIX
from slo_compiler.resolve.policies import AlertTier
from slo_compiler.resolve.references import Located, check_reference, find_condition, name_of_target, named_policy
from slo_compiler.resolve.windows import LONGEST_WAIT, level_of, window_of
from slo_compiler.units import Duration, decimal_text

# A short window is a twelfth of the long one (SRE Workbook, chapter 5).
_SHORT_SHARE = Decimal(12)
_LARGEST_THRESHOLD = Decimal(100_000)
_MOST_BAD_EVENTS = 1_000_000_000


class AlertPlan(NamedTuple):
    """What alert policies ask for.

    Attributes:
        policy: its tiers are the policies that alert on the burn rate, in their order; it may have none.
        no_data: one of them alerts where the data is lost.
    """

    policy: BurnRatePolicy
    no_data: bool


class PolicyReader:
    """Reads alert policies for one document.

    Args:
        base: gives the steps, and what stands for the policies otherwise.
        steps: of `base` under the configuration.
        findings: of the document that names or holds the policies.
    """

    def __init__(
        self, base: BurnRatePolicy, steps: Steps, severities: Severities, known: Definitions, findings: Findings
    ) -> None:
        self.base = base
        self.steps = steps
        self.severities = severities
        self.known = known
        self.findings = findings

    def named(self, names: Sequence[str], path: Path) -> AlertPlan:
        """The policies of these names; those that there are not are findings.

        Args:
            path: where the list of names stands.
        """
        found = []
        for index, name in enumerate(names):
            check_reference("AlertPolicy", name, (*path, index), self.findings, self.known)
            policy = named_policy(name, self.findings, self.known)
            if policy is not None:
                found.append(policy)
        return self.plan(found)

    def plan(self, policies: Iterable[Located[AlertPolicySpec]]) -> AlertPlan:
        """What the policies ask for together."""
        tiers: list[Tier] = []
        no_data = False
        for policy in policies:
            no_data = no_data or policy.value.alert_when_no_data
            tier = self._tier(policy) if policy.value.alert_when_breaching else None
            if tier is not None:
                tiers.append(tier)
        spec = self.base.spec
        made = BurnRatePolicySpec.model_construct(
            steps=spec.steps, factors_hold_from=spec.factors_hold_from, tiers=tiers, source="", description=None
        )
        metadata = Metadata.model_construct(name="of the alert policies", labels={}, annotations={})
        policy_of_all = BurnRatePolicy.model_construct(
            api_version="slo-compiler/v1", kind="BurnRatePolicy", metadata=metadata, spec=made
        )
        return AlertPlan(policy_of_all, no_data)

    def _tier(self, policy: Located[AlertPolicySpec]) -> AlertTier | None:
        """The policy's one condition as a tier; None where it cannot be compiled, or cannot be read."""
        at: Path = (*policy.path, "conditions", 0)
        found = find_condition(policy.value.conditions[0], at, policy.findings, self.known)
        if found is None:
            return None
        condition, path = found.value.condition, (*found.path, "condition")
        usable = _can_fire(condition, path, found.findings)
        long = self._long_window(condition, path, found.findings)
        if long is None or not usable:
            return None
        own = read_annotations(found.metadata, "AlertCondition", (*found.path[:-1], "metadata"), found.findings)
        short = self._short_window(found, own.get("short-window"), long)
        if short is None or not _waits_are_short(condition, own, path, found):
            return None
        severity = self.severities.known(found.value.severity)
        targets = [name_of_target(item, self.known) for item in policy.value.notification_targets]
        named = ",".join(name for name in targets if name is not None)
        return AlertTier.model_construct(
            name=own.get("tier", policy.metadata.name),
            factor=condition.threshold,
            error_ratio=None,
            share=None,
            long_window=long,
            short_window=short,
            severity="page" if severity == "page" else "ticket",
            severity_text=severity,
            for_=condition.alert_after.length if condition.alert_after is not None else None,
            keep_firing_for=Duration.parse(own["keep-firing-for"]) if "keep-firing-for" in own else None,
            min_bad_events=min(int(own.get("min-bad-events", "0")), _MOST_BAD_EVENTS),
            below_target=None,
            from_target=None,
            labels=((NOTIFICATION_TARGET, named),) if named else (),
        )

    def _long_window(self, condition: ConditionSpec, path: Path, findings: Findings) -> Duration | None:
        length, step = condition.lookback_window.length, self._step_of(condition.lookback_window.length)
        if length.seconds % step == 0 and length.seconds >= 3 * step:
            return length
        near = max(_rounded(length.seconds, step), Decimal(3 * step))
        minutes = (near / 60).to_integral_value(ROUND_HALF_EVEN)
        message = (
            f"a lookbackWindow of {condition.lookback_window} cannot be compiled: windows of this length are multiples of "
            f"the step of {Duration.of(step)}, three of them at least"
        )
        hint = f"lookbackWindow: {decimal_text(minutes)}m"
        findings.error(Code.SLO206, (*path, "lookbackWindow"), message, hint)
        return None

    def _short_window(
        self, condition: Located[AlertConditionSpec], written: str | None, long: Duration
    ) -> Duration | None:
        """The short window that an annotation gives; else a twelfth of the long one, two evaluations at least."""
        findings = condition.findings
        if written is None:
            twelfth = long.seconds / _SHORT_SHARE
            step = self._step_of(Duration(twelfth))
            short = Duration(max(_rounded(twelfth, step), Decimal(2 * step)))
            message = f"the short window is not given: {short}, a twelfth of {long}, is taken"
            path: Path = (*condition.path, "condition", "lookbackWindow")
            findings.info(Code.SLO508, path, message, f"annotations: {{slo-compiler/short-window: {short}}}")
            return short
        path = (*condition.path[:-1], "metadata", "annotations", "slo-compiler/short-window")
        short = Duration.parse(written)
        if short >= long:
            message = f"the short window of {short} is no shorter than the lookbackWindow of {long}"
            findings.error(Code.SLO203, path, message, f"slo-compiler/short-window: {Duration(long.seconds / 12)}")
            return None
        try:
            window_of(short, self.steps)
        except ValueError as fault:
            hint = "windows are multiples of their step, at least two of them"
            findings.error(Code.SLO203, path, str(fault), hint)
            return None
        return short

    def _step_of(self, length: Duration) -> int:
        return self.steps.of(level_of(length))


def _waits_are_short(
    condition: ConditionSpec, own: Mapping[str, str], path: Path, found: Located[AlertConditionSpec]
) -> bool:
    """Whether the alert neither waits nor goes on for over a day."""
    after = condition.alert_after.length if condition.alert_after is not None else None
    keep = Duration.parse(own["keep-firing-for"]) if "keep-firing-for" in own else None
    annotation: Path = (*found.path[:-1], "metadata", "annotations", f"{PREFIX}keep-firing-for")
    waits = (("alertAfter", after, (*path, "alertAfter")), ("keep-firing-for", keep, annotation))
    short = True
    for field, wait, where in waits:
        if wait is not None and wait.seconds > LONGEST_WAIT:
            short = False
            message = f"{field} of {wait} is over a day: no alert waits so long"
            found.findings.error(Code.SLO206, where, message, f"{field}: 15m")
    return short


def _can_fire(condition: ConditionSpec, path: Path, findings: Findings) -> bool:
    """Whether the condition is one of a burn rate that is too high; a finding where it is not."""
    if condition.op in ("lt", "lte"):
        where: Path = (*path, "op")
        findings.error(Code.SLO206, where, f"{dotted(where)}: {inverted_words(condition.op)}", "op: gt")
        return False
    if not 0 < condition.threshold <= _LARGEST_THRESHOLD:
        message = (
            f"a threshold of {decimal_text(condition.threshold)} cannot be compiled: it is no burn rate, which is "
            "over 0, and 1 where the budget lasts exactly for the period"
        )
        findings.error(Code.SLO206, (*path, "threshold"), message, "threshold: 14.4")
        return False
    return True


def _rounded(seconds: Decimal, step: int) -> Decimal:
    """The nearest multiple of a step."""
    return (seconds / step).to_integral_value(ROUND_HALF_EVEN) * step
