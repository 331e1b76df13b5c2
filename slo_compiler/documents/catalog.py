"""The `ExperienceCatalog` document: classes, profiles, use cases and formula parameters, each value with its source."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from slo_compiler.documents.base import POSITIVE_TEXT, DurationText, JsonSchema, Model, PercentText, Written
from slo_compiler.documents.metadata import Metadata
from slo_compiler.documents.sourced import sourced_values
from slo_compiler.units import decimal_text, parse_decimal

T = TypeVar("T")


def _read_positive_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError("expected a number such as 0.8")
    try:
        number = parse_decimal(str(value))
    except ValueError as fault:
        raise ValueError(f"{fault}; write a number such as 0.8") from None
    if number <= 0:
        raise ValueError(f"{value!r} is not above zero")
    return number


def _read_as_words(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


PositiveNumberText = Annotated[
    Decimal,
    BeforeValidator(_read_positive_number),
    Written(decimal_text),
    JsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, POSITIVE_TEXT]}),
]
WordsOrNumber = Annotated[str, BeforeValidator(_read_as_words), JsonSchema({"type": ["string", "number"]})]
Tokens = Annotated[int, Field(gt=0)]
SourceKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]
KebabName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63)]
ProfileName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", max_length=63)]


class _Part(Model):
    """A part of the document."""

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The fields as the document names them."""
        for name, field in type(self).model_fields.items():
            yield field.alias or name, getattr(self, name)


class Alternative(_Part):
    """What a source says instead, for people to read: a value, several (a range, a list of names), or a few words."""

    value: WordsOrNumber | tuple[WordsOrNumber, ...]
    source: SourceKey


class Sourced(_Part, Generic[T]):
    """A value and where it came from. `source` is a key of the document's `sources`, such as `A`."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"alternatives": {"minItems": 1}}, "required": ["alternatives"]},
            "then": {"properties": {"reason": {"minLength": 1}}, "required": ["reason"]},
        }
    )

    value: T
    source: SourceKey
    also_in: tuple[SourceKey, ...] = ()
    """Other sources that state the same value."""
    reason: str = ""
    """Why this value, where sources disagree or none states it."""
    alternatives: tuple[Alternative, ...] = ()

    @model_validator(mode="after")
    def _choice_has_reason(self) -> Self:
        if self.alternatives and not self.reason:
            raise ValueError("`alternatives` without a `reason` for the choice; add one")
        return self

    @property
    def cited(self) -> tuple[str, ...]:
        """Every source key that the value mentions: its own, those that agree, those of the alternatives."""
        return (self.source, *self.also_in, *(alternative.source for alternative in self.alternatives))


class TokenLatencies(_Part):
    """Time to first token, and time per output token after it."""

    ttft: Sourced[DurationText]
    itl: Sourced[DurationText]


class ExperienceClass(_Part):
    """How fast an interaction must feel."""

    user_expectation: Sourced[str]
    rationale: Sourced[str]
    target: Sourced[PercentText]
    """Share of events that must be good, for `base` and `ceilings` alike."""
    base: TokenLatencies
    """What a spec gets that names the class and no use case."""
    ceilings: TokenLatencies
    """The slowest promises that still feel like this class."""
    latency_slis: Sourced[Literal["enforced", "informational"]] | None = None
    """Absent means enforced; informational ones are recorded and shown, never paged."""

    @property
    def latency_is_informational(self) -> bool:
        """Whether token latencies are recorded and shown, but never paged."""
        return self.latency_slis is not None and self.latency_slis.value == "informational"


class TrafficProfile(_Part):
    """The shape of the traffic, in tokens per request."""

    prompt_tokens: Sourced[Tokens]
    output_tokens: Sourced[Tokens]
    pattern: Sourced[str]


class LongOutputLatency(Sourced[DurationText]):
    """A latency that holds from so many output tokens on."""

    from_output_tokens: Tokens


class UseCase(_Part):
    """What people do with the model, and the latencies at which it feels right."""

    title: Sourced[str]
    rationale: Sourced[str] | None = None
    experience_class: Sourced[KebabName]
    traffic_profile: Sourced[ProfileName]
    target: Sourced[PercentText]
    """Share of events that must be good, for each of the latencies below."""
    ttft: Sourced[DurationText]
    itl: Sourced[DurationText]
    e2e: Sourced[DurationText] | None = Field(default=None, alias="e2e")  # the generated alias would be e2E
    itl_long_outputs: LongOutputLatency | None = None
    """Takes the place of `itl` where outputs are long."""


class FactorStep(Sourced[PositiveNumberText]):
    """A factor for arguments below a bound, which is exclusive; the last step of a list has none."""

    below: PositiveNumberText | None = None


def _check_steps(steps: tuple[FactorStep, ...]) -> tuple[FactorStep, ...]:
    bounds = [step.below for step in steps[:-1]]
    if steps[-1].below is not None:
        raise ValueError("the last step must have no `below`, so that every argument has a factor")
    known = [bound for bound in bounds if bound is not None]
    if len(known) < len(bounds) or known != sorted(set(known)):
        raise ValueError("every step but the last needs a `below`, each greater than the one before")
    return steps


class PromptLengthAdjustment(_Part):
    """How TTFT grows with the prompt."""

    rule: Sourced[str]
    formula: Sourced[str]
    base_prompt_tokens: Sourced[Tokens]
    alpha: Sourced[PositiveNumberText]


class ThroughputRelation(_Part):
    """How ITL follows from throughput."""

    formula: Sourced[str]


class GpuCountAdjustment(_Part):
    """How ITL falls with the number of GPUs."""

    formula: Sourced[str]
    exponent: Sourced[PositiveNumberText]


class HardwareTier(_Part):
    """GPUs of one tier, and the factor on latencies."""

    factor: Sourced[PositiveNumberText]
    gpus: Sourced[tuple[str, ...]]


class HardwareAdjustment(_Part):
    """Factors by tier of hardware."""

    rule: Sourced[str]
    tiers: dict[KebabName, HardwareTier]


class _Stepped(_Part):
    steps: tuple[FactorStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _steps_cover_everything(self) -> Self:
        _check_steps(self.steps)
        return self


class ModelSizeAdjustment(_Stepped):
    """Factors by billions of parameters."""


class LoadAdjustment(_Stepped):
    """Factors by utilization, from 0."""

    rule: Sourced[str]
    unknown_capacity_utilization: Sourced[PositiveNumberText]


class EndToEnd(_Part):
    """How E2E follows from TTFT and ITL; the steps are by output tokens."""

    formula: Sourced[str]
    overhead_steps: tuple[FactorStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _steps_cover_everything(self) -> Self:
        _check_steps(self.overhead_steps)
        return self


class Rounding(_Part):
    """When and how computed latencies are rounded."""

    rule: Sourced[str]


class Adjustments(_Part):
    """The parameters of all formulas."""

    model_config = ConfigDict(protected_namespaces=())  # `model_size` is no method of pydantic

    prompt_length: PromptLengthAdjustment
    throughput: ThroughputRelation
    gpu_count: GpuCountAdjustment
    hardware: HardwareAdjustment
    model_size: ModelSizeAdjustment
    load: LoadAdjustment
    e2e: EndToEnd = Field(alias="e2e")
    rounding: Rounding


class CatalogSpec(_Part):
    """The content; a file may hold any of the sections."""

    sources: dict[SourceKey, str]
    """Source key to title."""
    experience_classes: dict[KebabName, ExperienceClass] = Field(default_factory=dict)
    traffic_profiles: dict[ProfileName, TrafficProfile] = Field(default_factory=dict)
    use_cases: dict[KebabName, UseCase] = Field(default_factory=dict)
    adjustments: Adjustments | None = None


class ExperienceCatalog(_Part):
    """A catalog document, or one of the files that make up a catalog."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["ExperienceCatalog"]
    metadata: Metadata
    spec: CatalogSpec

    @model_validator(mode="after")
    def _sources_are_declared(self) -> Self:
        for path, value in sourced_values(self.spec):
            for key in value.cited:
                if key not in self.spec.sources:
                    raise ValueError(
                        f"{path}: source {key!r} is not in `sources`; add it there: {key}: where it is from"
                    )
        return self
