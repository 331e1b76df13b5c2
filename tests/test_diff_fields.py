"""Nothing that a document of the catalogue says is left out of a comparison unless a list says why."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler.diff import sides as sides_module
from slo_compiler.diff.alerts import EXHAUSTED_DERIVED, EXHAUSTED_FIELDS, TIER_DERIVED, TIER_FIELDS
from slo_compiler.diff.change import Change, Kind
from slo_compiler.diff.compare import difference
from slo_compiler.diff.fields import SLO_FIELDS, SLO_NOT_COMPARED
from slo_compiler.diff.report import to_json, to_markdown, to_text
from slo_compiler.diff.sides import Side, side_of_specs
from slo_compiler.diff.spec_fields import SPEC_FIELDS, SPEC_NOT_COMPARED
from slo_compiler.load.discover import discover
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment
from slo_compiler.resources import schema_path
from tests.test_schemas import output_faults

ROOT = Path(__file__).resolve().parent.parent
# Of what is compared as a whole, the parts that follow from others.
FOLLOWS = {
    "budget": frozenset(("ratio", "seconds", "events")),
    "provenance": frozenset(("value",)),
    "tiers": TIER_DERIVED,
    "exhausted": EXHAUSTED_DERIVED,
}
Keys = tuple[str | int, ...]


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_path("output", "catalogue.schema.json").read_text("utf-8"))
    return found


@cache
def fleet() -> Side:
    """The examples, without what only costs time: no two of them say the same kinds of things."""
    names = ("vllm/chatbot", "vllm/voice-agent", "exemptions", "grouped/tenants", "openslo", "slices", "batch")
    paths = [
        str(path)
        for name in names
        for path in (ROOT / "specs" / name, ROOT / "specs" / f"{name}.yaml")
        if path.exists()
    ]
    checked = check_files(discover(paths)[0], Environment())
    assert not checked.failed
    return side_of_specs(checked.specs, "1.2.3", {}, {})


def document(spec: str) -> dict[str, Any]:
    return copy.deepcopy(next(item for item in fleet().documents if item["spec"] == spec))


class TestLists:
    def test_every_field_of_a_document_is_compared_or_says_why_not(self) -> None:
        assert set(schema()["properties"]) == {*SPEC_FIELDS, *SPEC_NOT_COMPARED}
        assert not {*SPEC_FIELDS} & {*SPEC_NOT_COMPARED}

    def test_every_field_of_an_slo_is_compared_or_says_why_not(self) -> None:
        assert set(schema()["properties"]["slos"]["items"]["properties"]) == {*SLO_FIELDS, *SLO_NOT_COMPARED}
        assert not {*SLO_FIELDS} & {*SLO_NOT_COMPARED}

    def test_what_a_folder_must_have_is_what_the_schema_requires(self) -> None:
        head, slo = schema(), schema()["properties"]["slos"]["items"]
        assert {*head["required"]} - {"schema"} == {*sides_module._HEAD}
        assert {*slo["required"]} - {"reads"} == {*sides_module._SLO}

    @pytest.mark.parametrize(
        ("field", "compared", "follows"),
        [
            ("tiers", set(TIER_FIELDS), TIER_DERIVED),
            ("exhausted", set(EXHAUSTED_FIELDS), EXHAUSTED_DERIVED),
            ("budget", {"eventsPerHour", "eventsPerRequest"}, FOLLOWS["budget"]),
            ("provenance", {"field", "text", "origin"}, FOLLOWS["provenance"]),
        ],
    )
    def test_every_part_of_a_field_likewise(self, field: str, compared: set[str], follows: frozenset[str]) -> None:
        part = schema()["properties"]["slos"]["items"]["properties"][field]
        assert set(part.get("items", part)["properties"]) == {*compared, *follows}
        assert not compared & follows


def leaves(value: Any, at: Keys = ()) -> Iterator[Keys]:
    """The places of all that is no container."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = False
    for key, item in items:
        found = True
        yield from leaves(item, (*at, key))
    if not found and not isinstance(value, dict | list):
        yield at


def other(value: Any, key: str | int) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if value is None:
        return 60
    if isinstance(value, int | float):
        return value * 2 if value != 0 else 60
    words = {"page": "ticket", "ticket": "page", "none": "page", "fast": "slow", "slow": "fast", "good": "bad"}
    if key == "text" and value[0].isdigit():
        return f"1{value}"
    if key == "until":
        return value.replace("202", "203")
    return words.get(value, f"other {value}")


def changed(original: dict[str, Any], at: Keys) -> dict[str, Any]:
    """A document with another value at a place."""
    found = copy.deepcopy(original)
    part: Any = found
    for key in at[:-1]:
        part = part[key]
    part[at[-1]] = other(part[at[-1]], at[-1])
    return found


def follows(at: Keys) -> bool:
    """Whether what stands at a place is on a list of what is not compared."""
    if at[0] != "slos":
        return at[0] in SPEC_NOT_COMPARED
    field = str(at[2])
    return field in SLO_NOT_COMPARED or bool(FOLLOWS.get(field, frozenset()) & {*at})


_NUMBERS = ("target", "promised", "measured", "period")


def is_told_by_its_number(original: dict[str, Any], at: Keys) -> bool:
    """Whether a part of the provenance says what a field of its own says, or an origin that is always the same."""
    if at[0] != "slos" or at[2] != "provenance":
        return False
    line = original
    for key in at[:4]:
        line = line[key]  # type: ignore[index]
    field, part = line["field"], at[4]
    if field == "adjusted":
        return True
    return part != "origin" if field in _NUMBERS else part == "origin" and field != "exempt"


@pytest.mark.parametrize("spec", sorted({str(item["spec"]) for item in fleet().documents}))
def test_another_value_anywhere_is_a_change(spec: str) -> None:
    original = document(spec)
    compared = 0
    for at in leaves(original):
        after = changed(original, at)
        changes = difference(Side((original,)), Side((after,))).changes
        if follows(at) or is_told_by_its_number(original, at):
            continue
        compared += 1
        assert changes, f"{at} of {spec} may change and nobody is told"
    assert compared > 20


def told(change: Change) -> tuple[object, ...]:
    return change.kind, change.field, change.was, change.now, change.direction, change.budget


def mirrored(change: Change) -> tuple[object, ...]:
    kinds = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}
    budget = change.budget._replace(old=change.budget.new, new=change.budget.old) if change.budget is not None else None
    return kinds.get(change.kind, change.kind), change.field, change.now, change.was, change.direction.flipped, budget


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """Some of the examples, each with up to three other values, or with the name of another spec."""
    documents = []
    for original in fleet().documents:
        if not draw(st.booleans()):
            continue
        found = original
        places = [at for at in leaves(original) if at[-1] not in ("slo", "sloId", "field")]
        for at in draw(st.lists(st.sampled_from(places), max_size=3)):
            found = changed(found, at)
        if draw(st.integers(0, 4)) == 0:
            found = renamed(found, "renamed")
        documents.append(found)
    return replace(fleet(), documents=tuple(documents))


def renamed(original: dict[str, Any], name: str) -> dict[str, Any]:
    """The document of the same spec with a longer name."""
    new = f"{original['spec']}-{name}"
    slos = [
        {**slo, "slo": f"{new}{end}", "sloId": f"{original['service']}/{new}{end}"}
        for slo in original["slos"]
        for end in (slo["slo"].removeprefix(original["spec"]),)
    ]
    return {**original, "spec": new, "slos": slos}


class TestProperties:
    @settings(max_examples=20)
    @given(sides())
    def test_a_set_differs_from_itself_in_nothing(self, side: Side) -> None:
        assert difference(side, side).changes == ()

    @settings(max_examples=60)
    @given(sides(), sides())
    def test_the_way_back_is_the_mirror_of_the_way_there(self, old: Side, new: Side) -> None:
        there, back = difference(old, new).changes, difference(new, old).changes
        assert Counter(map(told, there)) == Counter(map(mirrored, back))

    @settings(max_examples=20)
    @given(sides(), sides())
    def test_every_report_can_be_made_of_it(self, old: Side, new: Side) -> None:
        found = difference(old, new)
        assert output_faults("diff", json.loads(to_json(found))) == []
        assert len(to_text(found, 100).splitlines()) >= 1
        assert to_markdown(found).startswith("<!-- slo-compiler diff -->\n\n### SLOs: ")
