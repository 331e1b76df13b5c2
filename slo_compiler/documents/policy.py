"""`BurnRatePolicy`: at which burn rates, over which windows, an SLO alerts."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from slo_compiler.documents.base import (
    POSITIVE_TEXT,
    SHARE_SCHEMA,
    DurationText,
    JsonSchema,
    Model,
    PercentText,
    Written,
)
from slo_compiler.documents.judged import absent, either_of, given
from slo_compiler.documents.metadata import Metadata
from slo_compiler.units import Duration, decimal_text, parse_decimal, percent_text

_LARGEST_FACTOR = 100_000
_LEAST_REPLICA_WINDOW, _LONGEST_REPLICA_WINDOW, _LONGEST_REPLICA_WAIT = 300, 21600, 86400


def _check_share(value: Decimal) -> Decimal:
    if not 0 < value <= 1:
        raise ValueError(f"{percent_text(value)} is no share of over 0% and up to 100%; write such as 5%")
    return value


def _read_factor(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    try:
        return parse_decimal(str(value))
    except ValueError:
        raise ValueError(f"{str(value)!r} is no burn rate; write a number such as 14.4") from None


Factor = Annotated[
    Decimal,
    BeforeValidator(_read_factor),
    Field(gt=0, le=_LARGEST_FACTOR),
    Written(decimal_text),
    JsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": _LARGEST_FACTOR}, POSITIVE_TEXT]}),
]
Share = Annotated[PercentText, AfterValidator(_check_share), JsonSchema(SHARE_SCHEMA)]


class Tier(Model):
    """One alert by two windows: a burn rate over a factor in both.

    Attributes:
        name: as the label `tier` says it; by default the factor, `14.4x`, or the error ratio, `50%`.
        factor: the burn rate, 1 spends the budget over the period.
        share: the share of the budget that is spent at detection. Alone it gives the factor, beside a factor it gives
            the factor for periods shorter than `factorsHoldFrom`.
        error_ratio: instead of a factor: half of all events bad is 50%.
        below_target: only for targets below this share.
        from_target: only for targets of this share and over.
        for_: how long the condition must hold.
        keep_firing_for: how long the alert goes on after the condition ended.
        min_bad_events: more bad events than this must lie in the long window.
    """

    model_config = ConfigDict(
        json_schema_extra=either_of(
            {"allOf": [given("errorRatio"), absent("factor", "share")]},
            {"allOf": [given("factor"), absent("errorRatio")]},
            {"allOf": [given("share"), absent("errorRatio", "factor")]},
        )
    )

    name: Annotated[str, Field(min_length=1, max_length=63)] = ""
    factor: Factor | None = None
    error_ratio: Share | None = None
    share: Share | None = None
    long_window: DurationText
    short_window: DurationText
    severity: Literal["page", "ticket"]
    for_: Annotated[DurationText | None, Field(alias="for")] = None
    keep_firing_for: DurationText | None = None
    min_bad_events: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    below_target: PercentText | None = None
    from_target: PercentText | None = None

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if self.error_ratio is None and self.factor is None and self.share is None:
            raise ValueError("a tier needs a factor; give one of factor, share and errorRatio")
        if self.error_ratio is not None and (self.factor is not None or self.share is not None):
            raise ValueError("errorRatio excludes factor and share; give one of them")
        return self

    @model_validator(mode="after")
    def _windows_in_order(self) -> Self:
        if self.short_window.seconds >= self.long_window.seconds:
            raise ValueError(
                f"shortWindow {self.short_window} is no shorter than longWindow {self.long_window}; "
                "a twelfth of it is usual"
            )
        return self

    @property
    def title(self) -> str:
        """The name, or what stands for it."""
        if self.name:
            return self.name
        if self.error_ratio is not None:
            return percent_text(self.error_ratio)
        return f"{decimal_text(self.factor)}x" if self.factor is not None else ""


class Steps(Model):
    """How often each group is evaluated, which is also the length of its tiles."""

    fast: DurationText = Duration(Decimal(30))
    slow: DurationText = Duration(Decimal(240))


class WorstReplica(Model):
    """The ticket on one replica that is far worse than all of them together.

    Attributes:
        factor: so many times over budget a replica must be.
        error_ratio: the share of bad events that is enough, where the factor asks for more.
        window: over which a replica's events are counted.
        for_: how long the condition must hold: at least the window, so that what a restart with other buckets or names
            distorts has left the window before the ticket.
        min_bad_events: more bad events than this must lie in the window, of that one replica.
    """

    factor: Factor
    error_ratio: Share
    window: DurationText
    for_: Annotated[DurationText, Field(alias="for")]
    min_bad_events: Annotated[int, Field(ge=0, le=1_000_000_000)]

    @model_validator(mode="after")
    def _outlasts_its_window(self) -> Self:
        if not _LEAST_REPLICA_WINDOW <= self.window.seconds <= _LONGEST_REPLICA_WINDOW:
            raise ValueError(
                f"a window of {self.window} tells too little, or costs too much; write 5m to 6h, such as 30m"
            )
        if not self.window.seconds <= self.for_.seconds <= _LONGEST_REPLICA_WAIT:
            raise ValueError(
                f"a wait of {self.for_} is not from the window, {self.window}, to a day; write for: {self.window}"
            )
        return self


class BurnRatePolicySpec(Model):
    """Tiers and steps.

    Attributes:
        source: where the policy comes from.
        factors_hold_from: the shortest period for which the factors hold as they are written.
        worst_replica: when one replica is a ticket; without it, as the default policy says.
    """

    description: Annotated[str, Field(max_length=1050)] | None = None
    source: str = ""
    steps: Steps = Field(default_factory=Steps)
    factors_hold_from: DurationText = Duration(Decimal(28 * 86400))
    tiers: Annotated[list[Tier], Field(min_length=1, max_length=20)]
    worst_replica: WorstReplica | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [tier.title for tier in self.tiers if tier.title]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two tiers are named {twice}; give one of them a name")
        return self


class BurnRatePolicy(Model):
    """A burn-rate policy."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["BurnRatePolicy"]
    metadata: Metadata
    spec: BurnRatePolicySpec
