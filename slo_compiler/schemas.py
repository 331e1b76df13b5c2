"""JSON Schemas (draft 2020-12) of every kind of document, generated from the models, for editors and hooks."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from slo_compiler.documents.base import Model
from slo_compiler.units import Duration

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Kind -> module and model, and one line on what it is.
_KINDS: dict[str, tuple[str, str, str]] = {
    "InferenceSLO": ("inference_slo", "InferenceSLO", "InferenceSLO (slo-compiler/v1)"),
    "SLO": ("openslo.slo", "OpenSLO", "SLO (openslo/v1)"),
    "SLI": ("openslo.sli", "SLI", "SLI (openslo/v1)"),
    "Service": ("openslo.service", "Service", "Service (openslo/v1)"),
    "DataSource": ("openslo.data_source", "DataSource", "DataSource (openslo/v1)"),
    "AlertPolicy": ("openslo.alerts", "AlertPolicy", "AlertPolicy (openslo/v1)"),
    "AlertCondition": ("openslo.alerts", "AlertCondition", "AlertCondition (openslo/v1)"),
    "AlertNotificationTarget": (
        "openslo.alerts",
        "AlertNotificationTarget",
        "AlertNotificationTarget (openslo/v1)",
    ),
    "BurnRatePolicy": ("policy", "BurnRatePolicy", "BurnRatePolicy (slo-compiler/v1)"),
    "Engine": ("engine", "Engine", "Engine (slo-compiler/v1)"),
    "ExperienceCatalog": ("catalog", "ExperienceCatalog", "ExperienceCatalog (slo-compiler/v1)"),
    "TrafficScenario": ("traffic_scenario", "TrafficScenario", "TrafficScenario (slo-compiler/v1)"),
    "Config": ("config", "Config", "slo-compiler.yaml"),
}
KINDS = tuple(_KINDS)
# The files read versions as text: 0.10 is not 0.1. To an editor an unquoted one is a number all the same.
_VERSION = {"type": ["string", "number"], "examples": ["0.11", "0.10.2"]}
# How pydantic writes bounds of numbers that it reads as decimals, in words of JSON Schema.
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_DNS_LABEL = {"pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}


class UnknownKind(Exception):
    """There is no document of that kind."""


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of a kind of document: fields by their names in YAML, unknown fields refused.

    Raises:
        UnknownKind: `kind` is none of `KINDS`.
    """
    if kind not in _KINDS:
        raise UnknownKind(kind)
    module, name, title = _KINDS[kind]
    model: type[Model] = getattr(importlib.import_module(f"slo_compiler.documents.{module}"), name)
    body = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    for part in _objects(body):
        _describe_fields(part)
        _mend(part)
    complete = _COMPLETIONS.get(kind)
    if complete is not None:
        complete(body)
    body["title"] = title
    return {"$schema": DRAFT, "$id": f"urn:slo-compiler:schema:{kind}", **body}


def schema_text(kind: str) -> str:
    """The schema as JSON text, ending in a newline.

    Raises:
        UnknownKind: `kind` is none of `KINDS`.
    """
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Writes `<Kind>.schema.json` for every kind, and says which files these are.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in KINDS:
        path = folder / f"{kind}.schema.json"
        path.write_text(schema_text(kind), encoding="utf-8")
        written.append(path)
    return written


class _Generator(GenerateJsonSchema):
    """Leaves out the titles that pydantic derives from names: they say nothing that the names do not."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().model_schema(schema)
        found.pop("title", None)
        return found

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, Duration) else super().encode_default(dft)


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema, itself included."""
    if isinstance(part, dict):
        yield part
        for item in part.values():
            yield from _objects(item)
    elif isinstance(part, list):
        for item in part:
            yield from _objects(item)


def _describe_fields(part: dict[str, Any]) -> None:
    """Moves what a docstring says of each attribute to the field, where editors show it."""
    text, properties = part.get("description"), part.get("properties")
    if not isinstance(text, str) or not isinstance(properties, dict):
        return
    summary, _, rest = text.partition("\n\nAttributes:\n")
    part["description"] = " ".join(summary.split())
    for name, words in _attributes(rest):
        field = properties.get(_camel(name))
        if isinstance(field, dict):
            field.setdefault("description", words)


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    """The names and texts of a docstring's `Attributes` section; a deeper line continues the one above."""
    name, words = "", ""
    for line in text.splitlines():
        start, colon, rest = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon and start.isidentifier():
            if name:
                yield name, words
            name, words = start, rest
        else:
            words = f"{words} {line.strip()}".strip()
    if name:
        yield name, words


def _camel(name: str) -> str:
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)


def _mend(part: dict[str, Any]) -> None:
    """Where pydantic's words say less than the models do."""
    pattern = part.get("pattern")
    if isinstance(pattern, str) and not pattern.startswith("^"):
        part.update(_DNS_LABEL)  # a schema's pattern may match anywhere in a text, the compiler's matches all of it
    if "patternProperties" in part:
        part.setdefault("additionalProperties", False)
    if "anyOf" in part and part.get("default", ...) is None:
        del part["default"]
    for ours, theirs in _BOUNDS.items():
        if isinstance(part.get(ours), (int, float)):
            part[theirs] = part.pop(ours)


def _complete_inference(body: dict[str, Any]) -> None:
    """Names that an editor can offer: those of the built-in catalog, engines and SLIs."""
    from slo_compiler.engines import load_builtin_engines
    from slo_compiler.shipped_catalog import load_builtin_catalog
    from slo_compiler.slis import load_slis

    catalog, definitions = load_builtin_catalog(), body["$defs"]
    spec = definitions["InferenceSLOSpec"]["properties"]
    spec["useCase"]["examples"] = list(catalog.use_cases)
    spec["experienceClass"]["examples"] = list(catalog.experience_classes)
    engine = definitions["EngineReference"]["properties"]
    engine["name"]["examples"] = sorted(load_builtin_engines())
    engine["version"] = {**engine["version"], "anyOf": [_VERSION, {"type": "null"}]}
    definitions["Objective"]["properties"]["sli"] = {"type": "string", "enum": list(load_slis())}
    definitions["LabelMatcher"].update(minProperties=1, maxProperties=1)


def _complete_catalog(body: dict[str, Any]) -> None:
    """Short names for the definitions of values with a source, which pydantic names after their annotations."""
    names: dict[str, str] = {}
    for name, definition in body["$defs"].items():
        if "Sourced_" in name:
            base = f"Sourced{_word(definition['properties']['value'])}"
            taken = [other for other in names.values() if other.rstrip("0123456789") == base]
            names[name] = f"{base}{len(taken) + 1}" if taken else base
    body["$defs"] = {names.get(name, name): definition for name, definition in body["$defs"].items()}
    for part in _objects(body):
        reference = str(part.get("$ref", "")).removeprefix("#/$defs/")
        if reference in names:
            part["$ref"] = f"#/$defs/{names[reference]}"


def _word(value: dict[str, Any]) -> str:
    if value.get("type") == "integer":
        return "Tokens"
    if value.get("type") == "array":
        return "List"
    if "enum" in value:
        return "Choice"
    if "anyOf" in value:
        return "Number"
    pattern = str(value.get("pattern", ""))
    return "Share" if "%" in pattern else "Duration" if "ms)" in pattern else "Name" if pattern else "Text"


_COMPLETIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "InferenceSLO": _complete_inference,
    "ExperienceCatalog": _complete_catalog,
}
