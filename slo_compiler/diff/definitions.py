"""What the documents of some files say, so that a change is laid to the document that changed and not to its file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from slo_compiler.diff.change import Cause
from slo_compiler.documents.read import PROMISES
from slo_compiler.load.source_map import Plain, SourceDocument
from slo_compiler.load.yaml import LoadedFile
from slo_compiler.resolve.expanded_part import is_part, spec_name_of
from slo_compiler.write.manifest import sha256
from slo_compiler.write.outline import texts_in

# By the kind of a document that specs draw on: what it means when one of it changes.
_MEANING = {
    "AlertCondition": Cause.POLICY,
    "AlertNotificationTarget": Cause.POLICY,
    "AlertPolicy": Cause.POLICY,
    "BurnRatePolicy": Cause.POLICY,
    "DataSource": Cause.SPEC,
    "Engine": Cause.ENGINE,
    "ExperienceCatalog": Cause.CATALOG,
    "SLI": Cause.SPEC,
    "Service": Cause.SPEC,
}
# Of these a spec says by name which one it draws on; of others it may by way of a third, or by what is in them.
_NAMED = frozenset(("BurnRatePolicy", "Engine"))
_POLICY_FIELDS = frozenset(("policy", "slo-compiler/alerting.policy"))

SpecKey = tuple[str, str]
DefinitionKey = tuple[str, str]


class Documents:
    """The documents of some files.

    Attributes:
        specs: what each spec says, by service and name; what several documents say that make it up.
        definitions: what each definition says, by kind and name.
    """

    def __init__(self, files: Iterable[LoadedFile]) -> None:
        specs: dict[SpecKey, list[str]] = defaultdict(list)
        definitions: dict[DefinitionKey, list[str]] = defaultdict(list)
        self._texts: dict[SpecKey, set[tuple[str, str]]] = defaultdict(set)
        for source in (source for file in files for source in file.documents):
            if source.kind in PROMISES:
                key = _service(source), spec_name_of(source) if is_part(source) else source.name
                specs[key].append(_digest(source.data))
                self._texts[key].update(texts_in(source.data))
            elif source.kind in _MEANING:
                definitions[source.kind, source.name].append(_digest(source.data))
        self.specs: Mapping[SpecKey, list[str]] = {key: sorted(found) for key, found in specs.items()}
        self.definitions: Mapping[DefinitionKey, list[str]] = {key: sorted(set(of)) for key, of in definitions.items()}

    def may_draw_on(self, spec: SpecKey, definition: DefinitionKey, default_policy: str) -> bool:
        """Whether a spec names a definition, or draws on it without naming it."""
        kind, name = definition
        if kind not in _NAMED:
            return True
        texts = self._texts.get(spec, set())
        if kind == "BurnRatePolicy" and not any(key in _POLICY_FIELDS for key, _ in texts):
            return name == default_policy
        return any(text.partition("@")[0] == name for _, text in texts)


def moved(old: Documents, new: Documents) -> dict[Cause, list[DefinitionKey]]:
    """The definitions that came, went or say something else, by what that means."""
    found: dict[Cause, list[DefinitionKey]] = defaultdict(list)
    for key in sorted({*old.definitions, *new.definitions}):
        if old.definitions.get(key) != new.definitions.get(key):
            found[_MEANING[key[0]]].append(key)
    return found


def _service(source: SourceDocument) -> str:
    spec = source.data.get("spec")
    service = spec.get("service") if isinstance(spec, dict) else None
    return str(service) if isinstance(service, str) else ""


def _digest(data: Any) -> str:
    return sha256(json.dumps(_form(data), sort_keys=True).encode())


def _form(data: Any) -> Any:
    """Data in which text that is quoted differs from the same that is not: `on` may be a boolean."""
    if isinstance(data, Plain):
        return {"": str(data)}
    if isinstance(data, dict):
        return {f".{key}": _form(value) for key, value in data.items()}
    return [_form(item) for item in data] if isinstance(data, list) else data
