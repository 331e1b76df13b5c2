"""Shipped documents without validation: the suite judges them, so that no start needs to build their validators."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator
from pydantic.fields import FieldInfo

from slo_compiler.documents.base import Model, default_of

M = TypeVar("M", bound=Model)
_RAW: Any = (str, list, dict)
_Read = Callable[[Any], Any]


def construct(model: type[M], data: Mapping[str, Any]) -> M:
    """The document that `model.model_validate(data)` gives, for data that is known to be valid.

    Args:
        data: by alias, with all scalars as text.
    """
    values: dict[str, Any] = {}
    for key, name, read, field in _fields(model):
        values[name] = read(data[key]) if key in data else default_of(field)
    made: Any = model.model_construct(**values)
    assert isinstance(made, model)
    return made


@cache
def _fields(model: type[Model]) -> tuple[tuple[str, str, _Read, FieldInfo], ...]:
    """Key in the document, name and reader of every field."""
    return tuple(
        (field.alias or name, name, _after(field.metadata, _reader(field.annotation)), field)
        for name, field in model.model_fields.items()
    )


def _reader(annotation: Any) -> _Read:
    """What makes a value of the annotated type from text, lists and dicts; what is already of its type stays."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _after(arguments[1:], _reader(arguments[0]))
    if origin in (Union, types.UnionType):
        return _union_reader([argument for argument in arguments if argument is not type(None)])
    if origin in (list, tuple, frozenset):
        item = _reader(arguments[0])
        return lambda value: origin(map(item, value)) if isinstance(value, _RAW) else value
    if origin is dict:
        key, entry = _reader(arguments[0]), _reader(arguments[1])
        return lambda value: {key(name): entry(item) for name, item in value.items()}
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return lambda value: construct(annotation, value) if isinstance(value, dict) else value
    if annotation is bool:
        return lambda value: value == "true" if isinstance(value, str) else value
    if origin is not Literal and isinstance(annotation, type) and issubclass(annotation, Enum | int | Decimal):
        return lambda value: annotation(value) if isinstance(value, str) else value
    return _as_it_is


def _union_reader(members: Sequence[Any]) -> _Read:
    """Reads for the first member, and a mapping for the model among them."""
    first = _reader(members[0])
    plain = [get_args(item)[0] if get_origin(item) is Annotated else item for item in members]
    model = next((item for item in plain if isinstance(item, type) and issubclass(item, Model)), None)
    if model is None:
        return first
    of_model = _reader(model)
    return lambda value: of_model(value) if isinstance(value, dict) else first(value)


def _after(steps: Sequence[Any], read: _Read) -> _Read:
    """Reads what the validators of an annotation make of a value."""
    functions: list[Any] = [step.func for step in steps if isinstance(step, BeforeValidator | AfterValidator)]
    if not functions:
        return read

    def through(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return read(value)

    return through


def _as_it_is(value: Any) -> Any:
    return value
