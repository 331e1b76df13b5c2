"""The schemas of our own kinds and their models take and refuse the same documents."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from slo_compiler.diagnostics import Severity
from slo_compiler.documents.config import Config
from slo_compiler.documents.read import KINDS, model_of, read_model
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.schemas import schema_of
from tests.from_schema import Documents, damaged
from tests.near_misses import one_near_miss, places, value_at, whole_documents

OURS = [*(kind for version, kind in KINDS if version == "slo-compiler/v1"), "Config"]

# What no JSON Schema can say: the model's words for it, by kind, and why. There the schema may take what is refused.
ONE_WAY: dict[str, list[tuple[str, str]]] = {
    "InferenceSLO": [
        (r"is no whole number of days|is no period of 1 to 366 days", "1w2d and 216h are lengths in several units"),
        (r"\.until: .* is no date", "which days a month has"),
        (r"is no regular expression", "a grammar of its own"),
        (r"minReplicas [0-9]+ is over maxReplicas", "two numbers compared"),
        (r"is no moment", "which days a month has, and hours a day"),
    ],
    "BurnRatePolicy": [
        (r"shortWindow .* is no shorter than longWindow", "two lengths compared"),
        (r"two tiers are named", "names that are derived from numbers must differ"),
        (r"\.factor: must be at most", "a factor as text has no bounds"),
        (r"a window of .* tells too little|a wait of .* is not from the window", "lengths compared"),
    ],
    "Engine": [
        (r"no label set|no bucket set|no metric", "names that refer to other parts"),
        (r"two bucket eras overlap|holds no version", "versions compared"),
        (r"known releases must", "versions compared"),
        (r"edges must ascend", "numbers compared"),
        (r"are read together, and differ in|histograms need an leFormat", "metrics compared"),
        (r"is no minor release", "to an editor 0.10 is a number, and so is 7"),
    ],
    "ExperienceCatalog": [
        (r"is not in `sources`", "names that refer to other parts"),
        (r"the last step must have no|every step but the last needs", "steps compared"),
    ],
    "Config": [
        (r"is no whole number of days|is no period of 1 to 366 days", "1w2d and 216h are lengths in several units"),
        (
            r"tiles of events would go missing|under 1s, which|warn too late|page too late|of seconds",
            "lengths compared",
        ),
        (r"keep_firing_for|is no release of Prometheus", "to an editor 2.53 is a number, and so is 2"),
        (r"is the haLabel", "names compared"),
        (r"native histograms need Prometheus 3", "a version compared, which may be missing"),
    ],
}

# What a schema refuses and the model reads, because it is refused once it is known what it stands for.
REFUSED_LATER = re.compile(r"\.sli: .* is not one of|\.target: ")
MANY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def one_way(kind: str, refusals: list[str]) -> bool:
    """Whether a document is refused only for what its schema cannot say."""
    return all(any(re.search(rule, refusal) for rule, _ in ONE_WAY[kind]) for refusal in refusals)


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(kind))


def read(kind: str, document: Any) -> list[str]:
    """Why a document is refused, by the loader and its model; empty where it is read."""
    loaded = load_bytes(json.dumps(document).encode(), "document.json")
    if loaded.diagnostics:
        return [diagnostic.message for diagnostic in loaded.diagnostics]
    if not loaded.documents:
        return ["nothing"]
    model = Config if kind == "Config" else model_of(("slo-compiler/v1", kind))
    _, found = read_model(model, loaded.documents[0])
    return [f"{fault.message}; {fault.hint}" for fault in found if fault.severity is Severity.ERROR]


def schema_faults(kind: str, document: Any) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in validator(kind).iter_errors(document)]


def as_fields_read(kind: str, document: Any) -> Any:
    """The document with each scalar as the type that its field has: the compiler reads `0.10` as text where text belongs.

    An editor calls such a scalar a number, and rightly asks for quotes.
    """
    document = json.loads(json.dumps(document))
    for _ in range(20):
        swaps = {place: value for fault in validator(kind).iter_errors(document) for place, value in _swaps(fault)}
        if not swaps:
            break
        for place, value in swaps.items():
            value_at(document, place[:-1])[place[-1]] = value
    return document


def _swaps(fault: ValidationError) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    for inner in fault.context or ():
        yield from _swaps(inner)
    if fault.validator == "type" and fault.absolute_path:
        wanted: Any = fault.validator_value
        value = _as([wanted] if isinstance(wanted, str) else wanted, fault.instance)
        if value is not None:
            yield tuple(fault.absolute_path), value


def _as(wanted: list[str], value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return json.dumps(value) if "string" in wanted else None
    if not isinstance(value, str):
        return None
    if "boolean" in wanted:
        return {"true": True, "false": False}.get(value)
    if {"number", "integer"} & set(wanted):
        try:
            return int(value)
        except ValueError:
            return None
    return None


def assert_agreement(kind: str, document: Any, what: str) -> None:
    refusals = read(kind, document)
    faults = schema_faults(kind, as_fields_read(kind, document))
    if refusals and not faults:
        assert one_way(kind, refusals), f"the schema takes what is refused ({what}): {refusals}"
    if faults and not refusals:
        later = [fault for fault in faults if REFUSED_LATER.search(fault)]
        assert faults == later, f"the schema refuses what is read ({what}): {faults}"
        assert refused_by_the_compiler(document), f"the schema refuses what compiles ({what}): {faults}"


def refused_by_the_compiler(document: Any) -> bool:
    return check_loaded([load_bytes(json.dumps(document).encode(), "document.json")], Environment()).failed


@pytest.mark.parametrize("kind", OURS)
def test_a_whole_document_is_taken_by_both(kind: str) -> None:
    for document in whole_documents(kind):
        assert read(kind, document) == []
        assert schema_faults(kind, document) == []


@pytest.mark.parametrize("kind", OURS)
def test_whole_documents_hold_every_field(kind: str) -> None:
    """Else no near miss is tried in the field that they lack."""
    schema = schema_of(kind)
    parts = [schema, *schema.get("$defs", {}).values()]
    fields = {name for part in parts for name in part.get("properties", {})}
    written = {step for document in whole_documents(kind) for place in places(document) for step in place}
    assert fields - written == set()


@pytest.mark.parametrize("kind", OURS)
def test_near_misses_are_judged_alike(kind: str) -> None:
    @MANY
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        document = data.draw(st.sampled_from(whole_documents(kind)))
        changed, what = data.draw(one_near_miss(document))
        assert_agreement(kind, changed, what)

    agree()


@pytest.mark.parametrize("kind", OURS)
def test_documents_made_from_the_schema_are_judged_alike(kind: str) -> None:
    documents = Documents(schema_of(kind)).document()

    @MANY
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        document = data.draw(documents)
        if data.draw(st.booleans()):
            document = data.draw(damaged(document))
        assert_agreement(kind, document, "from the schema")

    agree()


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("InferenceSLO", ("spec", "objectives", 0, "target"), "100%"),
        ("InferenceSLO", ("spec", "objectives", 0, "target"), "0.0%"),
        ("InferenceSLO", ("spec", "objectives", 0, "target"), "130.7%"),
        ("InferenceSLO", ("spec", "objectives", 0, "threshold"), "0ms"),
        ("InferenceSLO", ("spec", "objectives", 0, "threshold"), "5m1h"),
        ("InferenceSLO", ("spec", "waivers", 0, "until"), "7 March 2031"),
        ("InferenceSLO", ("spec", "exemptions", 1, "when"), "x == 1"),
        ("BurnRatePolicy", ("spec", "tiers", 0, "factor"), "fast"),
        ("BurnRatePolicy", ("spec", "tiers", 0, "errorRatio"), "51%"),
        ("BurnRatePolicy", ("spec", "tiers", 1, "errorRatio"), "0%"),
        ("Engine", ("spec", "verifiedAt", 0), "0.10"),
        ("Engine", ("spec", "metrics", 0, "versions"), ">=0.9"),
        ("Engine", ("spec", "metrics", 1, "buckets"), "fine"),
        ("ExperienceCatalog", ("spec", "adjustments", "gpuCount", "exponent", "value"), "-0.7"),
        ("Config", ("defaults", "period"), "0d"),
    ],
    ids=str,
)
def test_editors_refuse_what_the_compiler_refuses(kind: str, place: tuple[str | int, ...], value: object) -> None:
    document = copy.deepcopy(whole_documents(kind)[0])
    value_at(document, place[:-1])[place[-1]] = value
    assert schema_faults(kind, document)
    assert read(kind, document) or refused_by_the_compiler(document)


def test_an_alternative_needs_a_reason_in_editors_too() -> None:
    document = copy.deepcopy(whole_documents("ExperienceCatalog")[0])
    del document["spec"]["experienceClasses"]["brisk"]["ceilings"]["ttft"]["reason"]
    assert schema_faults("ExperienceCatalog", document)


@pytest.mark.parametrize("kind", OURS)
def test_every_rule_that_a_schema_cannot_say_is_met(kind: str) -> None:
    """A rule that no document breaks, or that the schema says, has no place in the table."""
    for rule, _ in ONE_WAY[kind]:
        assert any(_breaks_only(kind, rule, *change) for change in BREAKING[kind]), rule


def _breaks_only(kind: str, rule: str, place: tuple[str | int, ...], value: object) -> bool:
    document = copy.deepcopy(whole_documents(kind)[0])
    value_at(document, place[:-1])[place[-1]] = value
    found = read(kind, document)
    return any(re.search(rule, fault) for fault in found) and not schema_faults(kind, document)


_TIER, _METRIC, _ERAS = ("spec", "tiers"), ("spec", "metrics", 0), ("spec", "bucketSets", "fine")
BREAKING: dict[str, list[tuple[tuple[str | int, ...], object]]] = {
    "InferenceSLO": [
        (("spec", "timeWindow", 0, "duration"), "36h"),
        (("spec", "waivers", 0, "until"), "2031-02-30"),
        (("spec", "selector", "job", "re"), "chat("),
        (("spec", "budgetAdjustments", 0, "to"), "2031-02-30T10:00:00Z"),
        (("spec", "autoscaling", "minReplicas"), 18),
        (("spec", "scraping", "port"), "65536"),
    ],
    "BurnRatePolicy": [
        ((*_TIER, 0, "shortWindow"), "2h"),
        ((*_TIER, 1, "name"), "first"),
        ((*_TIER, 3, "factor"), "100001"),
        (("spec", "worstReplica", "window"), "7h"),
    ],
    "Engine": [
        ((*_METRIC, "labels"), "some"),
        ((*_ERAS, 0, "versions"), "<0.10.1"),
        (("spec", "versions", "known"), ["0.10", "0.9"]),
        ((*_ERAS, 0, "edges"), [0.5, 0.11]),
        (("spec", "versions", "known", 0), 9),
        (("spec", "leFormat"), None),
    ],
    "ExperienceCatalog": [
        (("spec", "useCases", "sums", "ttft", "source"), "Z"),
        (("spec", "adjustments", "modelSize", "steps", 1, "below"), 17),
    ],
    "Config": [
        (("defaults", "period"), "36h"),
        (("prometheus", "scrapeInterval"), "61s"),
        (("prometheus", "version"), 2.41),
        (("prometheus", "haLabel"), "pod"),
    ],
}
