"""The generated pages under docs/ are current."""

from __future__ import annotations

import os
import re
import runpy
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from slo_compiler.cli import COMMANDS
from slo_compiler.diagnostics.codes import Code
from slo_compiler.engines import load_builtin_engines
from slo_compiler.shipped_catalog import load_builtin_catalog

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


WRITTEN = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def _anchors(text: str) -> set[str]:
    """What a page's headings are called in links, as GitHub names them, and the names that it gives itself."""
    titles = re.findall(r"(?m)^#+ (.+)$", text)
    named = re.findall(r'<a id="([^"]+)"></a>', text)
    return {*named, *(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    assert links or page.name in ("annotations.md", "commands.md", "catalog.md")
    for link in links:
        if link.startswith(("https:", "http:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in _anchors(target.read_text("utf-8")), f"{page.name}: {link}"


def test_every_page_is_found_from_the_readme() -> None:
    readme = WRITTEN[0].read_text("utf-8")
    for page in WRITTEN[1:]:
        assert f"](docs/{page.name})" in readme


def test_the_readme_shows_the_spec_that_its_output_came_from() -> None:
    assert f"```yaml\n{(ROOT / 'specs/vllm/chatbot.yaml').read_text('utf-8')}```" in WRITTEN[0].read_text("utf-8")
