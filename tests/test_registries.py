"""Every table that names modules, facts or pages says what its folder holds, both ways."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from slo_compiler import checks
from slo_compiler.cli import COMMANDS, cli
from slo_compiler.cli.compile import FLAVOURS, KINDS
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.reporters import REPORTERS
from slo_compiler.documents.catalog import ExperienceCatalog
from slo_compiler.documents.config import Outputs
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.documents.read import read_model
from slo_compiler.documents.traffic_scenario import TrafficScenario
from slo_compiler.emit import EMITTERS, FOLDS
from slo_compiler.emit.flavours import FLAVOURS as REGISTERED_FLAVOURS
from slo_compiler.engines import load_builtin_engines
from slo_compiler.load.yaml import load_file
from slo_compiler.resolve.policies import builtin_policy_names, load_builtin_policy
from slo_compiler.resources import builtin_path
from slo_compiler.shipped_catalog import load_builtin_catalog
from slo_compiler.slis import load_slis

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "slo_compiler"

# Modules that stand beside the entries of a table and are none.
BESIDE = {
    "checks": {"ignores", "waivers"},  # lift findings instead of making them
    "cli": {"connections", "diff_sides", "left_out", "old_specs", "options", "output_context", "refusals"},
    "emit": {
        "alert_parts",
        "alerts",
        "base",
        "engine_alerts",
        "explore",
        "flavours",
        "numbers",
        "own_words",
        "serialize",
        "templating",
        "texts",
        "tiles",
        "user_templates",
    },
}
CHECK_TABLES: dict[str, dict[str, object]] = {
    name: table for name, table in vars(checks).items() if name.endswith("_CHECKS")
}
Builtin = Engine | ExperienceCatalog | BurnRatePolicy | TrafficScenario
BUILTIN = [
    pytest.param(path, model, id=f"{path.parent.name}/{path.name}")
    for folder, model in (
        ("catalog", ExperienceCatalog),
        ("engines", Engine),
        ("policies", BurnRatePolicy),
        ("scenarios", TrafficScenario),
    )
    for path in sorted(builtin_path(folder).iterdir())
]


def modules(folder: str) -> set[str]:
    """The modules and packages of a folder, without those that stand beside a table's entries."""
    found = {
        path.stem
        for path in (PACKAGE / folder).iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }
    return found - BESIDE.get(folder, set())


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and every command of a group, by its full name."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None, name
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {part}", found) for part, found in command.commands.items())


def test_every_check_is_in_one_table() -> None:
    listed = [name for table in CHECK_TABLES.values() for name in table]
    assert sorted(listed) == sorted(modules("checks"))


@pytest.mark.parametrize("table", CHECK_TABLES)
def test_checks_are_named_after_their_modules(table: str) -> None:
    for name, check in CHECK_TABLES[table].items():
        assert check is importlib.import_module(f"slo_compiler.checks.{name}").check, name
    assert list(CHECK_TABLES[table]) == sorted(CHECK_TABLES[table])


def test_every_emitter_is_in_the_table() -> None:
    assert {_last_name(emitter) for emitter in EMITTERS.values()} == modules("emit")
    assert all(name == emitter.NAME for name, emitter in EMITTERS.items())


def test_every_fold_is_of_an_emitter_and_writes_beside_it() -> None:
    emitters: dict[str, object] = dict(EMITTERS)
    assert all(emitters[name] is fold for name, fold in FOLDS.items())
    assert {name for name, emitter in EMITTERS.items() if hasattr(emitter, "fold")} == set(FOLDS)
    folded = [path for fold in FOLDS.values() for path in fold.FOLDED]
    assert len(folded) == len(set(folded)) > 0
    assert all(set(fold.OF) <= set(EMITTERS) for fold in FOLDS.values())


def test_compile_offers_every_emitter_and_flavour() -> None:
    assert tuple(EMITTERS) == KINDS
    assert tuple(REGISTERED_FLAVOURS) == FLAVOURS
    assert set(FLAVOURS) == set(Outputs.model_json_schema()["properties"]["flavour"]["enum"])


def test_every_reporter_is_in_the_table() -> None:
    files = {path.stem.removeprefix("report_") for path in (PACKAGE / "diagnostics").glob("report_*.py")}
    assert set(REPORTERS) == files
    for name, (module, function) in REPORTERS.items():
        assert module == f"slo_compiler.diagnostics.report_{name}"
        assert callable(getattr(importlib.import_module(module), function))


def test_every_command_is_in_the_table() -> None:
    assert {path.rpartition(".")[2] for path, _ in COMMANDS.values()} == modules("cli")
    for name, (path, _) in COMMANDS.items():
        assert importlib.import_module(path).command.name == name


def test_every_command_has_help_with_an_example_of_itself() -> None:
    for name, command in commands():
        assert command.help, name
        assert command.help.split("\n")[0].endswith("."), name
        assert f"slo-compiler {name} " in (command.epilog or ""), f"{name} has no example"


def test_every_option_but_help_has_words_or_choices() -> None:
    for name, command in commands():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help or isinstance(option.type, click.Choice), f"{name} {option.name}"


def test_commands_say_one_line_in_the_table() -> None:
    for name, (_, text) in COMMANDS.items():
        assert text.endswith(".") and len(text) < 70, name


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in builtin_path("diagnostics").iterdir()} == {code.name for code in Code}
    for code in Code:
        page = builtin_path("diagnostics", f"{code.name}.md").read_text("utf-8")
        assert page.startswith(f"# {code.name}: {code.value}\n")


def test_every_code_is_used() -> None:
    used = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r"\bSLO[0-9]{3}\b", path.read_text("utf-8"))
        if path.name != "codes.py"
    }
    assert used == {code.name for code in Code}


@pytest.mark.parametrize("name", load_slis())
def test_every_sli_has_roles_that_some_engine_exposes(name: str) -> None:
    sli = load_slis()[name]
    exposed = {metric.role for engine in load_builtin_engines().values() for metric in engine.spec.metrics}
    for role in sli.roles:
        assert role in exposed, f"no engine exposes {role.value}"
    assert (sli.kind != "counters") == bool(sli.roles)


@pytest.mark.parametrize("name", load_slis())
def test_every_sli_has_a_tier_in_the_default_policy(name: str) -> None:
    shortest = load_slis()[name].long_windows_from
    tiers = load_builtin_policy("default").spec.tiers
    assert [tier for tier in tiers if shortest is None or tier.long_window >= shortest]


@pytest.mark.parametrize(("path", "model"), BUILTIN)
def test_builtin_document_is_valid(path: Path, model: type[Builtin]) -> None:
    loaded = load_file(str(path))
    assert not loaded.diagnostics
    (source,) = loaded.documents
    document, faults = read_model(model, source)
    assert not faults
    assert isinstance(document, model)
    assert document.kind == model.__name__


def test_builtin_documents_are_found_by_their_loaders() -> None:
    stems = {folder: {path.stem for path in builtin_path(folder).iterdir()} for folder in ("engines", "policies")}
    assert set(load_builtin_engines()) == stems["engines"]
    assert set(builtin_policy_names()) == stems["policies"]
    for name, engine in load_builtin_engines().items():
        assert engine.metadata.name == name
    assert load_builtin_catalog().experience_classes


def _last_name(module: object) -> str:
    assert isinstance(module, ModuleType)
    return module.__name__.rpartition(".")[2]
