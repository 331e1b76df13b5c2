"""The base of all document models, and the field types that read text as people write it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from slo_compiler.units import Duration, parse_percent, percent_text


class Model(BaseModel):
    """A document or a part of one: camelCase keys, unknown keys refused, immutable once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        arbitrary_types_allowed=True,
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
PercentText = Annotated[
    Decimal,
    BeforeValidator(_read_percent),
    PlainSerializer(percent_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]+)? ?%$", "examples": ["95%", "99.9%"]}),
]
