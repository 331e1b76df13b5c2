"""The generated pages under docs/ are current."""

from __future__ import annotations

import os
import runpy
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from slo_compiler.catalog import load_builtin_catalog
from slo_compiler.cli import COMMANDS
from slo_compiler.diagnostics.codes import Code
from slo_compiler.engines import load_builtin_engines

ROOT = Path(__file__).parent.parent
NAMES = ("annotations.md", "catalog.md", "commands.md", "diagnostics.md", "engines.md")


@cache
def pages() -> dict[str, str]:
    generated: dict[str, str] = runpy.run_path(str(ROOT / "scripts" / "generate_docs.py"))["pages"]()
    return generated


def test_every_page_is_looked_at() -> None:
    assert tuple(pages()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_page_is_current(name: str) -> None:
    path = ROOT / "docs" / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(pages()[name], encoding="utf-8")
    assert path.read_text("utf-8") == pages()[name], "run the tests with UPDATE_GOLDEN=1"


def test_catalog_page_names_everything() -> None:
    catalog = load_builtin_catalog()
    for name in (*catalog.experience_classes, *catalog.use_cases):
        assert f"\n### {name}\n" in pages()["catalog.md"]


def test_diagnostics_page_links_every_code() -> None:
    for code in Code:
        assert f"[{code.name}](../slo_compiler/builtin/diagnostics/{code.name}.md)" in pages()["diagnostics.md"]


def test_commands_page_has_the_help_of_every_command() -> None:
    for name in COMMANDS:
        assert f"Usage: slo-compiler {name} " in pages()["commands.md"]


def test_engines_page_names_every_metric() -> None:
    for engine in load_builtin_engines().values():
        for metric in engine.spec.metrics:
            assert f"`{metric.name}`" in pages()["engines.md"]


def test_tables_are_not_broken() -> None:
    """A row has as many cells as the head of its table, and no line of a table is blank."""
    for name, text in pages().items():
        lines = text.splitlines()
        for before, line in pairwise(lines):
            if before.startswith("|") and line.startswith("|"):
                assert _cells(before) == _cells(line), f"{name}: {line}"


def _cells(line: str) -> int:
    return line.replace("\\|", "").count("|")
