"""Data to documents: picks the model by `apiVersion` and `kind`, and turns its complaints into diagnostics."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error
from slo_compiler.diagnostics.nearest import did_you_mean, nearest
from slo_compiler.documents.base import Model
from slo_compiler.documents.inference_slo import InferenceSLO
from slo_compiler.documents.openslo import OpenSLO
from slo_compiler.load.source_map import Path, Plain, SourceDocument

KINDS: dict[tuple[str, str], type[Model]] = {
    ("slo-compiler/v1", "InferenceSLO"): InferenceSLO,
    ("openslo/v1", "SLO"): OpenSLO,
}
# Valid documents that this compiler has no rules for.
_NOT_COMPILED_KINDS = {
    ("openslo/v1", kind): "write the indicator into the SLO itself; only kind SLO is compiled"
    for kind in ("DataSource", "Service", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")
}


def read_document(source: SourceDocument) -> tuple[Model | None, list[Diagnostic]]:
    """The typed document, or None and why not."""
    data = source.data
    if not isinstance(data, dict):
        message = "a document must be a mapping with apiVersion and kind"
        return None, [error(Code.SLO203, source.value_span(()), message)]
    missing = [key for key in ("apiVersion", "kind") if not isinstance(data.get(key), str)]
    if missing:
        span = source.value_span(())
        hint = "apiVersion: slo-compiler/v1 and kind: InferenceSLO, or openslo/v1 and SLO"
        return None, [error(Code.SLO202, span, f"{' and '.join(missing)} missing", hint)]
    identity = (str(data["apiVersion"]), str(data["kind"]))
    model = KINDS.get(identity)
    if model is None:
        return None, [_unknown_kind(source, identity)]
    return read_model(model, source)


def read_model(model: type[Model], source: SourceDocument) -> tuple[Model | None, list[Diagnostic]]:
    """The data as a value of `model`, or None and a diagnostic per fault."""
    try:
        return model.model_validate(source.data), []
    except ValidationError as fault:
        found = [_diagnostic(source, model, details) for details in fault.errors(include_url=False)]
        return None, _without_echoes(found)


def _unknown_kind(source: SourceDocument, identity: tuple[str, str]) -> Diagnostic:
    version, kind = identity
    if identity in _NOT_COMPILED_KINDS:
        span = source.value_span(("kind",))
        return error(Code.SLO206, span, f"kind {kind} of {version} is not compiled", _NOT_COMPILED_KINDS[identity])
    versions = sorted({known for known, _ in KINDS})
    if version not in versions:
        span = source.value_span(("apiVersion",))
        return error(Code.SLO203, span, f"unknown apiVersion {version!r}", did_you_mean(version, versions))
    kinds = [known for of, known in (*KINDS, *_NOT_COMPILED_KINDS) if of == version]
    span = source.value_span(("kind",))
    return error(Code.SLO203, span, f"unknown kind {kind!r} of {version}", did_you_mean(kind, kinds))


def _diagnostic(source: SourceDocument, model: type[Model], details: ErrorDetails) -> Diagnostic:
    loc: Path = details["loc"]
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown_field(source, model, loc)
    if kind == "missing":
        return error(Code.SLO202, source.value_span(loc[:-1]), f"{_dotted(loc)} is missing")
    message = details["msg"].removeprefix("Value error, ")
    if details.get("input") is None and kind not in ("value_error",):
        return error(Code.SLO202, source.key_span(loc), f"{_dotted(loc)} has no value")
    message, _, hint = message.partition("; ")
    if kind == "literal_error":
        expected = str(details.get("ctx", {}).get("expected", "")).replace("'", "")
        given = str(details["input"])
        known = expected.replace(" or ", ", ").split(", ")
        close = nearest(given, known)
        message, hint = f"{given!r} is not one of {expected}", f"did you mean {close}?" if close else ""
    return error(Code.SLO203, source.value_span(loc), f"{_dotted(loc)}: {message}", hint)


def _unknown_field(source: SourceDocument, model: type[Model], loc: Path) -> Diagnostic:
    name = str(loc[-1])
    parent = model_at(model, loc[:-1])
    span = source.key_span(loc)
    refused: dict[str, str] = getattr(parent, "NOT_COMPILED", {})
    if name in refused:
        return error(Code.SLO206, span, f"{_dotted(loc)} cannot be compiled", refused[name])
    known = [field.alias or key for key, field in parent.model_fields.items()] if parent else []
    where = _dotted(loc[:-1]) or "the document"
    hint = did_you_mean(name, known, otherwise="fields here")
    return error(Code.SLO201, span, f"{where} has no field {name}", hint)


def model_at(model: type[Model], loc: Path) -> type[Model] | None:
    """The model of the field at `loc`, found through its annotations; None where there is none."""
    current: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        fields = getattr(current, "model_fields", None)
        if fields is None:
            return None
        named = [field for key, field in fields.items() if part in (key, field.alias)]
        if not named:
            continue  # the tag of a union
        current = _inner_model(named[0].annotation)
        if current is None:
            return None
    return current if isinstance(current, type) and issubclass(current, Model) else None


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Model) else None
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None


def _without_echoes(found: list[Diagnostic]) -> list[Diagnostic]:
    """One diagnostic per place: each member of a union complains of the same value."""
    seen = set()
    kept = []
    for diagnostic in found:
        key = (diagnostic.span, diagnostic.code)
        if key not in seen:
            seen.add(key)
            kept.append(diagnostic)
    return kept


def _dotted(loc: Path) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return "".join(parts).removeprefix(".")


__all__ = ["KINDS", "Plain", "model_at", "read_document", "read_model"]
