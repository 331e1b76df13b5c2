"""Rules that a type cannot say: what is wrong between the fields of a document's part, and what is worth a word."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, Span
from slo_compiler.documents.base import Model
from slo_compiler.load.source_map import Path

# The types of pydantic's errors that faults become: what is wrong at a place, and what is missing there.
WRONG, ABSENT = "value_error", "absent"


class Fault(NamedTuple):
    """An error at a place within the part, by the names that the document uses."""

    loc: Path
    message: str
    hint: str = ""
    kind: str = WRONG


class Notice(NamedTuple):
    """A warning or a piece of information about a part that is valid.

    Attributes:
        loc: the place within the part.
        at_key: the key itself is meant, not its value.
        compile_only: an error of `compile`, where the document is valid.
    """

    code: Code
    severity: Severity
    loc: Path
    message: str
    hint: str = ""
    at_key: bool = False
    compile_only: bool = False


class Judged(Model):
    """A part of a document that judges its own fields together, once each of them is valid."""

    def faults(self) -> Iterator[Fault]:
        """What is wrong between its fields."""
        return iter(())

    def notices(self) -> Iterator[Notice]:
        """What is worth a word although it is valid."""
        return iter(())

    @model_validator(mode="after")
    def _judge(self) -> Self:
        found = [
            InitErrorDetails(
                type=PydanticCustomError(fault.kind, f"{fault.message}; {fault.hint}"),
                loc=fault.loc,
                input=self,
            )
            for fault in self.faults()
        ]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self


def parts_of(value: Any, loc: Path = ()) -> Iterator[tuple[Path, Model]]:
    """Every model inside a value with its place, the outer ones first."""
    if isinstance(value, Model):
        yield loc, value
        for name, field in type(value).model_fields.items():
            yield from parts_of(getattr(value, name), (*loc, field.alias or name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from parts_of(item, (*loc, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from parts_of(item, (*loc, key))


def dotted(loc: Path) -> str:
    """A place as people write it: `spec.objectives[0].target`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return "".join(parts).removeprefix(".")


def notice_at(span: Span, notice: Notice) -> Diagnostic:
    """A notice as it is shown."""
    where = f"{dotted(notice.loc)}: " if notice.loc else ""
    message = f"{where}{notice.message}"
    return Diagnostic(notice.code, notice.severity, span, message, notice.hint, compile_only=notice.compile_only)


def notices_of(document: Model) -> Iterator[Notice]:
    """The notices of every part of a document, at their places within the document."""
    for loc, part in parts_of(document):
        if isinstance(part, Judged):
            for notice in part.notices():
                yield notice._replace(loc=(*loc, *notice.loc))


JsonObject = dict[str, Any]


def given(*names: str) -> JsonObject:
    """In words of JSON Schema: these fields are there and have a value."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


def absent(*names: str) -> JsonObject:
    """In words of JSON Schema: none of these fields has a value."""
    return {"not": {"anyOf": [given(name) for name in names]}}


def either_of(*forms: JsonObject) -> JsonObject:
    """In words of JSON Schema: exactly one of the forms; as pydantic's configuration of a model."""
    return {"oneOf": list(forms)}
