"""The base of all document models, and the field types that read text as people write it.

Modules whose models every run needs do without `from __future__ import annotations`, and so do those of named tuples:
annotations that are text are compiled one by one at each start.
"""

import importlib
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from slo_compiler.units import Duration, parse_percent, percent_text

T = TypeVar("T")
_DAY = Decimal(86400)
_LONGEST_PERIOD_DAYS = 366
# Far over anything real, and far under what a double or a PromQL number can hold.
_LARGEST_NUMBER = 1_000_000_000_000
_LARGEST_COUNT = 1_000_000_000
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


def camel(name: str) -> str:
    """The name of a field as documents write it: `latency_budget` is `latencyBudget`."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


class JsonSchema:
    """Says what a field is to an editor. Pydantic's own `WithJsonSchema` loads the generator of schemas at import."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """What pydantic asks for when it generates a schema."""
        del core_schema, handler
        return dict(self._schema)


class Written:
    """Says how a value is written. Pydantic's own `PlainSerializer` loads the machinery of serializers at import."""

    def __init__(self, text: Callable[[Any], str]) -> None:
        self._text = text

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """What pydantic asks for when it builds a validator."""
        schema = handler(source)
        text = core_schema.str_schema()
        schema["serialization"] = core_schema.plain_serializer_function_ser_schema(self._text, return_schema=text)
        return schema


def fresh(make: Callable[[], T]) -> Callable[[], T]:
    """What makes the default of a field anew each time; of a class, pydantic would work out the signature first."""
    return lambda: make()


class Model(BaseModel):
    """A document or a part of one: camelCase keys, unknown keys refused, immutable once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=camel,
        validate_by_name=True,
        validate_by_alias=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # a validator is built when its kind is first read: most runs need few of them
    )


class Rare:
    """A part of a document that few have: its model is imported where one has it, which others need not wait for.

    Stands in `Annotated[Any, Rare(module, name)]`; faults inside keep their places.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    @property
    def model(self) -> type[Model]:
        """The model of the part."""
        model: type[Model] = getattr(importlib.import_module(self._module), self._name)
        return model

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """What pydantic asks for when it builds a validator."""
        del source, handler
        return core_schema.no_info_plain_validator_function(lambda value: self.model.model_validate(value))

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        """What pydantic asks for when it generates a schema."""
        del core
        self.model.model_rebuild()
        return handler(self.model.__pydantic_core_schema__)


def annotation_of(field: FieldInfo) -> Any:
    """What a field holds: its annotation, or the model of a rare part."""
    return _rare_model(field.metadata) or field.annotation


def model_behind(annotation: Any) -> type[Model] | None:
    """The model of a rare part, such as a list may be of; None where the annotation is of none."""
    return _rare_model(getattr(annotation, "__metadata__", ()))


def default_of(field: FieldInfo) -> Any:
    """The default of a field; pydantic's own `get_default` works out the signature of the factory each time."""
    factory: Any = field.default_factory
    return field.default if factory is None else factory()


def _rare_model(metadata: Iterable[Any]) -> type[Model] | None:
    rare = next((item for item in metadata if isinstance(item, Rare)), None)
    return rare.model if rare is not None else None


def _read_duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a duration such as 150ms, 30s or 28d")
    try:
        return Duration.parse(value)
    except ValueError as fault:
        raise ValueError(f"{fault}; {_duration_hint(value)}") from None


# As OpenSLO writes months, quarters and years.
_LONG = re.compile(r"([0-9]{1,3})([MQY])")
_LONG_DAYS = {"M": 30, "Q": 90, "Y": 365}


def _duration_hint(text: str) -> str:
    """What the text would be as a duration, where that can be told; months and longer are in days."""
    long = _LONG.fullmatch(text.strip())
    if long is not None and 1 <= int(long[1]) * _LONG_DAYS[long[2]] <= _LONGEST_PERIOD_DAYS:
        days = f"write {int(long[1]) * _LONG_DAYS[long[2]]}d"
        return f"{days}, or {int(long[1])}m for minutes" if long[2] == "M" else days
    plain = "".join(text.split()).lower()
    if _NUMBER.fullmatch(plain):
        return f"write a unit: {plain}ms, {plain}s or {plain}d"
    try:
        Duration.parse(plain)
    except ValueError:
        return "write a number and a unit, such as 150ms, 30s or 28d"
    return f"write {plain}"


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
        raise ValueError(f"{fault}; {_percent_hint(value)}") from None


def _percent_hint(text: str) -> str:
    """What the text would be as a percentage, where that can be told: 0.95 can only be 95%."""
    plain = "".join(text.split())
    # 1 may be 1% or all of it: neither is offered.
    if not _NUMBER.fullmatch(plain) or not 0 < Decimal(plain) <= 100 or Decimal(plain) == 1:
        return "write a percentage such as 95% or 99.9%"
    return f"write {percent_text(Decimal(plain))}" if Decimal(plain) < 1 else f"write {plain}%"


# Each unit once, the largest first, and not all of them zero.
_PARTS = "".join(rf"([0-9]{{1,12}}(\.[0-9]{{1,15}})?{unit})?" for unit in ("w", "d", "h", "m", "s", "ms"))
_DURATION = {"type": "string", "pattern": f"^(?=.*[1-9]){_PARTS}$", "examples": ["150ms", "28d"]}
# Up to two whole digits of any percentage, or one hundred.
_PERCENT = r"(0?[0-9]{1,2}(\.[0-9]{1,9})?|100(\.0{1,9})?) ?%$"
_PERCENT_EXAMPLES = ["95%", "99.9%"]
SHARE_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^(?=.*[1-9]){_PERCENT}", "examples": _PERCENT_EXAMPLES}
"""A percentage over 0%, in words of JSON Schema."""
# What `units.parse_decimal` reads and is over zero; the bounds of a number hold for numbers only.
POSITIVE_TEXT: dict[str, Any] = {
    "type": "string",
    "pattern": r"^\+?(?=[0-9.]*[1-9])([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$",
}

DurationText = Annotated[Duration, BeforeValidator(_read_duration), Written(str), JsonSchema(_DURATION)]
PeriodText = Annotated[DurationText, AfterValidator(_check_period)]
Positive = Annotated[float, Field(gt=0, le=_LARGEST_NUMBER, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=_LARGEST_COUNT)]
PositiveCount = Annotated[int, Field(gt=0, le=_LARGEST_COUNT)]
PercentText = Annotated[
    Decimal,
    BeforeValidator(_read_percent),
    Written(percent_text),
    JsonSchema({"type": "string", "pattern": f"^{_PERCENT}", "examples": _PERCENT_EXAMPLES}),
]
