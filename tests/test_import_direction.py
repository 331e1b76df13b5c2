"""Data flows one way: no stage imports a later one, few touch the world, and the command line starts with click alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import slo_compiler
from slo_compiler.cli import COMMANDS

ROOT = Path(slo_compiler.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# Stages in the order in which values pass through them; those of one line do not import each other's later parts.
STAGES: tuple[tuple[str, ...], ...] = (
    ("__init__", "units", "resources", "plain_text", "plain_yaml", "diagnostics"),
    ("load",),
    ("documents",),
    (
        "catalog",
        "edges",
        "shipped_catalog",
        "shipped_engines",
        "engines",
        "engine_versions",
        "formulas",
        "slis",
        "breaches",
        "runbook_texts",
    ),
    (
        "ir_series",
        "ir_autoscaling",
        "ir_degradation",
        "ir_engine",
        "ir_histograms",
        "ir_replicas",
        "ir_scraping",
        "ir_schedules",
        "ir_exemptions",
        "schedules",
        "ir",
    ),
    ("promql",),
    ("resolve",),
    ("checks",),
    ("emit",),
    ("write", "external"),
    ("migrate",),
    ("analysis", "diff", "exporter", "live"),
    ("publish",),
    ("pipeline", "changed", "prove", "explain", "describe_catalog", "describe_engines", "schemas", "scaffold"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(STAGES) for name in names}

# The stages that open files or start programs; `prove` judges a folder that is on disk, `schemas` generates one.
WORLD = {"load", "write", "external", "publish", "resources", "prove", "schemas", "cli"}
# Modules that read the facts that ship with the package, and nothing else.
BUILTIN_LOADERS = {
    "diagnostics/pages.py",
    "exporter/defaults.py",
    "shipped_catalog.py",
    "shipped_engines.py",
    "live/metric_words.py",
    "slis.py",
    "runbook_texts.py",
    "resolve/policies.py",
}
WORLD_MODULES = {"subprocess", "socket", "shutil", "tempfile", "urllib", "http", "ssl", "asyncio", "multiprocessing"}
READ_CALLS = {"open", "read_bytes", "read_text", "glob", "rglob", "iterdir", "exists", "is_file", "is_dir", "stat"}
WRITE_CALLS = {"write_bytes", "write_text", "mkdir", "rmdir", "unlink", "rename", "touch", "chmod", "symlink_to"}
OS_CALLS = {"system", "popen", "remove", "replace", "walk", "listdir", "scandir", "getcwd", "kill", "fork", "execv"}

# Only what click itself needs may be there before a command runs.
HEAVY = ("pydantic", "yaml", "ruamel", "jinja2", "promql_parser", "json", "decimal", "importlib.metadata")


def stage_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """The line and full name of each import, those inside functions and for type checkers alike."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides its stage"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls_of(path: Path) -> Iterator[tuple[int, str]]:
    """The line and name of each call that reads or writes the world."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id="open"):
                yield node.lineno, "open"
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in OS_CALLS:
                yield node.lineno, f"os.{name}"
            case ast.Attribute(attr=name) if name in READ_CALLS | WRITE_CALLS:
                yield node.lineno, name


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


@each_module
def test_every_module_has_its_place_in_the_order(path: Path) -> None:
    assert stage_of(path) in RANK, f"say in STAGES where {name_of(path)} stands"


@each_module
def test_no_stage_imports_a_later_one(path: Path) -> None:
    own = RANK.get(stage_of(path), len(STAGES))
    late = []
    for line, imported in imports_of(path):
        parts = imported.split(".")
        if parts[0] == "slo_compiler" and len(parts) > 1 and parts[1] != "__version__":
            rank = RANK.get(parts[1], len(STAGES))
            if rank > own:
                late.append(f"{name_of(path)}:{line} imports {imported}")
    assert not late


@each_module
def test_only_the_edges_touch_the_world(path: Path) -> None:
    if stage_of(path) in WORLD:
        return
    programs = [
        f"{name_of(path)}:{line} imports {imported}"
        for line, imported in imports_of(path)
        if imported.split(".")[0] in WORLD_MODULES
    ]
    assert not programs
    allowed = READ_CALLS if name_of(path) in BUILTIN_LOADERS else set()
    assert not [f"{name_of(path)}:{line} calls {call}" for line, call in calls_of(path) if call not in allowed]


@pytest.mark.parametrize("name", sorted(BUILTIN_LOADERS))
def test_a_loader_of_facts_asks_resources_where_they_lie(name: str) -> None:
    assert "slo_compiler.resources.builtin_path" in {imported for _, imported in imports_of(ROOT / name)}


@each_module
def test_only_resources_knows_where_shipped_files_lie(path: Path) -> None:
    names = {node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}
    # The fingerprint hashes the code itself.
    assert "__file__" not in names or name_of(path) in ("resources.py", "write/fingerprint.py")


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)],
    ids=" ".join,
)
def test_help_needs_only_click(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "import click\n"
        "before = set(sys.modules)\n"
        "from slo_compiler.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False, prog_name='slo-compiler')\n"
        f"new = set(sys.modules) - before\n"
        f"print('IMPORTED', [name for name in {HEAVY!r} if name in new])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "IMPORTED []"
