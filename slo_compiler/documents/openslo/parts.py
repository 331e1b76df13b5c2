"""What all kinds of OpenSLO share: the base of their parts, and scalars as OpenSLO's own readers see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from slo_compiler.documents.base import JsonSchema, Written
from slo_compiler.documents.judged import Judged
from slo_compiler.load.source_map import Plain
from slo_compiler.units import Duration

# How YAML 1.1, which OpenSLO's tools read, sees scalars without quotes.
_BOOLEAN = re.compile(r"[yYnN]|[yY]es|YES|[nN]o|NO|[tT]rue|TRUE|[fF]alse|FALSE|[oO]n|ON|[oO]ff|OFF")
_NUMBER = re.compile(
    r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]*|0[bB][01_]+|[1-9][0-9_]*)"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_OCTAL = re.compile(r"[-+]?0[0-9_]+")
# Outside of these, a double cannot hold a number.
_EXPONENTS = range(-300, 300)


class Part(Judged):
    """A part of an OpenSLO document: an optional field without a value is a field that is not given."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict) or None not in data.values():
            return data
        required = {field.alias or name for name, field in cls.model_fields.items() if field.is_required()}
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key in required or key not in known}


def read_text(value: Any) -> Any:
    """Text; what YAML takes for a number or a boolean must stand in quotes.

    Raises:
        ValueError: it does not.
    """
    if isinstance(value, Plain):
        what = "a boolean" if _BOOLEAN.fullmatch(value) else "a number" if _NUMBER.fullmatch(value) else ""
        if what:
            raise ValueError(f'{value} without quotes is {what}, not text; quote it: "{value}"')
    return value


def _read_bool(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, Plain) and value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return value.lower() == "true"
    raise ValueError("expected true or false; write true or false, without quotes")


def _read_number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, Plain):
        raise ValueError("expected a number without quotes; write a number such as 0.999")
    if _OCTAL.fullmatch(value):
        raise ValueError(f"{value} is an octal number to some readers of YAML; write it without leading zeros")
    try:
        number = Decimal(value) if _NUMBER.fullmatch(value) else None
    except InvalidOperation:
        number = None
    if number is None:
        what = "finite number" if value.lower().lstrip("+-.") in ("inf", "nan", "infinity") else "number"
        raise ValueError(f"{str(value)!r} is no {what}; write a number such as 0.999")
    if number and number.adjusted() not in _EXPONENTS:
        raise ValueError(f"{str(value)!r} is too large or too small for any rule; write a number such as 0.999")
    return number


@dataclass(frozen=True, slots=True)
class Shorthand:
    """A duration as OpenSLO writes it: a whole number and one unit of `m h d w M Q Y`.

    Attributes:
        bare: it was a number alone, of minutes.
    """

    count: int
    unit: str
    bare: bool = False

    @property
    def length(self) -> Duration:
        """Months, quarters and years as OpenSLO's Go SDK converts them: 30, 90 and 365 days."""
        return Duration.of(self.count * _UNIT_SECONDS[self.unit])

    @property
    def is_of_no_fixed_length(self) -> bool:
        """Whether it counts months, quarters or years, which differ in length."""
        return self.unit in "MQY"

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


_UNIT_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "Q": 7776000, "Y": 31536000}
_SHORTHAND = re.compile(r"([1-9][0-9]{0,8})([mhdwMQY])")
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")


def _read_shorthand(value: Any) -> Any:
    if isinstance(value, Shorthand):
        return value
    match = _SHORTHAND.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        given = f"{str(value)!r} is no duration of OpenSLO" if isinstance(value, str) else "expected a duration"
        raise ValueError(f"{given}; write a whole number and one unit of m, h, d, w, M, Q, Y, such as 28d")
    return Shorthand(int(match[1]), match[2])


def _read_slice(value: Any) -> Any:
    if isinstance(value, Plain) and _WHOLE.fullmatch(value):
        return Shorthand(int(value), "m", bare=True)
    return _read_shorthand(value)


_DURATION_SCHEMA = {"type": "string", "pattern": "^[1-9][0-9]{0,8}[mhdwMQY]$", "examples": ["28d", "1h", "5m"]}
_SLICE_SCHEMA = {"anyOf": [_DURATION_SCHEMA, {"type": "integer", "minimum": 1, "maximum": 999_999_999}]}

Text = Annotated[str, BeforeValidator(read_text)]
# Bounds before the reader, so that they are bounds of a text to pydantic and not of any value.
NonEmpty = Annotated[str, Field(min_length=1), BeforeValidator(read_text)]
Description = Annotated[str, Field(max_length=1050), BeforeValidator(read_text)]
DisplayName = Annotated[str, Field(max_length=63), BeforeValidator(read_text)]
Bool = Annotated[bool, BeforeValidator(_read_bool)]
Number = Annotated[Decimal, BeforeValidator(_read_number), JsonSchema({"type": "number"})]
Share = Annotated[
    Decimal,
    Field(ge=0, lt=1),
    BeforeValidator(_read_number),
    JsonSchema({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
]
Percent = Annotated[
    Decimal,
    Field(ge=0, lt=100),
    BeforeValidator(_read_number),
    JsonSchema({"type": "number", "minimum": 0, "exclusiveMaximum": 100}),
]
DurationShorthand = Annotated[Shorthand, BeforeValidator(_read_shorthand), Written(str), JsonSchema(_DURATION_SCHEMA)]
SliceWindow = Annotated[Shorthand, BeforeValidator(_read_slice), Written(str), JsonSchema(_SLICE_SCHEMA)]
