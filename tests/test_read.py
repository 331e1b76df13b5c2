"""What is wrong with a document, in the words of its author: one finding a fault, each with a way to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from slo_compiler.diagnostics import Diagnostic
from slo_compiler.documents import read
from slo_compiler.documents.read import KINDS, model_of, read_document
from slo_compiler.load.yaml import load_bytes

CATALOG = """\
apiVersion: slo-compiler/v1
kind: ExperienceCatalog
metadata: {name: own}
spec:
  sources: {ACME: Interviews}
"""
STEPS = """\
  adjustments:
    modelSize: {steps: [{value: many, source: ACME}]}
"""


def findings(text: str) -> list[Diagnostic]:
    loaded = load_bytes(text.encode(), "a.yaml")
    assert not loaded.diagnostics
    return [found for document in loaded.documents for found in read_document(document)[1]]


def strings_of(schema: Any) -> Iterator[str]:
    """Every pattern that a validator of texts holds."""
    if isinstance(schema, dict):
        if schema.get("type") == "str" and "pattern" in schema:
            yield schema["pattern"]
        for item in schema.values():
            yield from strings_of(item)
    elif isinstance(schema, list | tuple):
        for item in schema:
            yield from strings_of(item)


@pytest.mark.parametrize("identity", KINDS, ids=lambda identity: identity[1])
def test_every_pattern_has_words_for_people(identity: tuple[str, str]) -> None:
    model = model_of(identity)
    model.model_rebuild()
    assert set(strings_of(model.__pydantic_core_schema__)) <= set(read._PATTERNS)


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("é", "spec.sources: 'é' is no name of a source", "use letters, digits and dashes, and begin with a letter"),
        (
            "1st",
            "spec.sources: '1st' is no name of a source",
            "use letters, digits and dashes, and begin with a letter",
        ),
    ],
)
def test_a_pattern_that_does_not_match_is_told_in_words(name: str, message: str, hint: str) -> None:
    (found,) = findings(CATALOG.replace("ACME", name))
    assert (found.message, found.hint) == (message, hint)


def test_a_list_with_a_broken_item_is_not_called_too_short() -> None:
    said = [found.message for found in findings(CATALOG + STEPS) if "steps" in found.message]
    assert said == ["spec.adjustments.modelSize.steps[0].value: 'many' is no number"]


def test_an_empty_list_is_too_short() -> None:
    said = [found.message for found in findings(CATALOG + "  adjustments:\n    modelSize: {steps: []}\n")]
    assert any(message.startswith("spec.adjustments.modelSize.steps: holds 0") for message in said)
