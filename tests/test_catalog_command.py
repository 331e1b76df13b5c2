"""`catalog list` and `catalog show`: complete, readable, and true to the catalog."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from slo_compiler.cli import cli
from slo_compiler.describe_catalog import UnknownEntry, entries_of, find_entries
from slo_compiler.documents.sourced import sourced_values
from slo_compiler.plain_text import escape_markdown
from slo_compiler.resources import schema_path
from slo_compiler.shipped_catalog import load_builtin_catalog

CATALOG = load_builtin_catalog()
ENTRIES = entries_of(CATALOG)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["catalog", *arguments])


def as_json(*arguments: str) -> Any:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    schema = json.loads(schema_path("output", "catalog.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(document)
    return document


def values_of(name: str) -> dict[str, Any]:
    (entry,) = as_json("show", name)["entries"]
    return {value["path"]: value for value in entry["values"]}


def test_list_names_everything() -> None:
    result = run("list")
    assert result.exit_code == 0
    words = result.stdout.split()
    for entry in ENTRIES:
        assert entry.name in words
    for title in CATALOG.sources.values():
        assert title.split()[0] in words


@pytest.mark.parametrize("arguments", [("list",), *(("show", entry.name) for entry in ENTRIES)], ids=" ".join)
def test_text_fits_80_columns(arguments: tuple[str, ...]) -> None:
    assert [line for line in run(*arguments).stdout.splitlines() if len(line) > 80] == []


def test_json_holds_every_value_of_the_catalog() -> None:
    document = as_json("list")
    assert next(iter(document)) == "schema"
    assert document["sources"] == dict(sorted(CATALOG.sources.items()))
    parts = (CATALOG.experience_classes, CATALOG.use_cases, CATALOG.traffic_profiles, CATALOG.adjustments)
    expected = sum(len(list(sourced_values(part))) for part in parts)
    assert sum(len(entry["values"]) for entry in document["entries"]) == expected


def test_show_a_use_case() -> None:
    result = run("show", "chatbot")
    assert result.exit_code == 0
    assert "chatbot (use case)" in result.stdout
    assert "ttft: 150ms" in result.stdout
    assert "reason: 150 ms and 25 ms are the bases of the conversational class" in result.stdout
    assert "instead: conversational or instant" in result.stdout


@pytest.mark.parametrize(
    ("name", "path", "value", "text", "unit"),
    [
        ("chatbot", "ttft", 0.15, "150ms", "seconds"),
        ("chatbot", "target", 0.95, "95%", "ratio"),
        ("instant", "ceilings.itl", 0.025, "25ms", "seconds"),
        ("p512_o256", "promptTokens", 512, "512", "tokens"),
        ("hardware", "tiers.cost-optimized.factor", 1.2, "1.2", "factor"),
        ("hardware", "tiers.premium.gpus", ["A100", "H100"], "A100, H100", ""),
        ("chatbot", "experienceClass", "conversational", "conversational", ""),
    ],
)
def test_values_are_typed(name: str, path: str, value: object, text: str, unit: str) -> None:
    found = values_of(name)[path]
    assert (found["value"], found["text"], found["unit"]) == (value, text, unit)


def test_conditions_are_told() -> None:
    assert values_of("interactive-chat")["itlLongOutputs"]["condition"] == "from 1000 output tokens on"
    assert values_of("modelSize")["steps[0]"]["condition"] == "below 10"


def test_sources_of_one_entry_are_those_that_it_cites() -> None:
    assert set(as_json("show", "voice-agent")["sources"]) == {"C", "J"}


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_unknown_name_is_a_usage_error_with_the_nearest_name(output: str) -> None:
    result = run("show", "chatbt", "--format", output)
    assert result.exit_code == 2
    assert "did you mean chatbot?" in result.stderr
    assert result.stdout == ""


def test_find_entries_raises() -> None:
    with pytest.raises(UnknownEntry):
        find_entries(ENTRIES, "nothing")


def test_markdown_tables_have_as_many_cells_in_every_row() -> None:
    tables: list[list[str]] = [[]]
    for line in run("list", "--format", "markdown").stdout.splitlines():
        if line.startswith("|"):
            tables[-1].append(line.replace("\\|", ""))
        elif tables[-1]:
            tables.append([])
    assert len(tables) > len(ENTRIES)
    for table in tables:
        assert len({line.count("|") for line in table}) <= 1


def test_markdown_of_one_entry() -> None:
    result = run("show", "instant", "--format", "markdown")
    assert "| ceilings.ttft | 150ms | B, A |" in result.stdout
    assert "## Use cases" not in result.stdout


def test_escape_markdown() -> None:
    assert escape_markdown("a|b\n<i> *x* `y` [z]") == r"a\|b \<i\> \*x\* \`y\` \[z\]"
