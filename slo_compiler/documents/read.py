"""Data to documents: picks the model by `apiVersion` and `kind`, and turns its complaints into diagnostics."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.base import Model, annotation_of, model_behind
from slo_compiler.documents.judged import ABSENT, Judged, dotted, notice_at, notices_of
from slo_compiler.load.source_map import Path, Plain, SourceDocument

# The module and the name of each model; a module is imported when the first document of its kind is read.
KINDS: dict[tuple[str, str], tuple[str, str]] = {
    ("slo-compiler/v1", "InferenceSLO"): ("slo_compiler.documents.inference_slo", "InferenceSLO"),
    ("slo-compiler/v1", "BurnRatePolicy"): ("slo_compiler.documents.policy", "BurnRatePolicy"),
    ("slo-compiler/v1", "Engine"): ("slo_compiler.documents.engine", "Engine"),
    ("slo-compiler/v1", "ExperienceCatalog"): ("slo_compiler.documents.catalog", "ExperienceCatalog"),
    ("openslo/v1", "SLO"): ("slo_compiler.documents.openslo.slo", "OpenSLO"),
    ("openslo/v1", "SLI"): ("slo_compiler.documents.openslo.sli", "SLI"),
    ("openslo/v1", "Service"): ("slo_compiler.documents.openslo.service", "Service"),
    ("openslo/v1", "DataSource"): ("slo_compiler.documents.openslo.data_source", "DataSource"),
    ("openslo/v1", "AlertPolicy"): ("slo_compiler.documents.openslo.alerts", "AlertPolicy"),
    ("openslo/v1", "AlertCondition"): ("slo_compiler.documents.openslo.alerts", "AlertCondition"),
    ("openslo/v1", "AlertNotificationTarget"): ("slo_compiler.documents.openslo.alerts", "AlertNotificationTarget"),
}
# Kinds that become SLOs; every other kind defines something that these refer to.
PROMISES = frozenset(("InferenceSLO", "SLO"))
# Versions that are known and not read, and how to write the same in one that is.
_NOT_READ_VERSIONS = {
    "openslo.com/v2alpha": (
        "openslo/v1, with indicator and indicatorRef for sli and sliRef, service for serviceRef, and a metricSource "
        "around dataSourceRef (there metricSourceRef) and spec"
    ),
}


_DEFINING_KINDS = "|".join(sorted({kind for _, kind in KINDS} - PROMISES))
_DEFINES = re.compile(rf"""kind["']?[ \t]*:[ \t]*["']?(?:{_DEFINING_KINDS})\b""".encode())


def may_define(content: bytes) -> bool:
    """Whether the text of a file looks as if it held a definition; unusual spellings of `kind` are missed."""
    return _DEFINES.search(content) is not None


# What `migrate` rewrites; Sloth's own files call their apiVersion `version`.
OLD_VERSIONS = frozenset(("openslo/v1alpha", "prometheus/v1", "sloth.slok.dev/v1"))
# Of these, what is read as it stands, with a notice.
_READ_AS_CURRENT = frozenset(("openslo/v1alpha",))
_FIRST_LINES = "apiVersion: slo-compiler/v1 and kind: InferenceSLO, or openslo/v1 and SLO"


def is_read_as_current(source: SourceDocument) -> bool:
    """Whether a document is of an older version that stands for documents of the current one."""
    version = source.data.get("apiVersion") if isinstance(source.data, dict) else None
    return isinstance(version, str) and version in _READ_AS_CURRENT


def read_document(source: SourceDocument) -> tuple[Model | None, list[Diagnostic]]:
    """The typed document, or None and why not."""
    data = source.data
    if not isinstance(data, dict):
        message = "a document must be a mapping with apiVersion and kind"
        return None, [error(Code.SLO203, source.value_span(()), message, _FIRST_LINES)]
    key = "apiVersion" if "apiVersion" in data else "version"
    if isinstance(data.get(key), str) and data[key] in OLD_VERSIONS:
        span, hint = source.value_span((key,)), f"slo-compiler migrate {source.path}"
        return None, [error(Code.SLO203, span, f"{data[key]} is an older format", hint)]
    missing = [key for key in ("apiVersion", "kind") if not isinstance(data.get(key), str)]
    if missing:
        span = source.value_span(())
        return None, [error(Code.SLO202, span, f"{' and '.join(missing)} missing", _FIRST_LINES)]
    identity = (str(data["apiVersion"]), str(data["kind"]))
    if identity not in KINDS:
        return None, [_unknown_kind(source, identity)]
    return read_model(model_of(identity), source)


def model_of(identity: tuple[str, str]) -> type[Model]:
    """The model of a kind that is compiled, by `apiVersion` and `kind`.

    Raises:
        KeyError: it is not compiled.
    """
    module, name = KINDS[identity]
    model: type[Model] = getattr(importlib.import_module(module), name)
    return model


def read_model(model: type[Model], source: SourceDocument) -> tuple[Model | None, list[Diagnostic]]:
    """The data as a value of `model`, with what is worth a word; or None and a diagnostic per fault."""
    try:
        document = model.model_validate(source.data, by_name=False, by_alias=True)
        return document, list(_said(source, document)) if isinstance(document, Judged) else []
    except ValidationError as fault:
        told = (details for details in fault.errors(include_url=False) if not _is_echo(details))
        found = [_diagnostic(source, model, details) for details in told]
        return None, _without_echoes(found)


def _is_echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short because some of its items are broken, which is told by itself."""
    given, least = details.get("input"), details.get("ctx", {}).get("min_length", 0)
    return details["type"] == "too_short" and isinstance(given, list) and len(given) >= least


def _said(source: SourceDocument, document: Model) -> Iterator[Diagnostic]:
    for notice in notices_of(document):
        yield notice_at(source.key_span(notice.loc) if notice.at_key else source.value_span(notice.loc), notice)


def _unknown_kind(source: SourceDocument, identity: tuple[str, str]) -> Diagnostic:
    version, kind = identity
    if version in _NOT_READ_VERSIONS:
        span = source.value_span(("apiVersion",))
        message = f"{version} is a draft of OpenSLO that is not read"
        return error(Code.SLO203, span, message, f"apiVersion: {_NOT_READ_VERSIONS[version]}")
    versions = sorted({known for known, _ in KINDS})
    if version not in versions:
        span = source.value_span(("apiVersion",))
        return error(Code.SLO203, span, f"unknown apiVersion {version!r}", did_you_mean(version, versions))
    kinds = [known for of, known in KINDS if of == version]
    span = source.value_span(("kind",))
    return error(Code.SLO203, span, f"unknown kind {kind!r} of {version}", did_you_mean(kind, kinds))


def _diagnostic(source: SourceDocument, model: type[Model], details: ErrorDetails) -> Diagnostic:
    kind = details["type"]
    loc, of_key = _own_terms(details["loc"], source.data, keeps_last=kind in ("missing", "extra_forbidden"))
    if kind == "extra_forbidden":
        return _unknown_field(source, model, loc)
    if kind == "missing":
        return error(Code.SLO202, source.value_span(loc[:-1]), f"{dotted(loc)} is missing", example_of(str(loc[-1])))
    if of_key:
        return _wrong_key(source, loc, details)
    if details.get("input") is None:
        return error(Code.SLO202, source.key_span(loc), f"{dotted(loc)} has no value", example_of(str(loc[-1])))
    message, hint = _in_plain_words(details)
    where, example = (f"{dotted(loc)}: ", example_of(str(loc[-1]))) if loc else ("", "")
    if kind == "too_short" and example and "..." not in example:
        hint = f"{hint}: {example}"
    code = Code.SLO202 if kind == ABSENT else Code.SLO203
    return error(code, source.value_span(loc), f"{where}{message}", hint or example)


def _wrong_key(source: SourceDocument, loc: Path, details: ErrorDetails) -> Diagnostic:
    """A key that its mapping does not take; where the mapping takes only some names, it is an unknown field."""
    span = source.key_span(loc)
    if details["type"] in _OF_A_LIST:
        hint = did_you_mean(str(loc[-1]), _choices(details), otherwise="fields here")
        return error(Code.SLO201, span, f"{dotted(loc[:-1])} has no field {loc[-1]}", hint)
    message, hint = _in_plain_words(details)
    return error(Code.SLO203, span, f"{dotted(loc[:-1])}: {message}", hint)


def _own_terms(loc: Path, data: Any, *, keeps_last: bool) -> tuple[Path, bool]:
    """The place in the user's own terms, without the names of union members; and whether it is a key that is wrong."""
    of_key = bool(loc) and loc[-1] == "[key]"
    parts = loc[:-1] if of_key else loc
    found: list[str | int] = []
    for index, part in enumerate(parts):
        inside = part < len(data) if isinstance(data, list) and isinstance(part, int) else False
        if inside or (isinstance(data, dict) and part in data):
            data = data[part]
        elif not (keeps_last and index == len(parts) - 1):
            continue
        found.append(part)
    return tuple(found), of_key


def _unknown_field(source: SourceDocument, model: type[Model], loc: Path) -> Diagnostic:
    name = str(loc[-1])
    parent = model_at(model, loc[:-1])
    span = source.key_span(loc)
    known = [field.alias or key for key, field in parent.model_fields.items()] if parent else []
    where = dotted(loc[:-1]) or "the document"
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
        current = _inner_model(annotation_of(named[0]))
        if current is None:
            return None
    return current if isinstance(current, type) and issubclass(current, Model) else None


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Model) else None
    rare = model_behind(annotation)
    if rare is not None:
        return rare
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


def _in_plain_words(details: ErrorDetails) -> tuple[str, str]:
    """What is wrong with a value, and how to mend it. A validator's message says both, parted by a semicolon."""
    kind = details["type"]
    if kind in _OF_A_LIST:
        known, given = _choices(details), str(details["input"])
        return f"{given!r} is not one of {_listed(known)}", did_you_mean(given, known, otherwise="write one of")
    context = dict(details.get("ctx", {}))
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern"))
        what, hint = _PATTERNS.get(pattern, (f"text that matches {pattern}", "write it in that form"))
        return f"{str(details['input'])!r} is no {what}", hint
    words = _WORDS.get(kind)
    if words is not None:
        return words[0].format_map(context), words[1].format_map(context)
    message, _, hint = details["msg"].removeprefix("Value error, ").partition("; ")
    return message, hint


# Errors of a value that is none of those listed.
_OF_A_LIST = ("literal_error", "enum")


def _choices(details: ErrorDetails) -> list[str]:
    expected = str(details.get("ctx", {}).get("expected", "")).replace("'", "")
    return expected.replace(" or ", ", ").split(", ")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


# What a text is that a pattern describes, and how to write one.
_KEBAB = "use lower-case letters, digits and dashes, and begin with a letter"
_PATTERNS = {
    r"^([a-zA-Z][a-zA-Z0-9_]{0,31})?$": ("prefix of labels", "use up to 32 letters, digits and underscores: slo_"),
    r"^https?://[!-~]+$": ("http(s) address", "write it as https://git.example.com/slos/blob/main"),
    r"^v?[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]{1,4})?$": ("release of Prometheus", "write two or three numbers, such as 3.5"),
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": ("label name", "use letters, digits and underscores, and begin with no digit"),
    r"^[a-zA-Z_:][a-zA-Z0-9_:]*$": ("metric name", "use letters, digits, '_' and ':', and begin with no digit"),
    r"^[A-Za-z][A-Za-z0-9-]*$": ("name of a source", "use letters, digits and dashes, and begin with a letter"),
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": ("name", _KEBAB),
    r"^([0-9]+\.[0-9]+\.[0-9]+|b[0-9]+|[0-9a-f]{7,40})$": (
        "release or commit",
        "write it as 0.10.2, b10434 or dbb11b92d",
    ),
    r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$": ("name", f"{_KEBAB}; underscores may part words too"),
}
# What pydantic's errors mean, and what to do about them; braces take the bounds that were broken.
_MAPPING = ("expected a mapping", "write it as key: value pairs")
_LIST = ("expected a list", "write it as - items, or in [brackets]")
_WHOLE = ("expected a whole number", "write digits only, such as 25")
_NUMBER = ("expected a number", "write a number such as 24 or 0.5")
_TEXT = ("expected text", "write one value, without list or mapping")
_WORDS: dict[str, tuple[str, str]] = {
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": ("expected a finite number", "write a number such as 24 or 0.5"),
    "too_short": ("holds {actual_length}, and at least {min_length} is needed", "give at least {min_length}"),
    "too_long": ("holds {actual_length}, and at most {max_length} can be", "remove what is over {max_length}"),
    "string_too_short": ("must not be empty", ""),
    "string_too_long": ("is too long", "write at most {max_length} characters"),
    "greater_than": ("must be over {gt}", "write a number over {gt}"),
    "greater_than_equal": ("must be at least {ge}", "write {ge} or more"),
    "less_than": ("must be under {lt}", "write a number under {lt}"),
    "less_than_equal": ("must be at most {le}", "write {le} or less"),
}
# A line that can be pasted where a field is missing, or holds what it cannot.
_EXAMPLES = {
    "metadata": "metadata: {name: llama-70b-chat}",
    "name": "name: llama-70b-chat",
    "displayName": "displayName: Llama 3.1 70B, chat",
    "spec": "spec: {...}",
    "service": "service: assistant",
    "model": "model: meta-llama/Llama-3.1-70B-Instruct",
    "endpoint": "endpoint: /v1/chat/completions",
    "engine": 'engine: {name: vllm, version: "0.11"}',
    "version": 'version: "0.11"',
    "selector": "selector: {namespace: prod, job: vllm-chat}",
    "timeWindow": "timeWindow: [{duration: 28d, isRolling: true}]",
    "duration": "duration: 28d",
    "objectives": "objectives: [{sli: ttft, threshold: 250ms, target: 95%}]",
    "sli": "sli: ttft",
    "threshold": "threshold: 250ms",
    "target": "target: 95%",
    "code": "code: SLO301",
    "reason": "reason: agreed with support",
    "until": "until: 2027-03-01",
    "budgetingMethod": "budgetingMethod: Occurrences",
    "metricSource": "metricSource: {type: Prometheus, spec: {query: 'sum(rate(requests_total[{{.window}}]))'}}",
    "indicator": "indicator: {metadata: ..., spec: {ratioMetric: ...}}",
}


def example_of(field: str) -> str:
    """A hint for a field that is missing: what it may look like."""
    return _EXAMPLES.get(field, f"{field}: ..., or leave the field out where it is optional")


__all__ = ["KINDS", "Plain", "example_of", "is_read_as_current", "model_at", "model_of", "read_document", "read_model"]
