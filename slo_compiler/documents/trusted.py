"""Shipped documents without validation: the suite judges them, so that no start needs to build their validators."""

from __future__ import annotations

import types
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator

from slo_compiler.documents.base import Model

M = TypeVar("M", bound=Model)
_RAW: Any = (str, list, dict)


def construct(model: type[M], data: Mapping[str, Any]) -> M:
    """The document that `model.model_validate(data)` gives, for data that is known to be valid.

    Args:
        data: by alias, with all scalars as text.
    """
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in data:
            value = data[key]
            for step in field.metadata:
                value = _applied(step, value)
            values[name] = _read(field.annotation, value)
        else:
            values[name] = field.get_default(call_default_factory=True)
    made: Any = model.model_construct(**values)
    assert isinstance(made, model)
    return made


def _read(annotation: Any, value: Any) -> Any:
    """A value of the annotated type from text, lists and dicts; what is already of its type stays."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for step in arguments[1:]:
            value = _applied(step, value)
        return _read(arguments[0], value)
    if origin in (Union, types.UnionType):
        return _read(_member(arguments, value), value)
    if origin is Literal or not isinstance(value, _RAW):
        return value
    if origin in (list, tuple, frozenset):
        return origin(_read(arguments[0], item) for item in value)
    if origin is dict:
        return {_read(arguments[0], key): _read(arguments[1], item) for key, item in value.items()}
    return _read_plain(annotation, value)


def _read_plain(annotation: Any, value: Any) -> Any:
    if not isinstance(annotation, type):
        return value
    if issubclass(annotation, Model):
        return construct(annotation, value)
    if annotation is bool:
        return value == "true"
    if issubclass(annotation, Enum | int | Decimal):
        return annotation(value)
    return value


def _member(arguments: tuple[Any, ...], value: Any) -> Any:
    """The member of a union that a value is for: a mapping is for the model among them."""
    members = [argument for argument in arguments if argument is not type(None)]
    if isinstance(value, dict):
        return next((item for item in members if isinstance(item, type) and issubclass(item, Model)), members[0])
    return members[0]


def _applied(step: Any, value: Any) -> Any:
    if isinstance(step, BeforeValidator | AfterValidator):
        function: Any = step.func
        return function(value)
    return value
