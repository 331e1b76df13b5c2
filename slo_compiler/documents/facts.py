"""An `InferenceSLO` as annotations of OpenSLO documents, one fact per key, and back.

`spec.traffic.promptTokens` is `slo-compiler/traffic.prompt-tokens`; an item of a list carries its number:
`waivers.0.code`. A selector is one text in PromQL's own form: `{job=~"vllm-.*",namespace="prod"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from slo_compiler.documents.base import Model, annotation_of, model_behind
from slo_compiler.documents.inference_slo import InferenceSLOSpec, Objective
from slo_compiler.load.source_map import Path

PREFIX = "slo-compiler/"
# Facts that stand in a place of their own: metadata, the objective, and the variant that an objective belongs to.
NAME, OBJECTIVE, VARIANT, VARIANT_SELECTOR, LABEL = (
    "inference-slo",
    "objective",
    "variant",
    "variant-selector",
    "label.",
)
# Labels of OpenSLO documents that are made of facts, so that tools can group by them.
GROUPING_LABELS = ("model", "engine", "experienceClass", "useCase", "sli")
# What people read beside the numbers, and what no rule is made of.
INFORMATION = ("promised-threshold", "measured-threshold", "provenance.")
# Fields whose short name is a word of its own.
_ALIASES: dict[tuple[str, ...], str] = {
    ("engine", "name"): "engine",
    ("engine", "version"): "engine-version",
    ("engine", "generation"): "engine-generation",
    ("engine", "histograms"): "engine-histograms",
    ("engine", "coarsestSchema"): "engine-coarsest-schema",
}
_PATHS: dict[str, Path] = {key: path for path, key in _ALIASES.items()}
# Objectives and variants become documents of their own; the service has a field in OpenSLO.
_ELSEWHERE = frozenset(("objectives", "variants", "service", "description", "timeWindow"))


def annotations_of_spec(spec: Mapping[str, Any]) -> dict[str, str]:
    """What a spec says beside its objectives, by annotation key without the prefix.

    Args:
        spec: the data of an `InferenceSLO`'s `spec`, all scalars of which are text.
    """
    kept = {key: value for key, value in spec.items() if key not in _ELSEWHERE}
    return dict(_flat(kept, (), InferenceSLOSpec))


def annotations_of_objective(objective: Mapping[str, Any]) -> dict[str, str]:
    """What one objective says, by annotation key without the prefix."""
    found = dict(_flat(objective, (), Objective))
    name = found.pop("name", None)
    return {**({OBJECTIVE: name} if name is not None else {}), **found}


def _flat(value: Any, path: Path, model: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, str):
        yield key_of(path), value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, (*path, index), model)
    elif isinstance(value, dict):
        if _is_selector(model, path):
            yield key_of(path), matchers_text(value)
            return
        for name, item in value.items():
            yield from _flat(item, (*path, name), model)


@lru_cache(maxsize=4096)
def key_of(path: Path) -> str:
    """The annotation key of a path within a spec or an objective, without the prefix."""
    names = tuple(str(part) for part in path)
    return _ALIASES.get(names) or ".".join(_kebab(name) for name in names)


@lru_cache(maxsize=4096)
def path_of(key: str, model: type[Model]) -> Path | None:
    """The path that an annotation key stands for in a model; None where the model has no such field."""
    if key in _PATHS and model is InferenceSLOSpec:
        return _PATHS[key]
    path: list[str | int] = []
    current: Any = model
    for part in key.split("."):
        if current is None:
            return None
        if _is_list(current):
            if not re.fullmatch(r"0|[1-9][0-9]{0,3}", part):
                return None
            path.append(int(part))
            current = get_args(_plain(current))[0]
            continue
        inner = _plain(current)
        if get_origin(inner) is dict:
            path.append(_camel(part))
            current = get_args(inner)[1]
            continue
        fields = [(name, item) for member in _models(inner) for name, item in member.model_fields.items()]
        field = next((item for name, item in fields if _kebab(item.alias or name) == part), None)
        if field is None or (not path and (field.alias or part) in _ELSEWHERE and model is InferenceSLOSpec):
            return None
        path.append(field.alias or part)
        current = annotation_of(field)
        if _is_selector(model, tuple(path)):
            current = None
    return tuple(path)


def is_selector(path: Path, model: type[Model]) -> bool:
    """Whether the value at a path is a set of label matchers, which one annotation holds as text."""
    return _is_selector(model, path)


def matchers_text(selector: Mapping[str, Any]) -> str:
    """A selector in PromQL's form, sorted by label: `{job=~"vllm-.*",namespace="prod"}`."""
    parts = []
    for label, wanted in sorted(selector.items()):
        operator, value = "=", wanted
        if isinstance(wanted, dict):
            operator, value = ("=~", wanted.get("re")) if "re" in wanted else ("!=", wanted.get("not"))
        parts.append(f"{label}{operator}{_quoted(str(value))}")
    return "{" + ",".join(parts) + "}"


_MATCHER = r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!=|=)"((?:[^"\\]|\\.)*)"(,|$)'
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}


def selector_of(text: str) -> dict[str, Any]:
    """A selector from its text.

    Raises:
        ValueError: the text is none; the message says what it should look like.
    """
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise ValueError(_SELECTOR_FORM.format(text=text))
    body = body[1:-1]
    found: dict[str, Any] = {}
    position = 0
    matcher = re.compile(_MATCHER, re.DOTALL)
    while position < len(body):
        match = matcher.match(body, position)
        if match is None or match[1] in found:
            raise ValueError(_SELECTOR_FORM.format(text=text))
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), match[3], flags=re.DOTALL)
        found[match[1]] = {"=": value, "=~": {"re": value}, "!=": {"not": value}}[match[2]]
        position = match.end()
    return found


_SELECTOR_FORM = '{text!r} is no set of label matchers; write {{namespace="prod",job=~"vllm-.*"}}'


def _quoted(value: str) -> str:
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def known_keys() -> list[str]:
    """Every annotation key that a spec or an objective has a place for, with `N` for numbers of list items."""
    keys = {*_PATHS, NAME, OBJECTIVE, VARIANT, VARIANT_SELECTOR}
    for model in (InferenceSLOSpec, Objective):
        keys |= set(_keys_of(model, (), model))
    return sorted(keys - {"name"})


def _keys_of(annotation: Any, path: Path, model: type[Model]) -> Iterator[str]:
    inner = _plain(annotation)
    if path and _is_selector(model, path):
        yield key_of(path)
    elif _is_list(annotation):
        if str in get_args(annotation):
            yield key_of(path)
        yield from _keys_of(get_args(inner)[0], (*path, "N"), model)
    elif get_origin(inner) is dict:
        for name in get_args(get_args(inner)[0]):
            yield key_of((*path, name))
    elif _models(inner):
        for member in _models(inner):
            for name, field in member.model_fields.items():
                own = field.alias or name
                if path or own not in _ELSEWHERE or model is not InferenceSLOSpec:
                    yield from _keys_of(annotation_of(field), (*path, own), model)
    else:
        yield key_of(path)


# Fields that hold label matchers or labels, by their path.
_SELECTORS: dict[Any, set[Path]] = {
    InferenceSLOSpec: {("selector",), ("alerting", "labels"), ("scraping", "labels")},
    Objective: {("source", "selector")},
}


def _is_selector(model: Any, path: Path) -> bool:
    return tuple(path) in _SELECTORS.get(model, ())


def _plain(annotation: Any) -> Any:
    """The annotation without `Annotated` and `None`; of a union of a text and a list, the list."""
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if hasattr(annotation, "__metadata__"):
            annotation = model_behind(annotation) or arguments[0]
        elif origin is not None and type(None) in arguments:
            rest = [argument for argument in arguments if argument is not type(None)]
            if len(rest) > 1 and not any(_is_list(item) for item in rest):
                return Union[tuple(rest)]  # noqa: UP007 - made of members that are known only here
            annotation = next((item for item in rest if _is_list(item)), rest[0])
        else:
            return annotation


def _models(annotation: Any) -> list[type[Model]]:
    """The models among the members of a union, or the one that the annotation is."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    plain = [_plain(member) for member in members]
    return [member for member in plain if isinstance(member, type) and issubclass(member, Model)]


def _is_list(annotation: Any) -> bool:
    return get_origin(_plain(annotation)) in (list, tuple)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"-{match[1].lower()}", name)


def _camel(name: str) -> str:
    head, *tail = name.split("-")
    return head + "".join(part.capitalize() for part in tail)
