"""`BurnRatePolicy`: at which burn rates, over which windows, an SLO alerts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from slo_compiler.documents.base import DurationText, Model, PercentText
from slo_compiler.documents.metadata import Metadata


def _read_factor(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) else value


Factor = Annotated[Decimal, BeforeValidator(_read_factor), Field(gt=0)]


class Tier(Model):
    """One alert by two windows: a burn rate over `factor` (or the factor of an error ratio) in both.

    Attributes:
        share: the share of the budget that is spent at detection; gives the factor for periods under 28d.
        error_ratio: instead of a factor: half of all events bad is 50%.
        below_target: only for targets below this share.
        min_bad_events: more bad events than this must lie in the long window.
    """

    name: str
    factor: Factor | None = None
    error_ratio: PercentText | None = None
    share: PercentText | None = None
    long_window: DurationText
    short_window: DurationText
    severity: Literal["page", "ticket"]
    for_: Annotated[DurationText | None, Field(alias="for")] = None
    keep_firing_for: DurationText | None = None
    min_bad_events: Annotated[int, Field(ge=0)] = 0
    below_target: PercentText | None = None
    from_target: PercentText | None = None

    @model_validator(mode="after")
    def _one_threshold(self) -> Tier:
        if (self.factor is None) == (self.error_ratio is None):
            raise ValueError("give one of factor and errorRatio")
        return self


class Steps(Model):
    """How often each group is evaluated, which is also the length of its tiles."""

    fast: DurationText
    slow: DurationText


class BurnRatePolicySpec(Model):
    """Tiers and steps, with where they come from."""

    source: str
    steps: Steps
    factors_hold_from: DurationText
    tiers: Annotated[list[Tier], Field(min_length=1)]


class BurnRatePolicy(Model):
    """A burn-rate policy."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["BurnRatePolicy"]
    metadata: Metadata
    spec: BurnRatePolicySpec
