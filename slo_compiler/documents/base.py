"""The base of all document models, and the field types that read text as people write it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from slo_compiler.units import Duration, parse_percent, percent_text

_DAY = Decimal(86400)
_LONGEST_PERIOD_DAYS = 366
# Far over anything real, and far under what a double or a PromQL number can hold.
_LARGEST_NUMBER = 1_000_000_000_000
_LARGEST_COUNT = 1_000_000_000


class Model(BaseModel):
    """A document or a part of one: camelCase keys, unknown keys refused, immutable once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # a validator is built when its kind is first read: most runs need few of them
    )


def _read_duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a duration such as 150ms, 30s or 28d")
    try:
        return Duration.parse(value)
    except ValueError as fault:
        raise ValueError(f"{fault}; write a number and a unit, such as 150ms, 30s or 28d") from None


def _check_period(value: Duration) -> Duration:
    days, rest = divmod(value.seconds, _DAY)
    if rest or not 1 <= days <= _LONGEST_PERIOD_DAYS:
        why = "no whole number of days" if rest else "no period of 1 to 366 days"
        raise ValueError(f"{value} is {why}; write whole days, such as 28d")
    return value


def _read_percent(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a percentage such as 95%")
    try:
        return parse_percent(value)
    except ValueError as fault:
        raise ValueError(f"{fault}; write a percentage such as 95% or 99.9%") from None


DurationText = Annotated[
    Duration,
    BeforeValidator(_read_duration),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$", "examples": ["150ms", "28d"]}
    ),
]
PeriodText = Annotated[DurationText, AfterValidator(_check_period)]
Positive = Annotated[float, Field(gt=0, le=_LARGEST_NUMBER, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=_LARGEST_COUNT)]
PositiveCount = Annotated[int, Field(gt=0, le=_LARGEST_COUNT)]
PercentText = Annotated[
    Decimal,
    BeforeValidator(_read_percent),
    PlainSerializer(percent_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]+)? ?%$", "examples": ["95%", "99.9%"]}),
]
