"""OpenSLO's schemas and models agree on generated documents, and nothing that can be generated raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from slo_compiler.diagnostics import Severity
from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.read import KINDS, read_document
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.schemas import schema_of
from tests.from_schema import Documents, damaged

OPENSLO = [kind for version, kind in KINDS if version == "openslo/v1"]
STRATEGIES = {kind: Documents(schema_of(kind)).document() for kind in OPENSLO}
STRATEGIES["SLO"] = st.builds(
    lambda document, mend: mended(document) if mend else document, STRATEGIES["SLO"], st.booleans()
)
VALIDATORS = {kind: Draft202012Validator(schema_of(kind)) for kind in OPENSLO}
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def mended(document: Any) -> Any:
    """An SLO whose objectives have what its budgeting method and a value need, which chance rarely gives."""
    spec = document["spec"]
    indicator = spec.get("indicator") or {}
    needed = {"timeSliceTarget": 0.5, "timeSliceWindow": "3m"} if spec["budgetingMethod"] != "Occurrences" else {}
    if (indicator.get("spec") or {}).get("thresholdMetric") is not None:
        needed |= {"op": "gt", "value": 11}
    own = spec.get("indicator") is None and spec.get("indicatorRef") is None
    objectives = []
    for objective in spec["objectives"]:
        kept = {key: value for key, value in objective.items() if key not in ("indicator", "indicatorRef", *needed)}
        weight = {"compositeWeight": 3, "indicatorRef": "chat"} if own else {}
        objectives.append({**kept, **needed, **weight})
    return {**document, "spec": {**spec, "objectives": objectives}}


def read_as_json(document: Any) -> tuple[bool, list[str]]:
    """Whether a document is read without an error, and the errors."""
    loaded = load_bytes(json.dumps(document).encode(), "slo.json")
    assert not loaded.diagnostics
    (source,) = loaded.documents
    _, found = read_document(source)
    errors = [f"{d.code.name} {d.message}" for d in found if d.severity is Severity.ERROR]
    return not errors, errors


def schema_faults(kind: str, document: Any) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in VALIDATORS[kind].iter_errors(document)]


def without_nulls(document: Any) -> Any:
    """A field without a value is a field that is not given; only some schemas say so."""
    if isinstance(document, dict):
        return {key: without_nulls(value) for key, value in document.items() if value is not None}
    return [without_nulls(item) for item in document] if isinstance(document, list) else document


@pytest.mark.parametrize("kind", OPENSLO)
def test_schema_and_model_agree(kind: str) -> None:
    @MANY
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        document = data.draw(STRATEGIES[kind])
        if data.draw(st.booleans()):
            document = data.draw(damaged(document))
        document = without_nulls(document)
        if not isinstance(document, dict) or document.get("kind") != kind:
            return
        read, errors = read_as_json(document)
        if any("calendar" in error for error in errors):
            return  # the schema knows the form of a time, not which days and zones there are
        assert read is (not schema_faults(kind, document)), (document, errors, schema_faults(kind, document))

    agree()


@pytest.mark.parametrize("kind", OPENSLO)
def test_generated_documents_are_often_valid(kind: str) -> None:
    """Else the comparison above would compare refusals alone."""
    seen: list[bool] = []

    @settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(STRATEGIES[kind])
    def collect(document: Any) -> None:
        seen.append(not schema_faults(kind, document))

    collect()
    assert sum(seen) >= 2, f"{sum(seen)} of {len(seen)}"
    assert not all(seen)


def test_no_generated_documents_raise() -> None:
    """Several documents of any kind, whole or damaged, together and compiled."""

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def never_raises(data: st.DataObject) -> None:
        kinds = data.draw(st.lists(st.sampled_from(OPENSLO), min_size=1, max_size=4))
        documents = [data.draw(STRATEGIES[kind]) for kind in kinds]
        if data.draw(st.booleans()):
            documents = [data.draw(damaged(document)) for document in documents]
        files = [
            load_bytes(json.dumps(document).encode(), f"{number}.json") for number, document in enumerate(documents)
        ]
        for compiling in (True, False):
            checked = check_loaded(files, Environment(), compiling=compiling)
            assert all(isinstance(d.code, Code) for d in checked.diagnostics)
            assert all(d.span.line >= 1 for d in checked.diagnostics)

    never_raises()
