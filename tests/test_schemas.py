"""The JSON Schemas: current on disk, true of every spec, and of what the commands print."""

from __future__ import annotations

import datetime
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Code
from slo_compiler.resources import builtin_path, schema_path
from slo_compiler.schemas import KINDS, UnknownKind, schema_of, schema_text, write_schemas

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
OUTPUTS = sorted(schema_path("output").glob("*.schema.json"))
BUILTIN = {
    "Engine": sorted(builtin_path("engines").glob("*.yaml")),
    "ExperienceCatalog": sorted(builtin_path("catalog").glob("*.yaml")),
    "BurnRatePolicy": sorted(builtin_path("policies").glob("*.yaml")),
    "TrafficScenario": sorted(builtin_path("scenarios").glob("*.yaml")),
}
BUILTIN_FILES = [pytest.param(kind, path, id=path.name) for kind, paths in BUILTIN.items() for path in paths]


def as_editors_see(path: Path) -> list[Any]:
    """The documents of a file by YAML 1.2: 0.10 is a number, a date is text."""
    return [_dates_as_text(document) for document in YAML(typ="safe", pure=True).load_all(path.read_text("utf-8"))]


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dates_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def faults(kind: str, document: Any) -> list[str]:
    validator = Draft202012Validator(schema_of(kind))
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(document)]


def output_faults(name: str, document: Any) -> list[str]:
    schema = json.loads(schema_path("output", f"{name}.schema.json").read_text("utf-8"))
    return [f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(schema).iter_errors(document)]


def a_spec() -> Any:
    return as_editors_see(ROOT / "specs" / "vllm" / "chatbot.yaml")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_file_is_current(kind: str) -> None:
    path = schema_path(f"{kind}.schema.json")
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(schema_text(kind), encoding="utf-8")
    assert path.read_text("utf-8") == schema_text(kind), "run the tests with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("kind", KINDS)
def test_is_a_schema_with_a_name(kind: str) -> None:
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:slo-compiler:schema:{kind}"
    assert schema["additionalProperties"] is False
    assert schema["title"]


@pytest.mark.parametrize("path", OUTPUTS, ids=lambda path: path.name)
def test_output_schema_is_a_schema(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    name = path.name.removesuffix(".schema.json")
    assert schema["properties"]["schema"] == {"const": f"slo-compiler/{name}/v1"}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_every_spec_validates(path: Path) -> None:
    for document in as_editors_see(path):
        assert faults(document["kind"], document) == []


@pytest.mark.parametrize(("kind", "path"), BUILTIN_FILES)
def test_every_builtin_document_validates(kind: str, path: Path) -> None:
    for document in as_editors_see(path):
        assert faults(kind, document) == []


def test_there_is_a_spec_for_each_use_case() -> None:
    catalog = yaml.safe_load(builtin_path("catalog", "use-cases.yaml").read_text("utf-8"))
    assert set(catalog["spec"]["useCases"]) == {path.stem for path in (ROOT / "specs" / "vllm").glob("*.yaml")}


@pytest.mark.parametrize(
    "at", [(), ("metadata",), ("spec",), ("spec", "engine"), ("spec", "objectives", 0), ("spec", "alerting")], ids=str
)
def test_unknown_field_is_refused(at: tuple[str | int, ...]) -> None:
    document = a_spec()
    part = document
    for step in at:
        part = part[step]
    part["thresold"] = "1s"
    assert any("thresold" in fault for fault in faults("InferenceSLO", document))


@pytest.mark.parametrize("kind", ["SLO", "Engine", "BurnRatePolicy", "ExperienceCatalog", "TrafficScenario"])
def test_unknown_field_of_other_kinds_is_refused(kind: str) -> None:
    path = ROOT / "specs" / "openslo" / "tool-calls.yaml" if kind == "SLO" else BUILTIN[kind][0]
    document = as_editors_see(path)[0]
    document["spec"]["unknwon"] = 1
    assert any("unknwon" in fault for fault in faults(kind, document))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "name"), "Not A Label"),
        (("metadata", "name"), "a" * 64),
        (("spec", "objectives", 0, "target"), 0.95),
        (("spec", "objectives", 0, "threshold"), 150),
        (("spec", "objectives", 0, "sli"), "tfft"),
        (("spec", "objectives"), []),
        (("spec", "selector"), {"job": {"re": "a", "not": "b"}}),
        (("spec", "selector"), {"no-label": "a"}),
        (("spec", "traffic"), {"promptTokens": "many"}),
        (("spec", "traffic"), {"streaming": "yes"}),
        (("spec", "stage"), "prod"),
    ],
    ids=str,
)
def test_wrong_value_is_refused(path: tuple[str | int, ...], value: object) -> None:
    document = a_spec()
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert faults("InferenceSLO", document)


@pytest.mark.parametrize("version", [0.10, "0.10", "0.10.2"])
def test_version_is_text_or_what_editors_make_of_it(version: object) -> None:
    document = a_spec()
    document["spec"]["engine"]["version"] = version
    assert faults("InferenceSLO", document) == []


def test_configuration_validates() -> None:
    assert faults("Config", {}) == []
    assert faults("Config", {"prometheus": {"scrapeInterval": "30s"}, "outputs": {"flavour": "prometheus"}}) == []
    assert faults("Config", {"prometheus": {"scrapeIntervall": "30s"}})
    assert schema_of("Config")["$defs"]["Defaults"]["properties"]["period"]["default"] == "28d"


def test_write_schemas_writes_every_kind(tmp_path: Path) -> None:
    written = write_schemas(tmp_path / "schemas")
    assert [path.name for path in written] == [f"{kind}.schema.json" for kind in KINDS]
    assert all(json.loads(path.read_text("utf-8"))["$id"] for path in written)


def test_the_header_that_the_docs_show_leads_to_the_schema() -> None:
    headers = re.findall(r"# yaml-language-server: \$schema=([^`\s]+)", (ROOT / "docs/spec.md").read_text("utf-8"))
    assert headers
    for header in headers:
        assert json.loads((ROOT / header).read_text("utf-8"))["$id"].startswith("urn:slo-compiler:schema:")


def test_unknown_kind() -> None:
    with pytest.raises(UnknownKind):
        schema_of("Nothing")
    result = CliRunner().invoke(cli, ["schema", "InferenceSlo"])
    assert result.exit_code == 2
    assert "did you mean InferenceSLO?" in result.output


@pytest.mark.parametrize("kind", KINDS)
def test_command_prints_the_file(kind: str) -> None:
    result = CliRunner().invoke(cli, ["schema", kind])
    assert result.exit_code == 0
    assert result.stdout == schema_path(f"{kind}.schema.json").read_text("utf-8")


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_explained_codes_validate(code: Code) -> None:
    result = CliRunner().invoke(cli, ["explain", code.name, "--format", "json"])
    document = json.loads(result.stdout)
    assert output_faults("explain-code", document) == []
    assert document["severity"] in document["page"].splitlines()[2]


def test_diagnostics_validate(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("apiVersion: slo-compiler/v1\nkind: InferenceSLO\nspec: {sevice: x}\n", "utf-8")
    chat = ROOT / "specs" / "vllm" / "chatbot.yaml"
    result = CliRunner().invoke(cli, ["validate", "--format", "json", str(chat), str(broken)])
    document = json.loads(result.stdout)
    assert output_faults("diagnostics", document) == []
    assert document["summary"]["errors"] > 0
    assert next(iter(document)) == "schema"


def test_simulation_validates() -> None:
    document = json.loads((ROOT / "golden" / "simulate.json").read_text("utf-8"))
    assert output_faults("simulate", document) == []
    assert [bool(alert["episodes"]) for slo in document["slos"] for alert in slo["alerts"]] == [
        True,
        True,
        False,
        False,
    ]
    document["slos"][0]["alerts"][0]["tiers"] = "14.4x"
    assert output_faults("simulate", document)


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    spec = ROOT / "specs" / "openslo" / "tool-calls.yaml"
    result = CliRunner().invoke(cli, ["compile", str(spec), "-o", str(out)])
    assert result.exit_code == 0, result.output
    return out


def test_manifest_validates(compiled: Path) -> None:
    document = json.loads((compiled / "manifest.json").read_text("utf-8"))
    assert output_faults("manifest", document) == []
    assert document["files"]


@pytest.mark.promtool
def test_test_results_validate(compiled: Path) -> None:
    result = CliRunner().invoke(cli, ["test", str(compiled), "--format", "json"])
    assert output_faults("test", json.loads(result.stdout)) == []
