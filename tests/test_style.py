"""What the repository holds itself to and no tool checks: size of files, paths of machines, where PromQL is made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "slo_compiler"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 450  # lines

# What people read or run; generated folders are compared with their sources elsewhere.
FOLDERS = (
    "slo_compiler",
    "specs",
    "docs",
    "schemas",
    "templates",
    "scripts",
    "benchmarks",
    "tests",
    "golden",
    "examples",
    ".ci",
)
TEXTS = sorted(
    [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    + [path for path in ROOT.iterdir() if path.is_file() and path.suffix != ".lock"]
)
# Split, so that this file does not hold what it looks for.
MACHINE_PATHS = ("/wo" + "rk/", "/tmp/ba" + "sh_jobs")

# The only places that make PromQL; everything else hands over values.
MAKERS = ("promql", "emit")
_CALL = re.compile(r"\b(rate|irate|increase|[a-z]+_over_time|histogram_quantile|clamp_min|clamp_max)\(")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def joined_texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The fixed parts of texts that are put together: f-strings, sums, `%`, `format` and `join`."""
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr):
            parts = node.values
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts = [node.func.value] if node.func.attr in ("format", "join", "replace") else []
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.lineno, part.value


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_is_of_a_readable_size(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= LONGEST, f"{lines} lines: look for two ideas in it"


@pytest.mark.parametrize("path", [path for path in MODULES if path.stat().st_size], ids=relative)
def test_module_says_in_a_sentence_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert path.name.startswith("__init__") or ast.get_docstring(tree) is not None


def test_no_file_names_a_path_of_a_machine() -> None:
    found = [
        f"{relative(path)} names {name}"
        for path in TEXTS
        for name in MACHINE_PATHS
        if name.encode() in path.read_bytes()
    ]
    assert not found


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(PACKAGE).parts[0] not in MAKERS], ids=relative
)
def test_promql_is_put_together_only_by_its_makers(path: Path) -> None:
    found = [
        f"line {line}: {text!r}"
        for line, text in joined_texts(ast.parse(path.read_text("utf-8")))
        if _CALL.search(text)
    ]
    assert not found, "give the values to slo_compiler/promql"


def test_joined_promql_is_recognised() -> None:
    """The near misses matter as much as the hits."""
    hits = ("f'sum(rate({metric}[5m]))'", "'rate(' + metric", "'increase(%s)' % metric", "'rate({})'.format(metric)")
    misses = ("'sum(rate(x[5m]))'", "f'separate({x})'", "f'a rate of {x}'", "'rate' + name")
    for text in hits:
        assert any(_CALL.search(part) for _, part in joined_texts(ast.parse(text))), text
    for text in misses:
        assert not any(_CALL.search(part) for _, part in joined_texts(ast.parse(text))), text
