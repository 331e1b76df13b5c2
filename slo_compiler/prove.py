"""Proves a compiled folder: promtool checks every rule file and runs every unit test in it."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from slo_compiler.emit.flavours import rule_groups
from slo_compiler.emit.serialize import Block, to_yaml
from slo_compiler.external.promtool import check_rules, needs_native_histograms, test_rules

SCHEMA = "slo-compiler/test/v1"
# How the series of a test begin that are native histograms.
_NATIVE = b"{{schema:"


@dataclass(frozen=True, slots=True)
class FileResult:
    """What promtool said of one rule file and its tests.

    Attributes:
        key: the hash of the rule file and its tests.
    """

    path: str
    rules: int
    tests: int
    ok: bool
    output: str
    key: str = ""


class Held(NamedTuple):
    """What an earlier run says of files that held: the hash of rules and tests, and how many these are."""

    key: str
    rules: int
    tests: int


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a compiled folder, sorted."""
    return sorted((folder / "rules").rglob("*.yaml"))


def prove_folder(
    folder: Path, promtool: str, jobs: int, held: Mapping[str, Held] = MappingProxyType({})
) -> Iterator[FileResult]:
    """Every rule file of a compiled folder, in order; `jobs` run at a time.

    A rule file without tests fails: rules that nobody proves are no result.

    Args:
        held: by rule file, what held under this promtool; promtool is not asked again where nothing changed.

    Raises:
        PromtoolTooOld: some tests hold what this promtool cannot read.
    """
    native = next((path for path in sorted((folder / "tests").rglob("*.yaml")) if _NATIVE in path.read_bytes()), None)
    if native is not None:
        needs_native_histograms(promtool, native.relative_to(folder).as_posix())
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        yield from pool.map(lambda path: _prove(folder, path, promtool, held), rule_files(folder))


def _prove(folder: Path, path: Path, promtool: str, held: Mapping[str, Held]) -> FileResult:
    relative = path.relative_to(folder)
    beside = folder / "tests" / relative.relative_to("rules")
    # Names of specs hold no dot, so that no other spec's tests begin like these.
    tests = sorted(beside.parent.glob(f"{glob.escape(beside.stem)}.*.test.yaml"))
    key = _key([path, *tests])
    before = held.get(relative.as_posix())
    if before is not None and before.key == key:
        return FileResult(relative.as_posix(), before.rules, before.tests, True, "", key)
    document = _load(path)
    groups = rule_groups(document)
    rules = sum(len(group["rules"]) for group in groups)
    if not tests:
        return FileResult(relative.as_posix(), rules, 0, False, "there are no tests for these rules")
    count = sum(_count_tests(_load(test)) for test in tests)
    with _plain(path, tests, document, {"groups": groups}) as (rule_file, test_files):
        checked = check_rules(promtool, [rule_file])
        tested = test_rules(promtool, test_files) if checked.ok else checked
    ok = checked.ok and tested.ok
    return FileResult(relative.as_posix(), rules, count, ok, "" if ok else tested.output, key)


def _key(files: Sequence[Path]) -> str:
    """The hash of files by name and content."""
    hashes = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    return hashlib.sha256(repr(hashes).encode()).hexdigest()


@contextmanager
def _plain(
    path: Path, tests: list[Path], document: dict[str, Any], plain: dict[str, Any]
) -> Iterator[tuple[Path, list[Path]]]:
    """The files as promtool reads them: of what another server takes only the groups."""
    if document == plain:
        yield path, tests
        return
    with TemporaryDirectory(prefix="slo-compiler-") as scratch:
        rule_file = Path(scratch, "rules.yaml")
        rule_file.write_text(to_yaml(_blocks(plain)), encoding="utf-8")
        copies = []
        for test in tests:
            content = _load(test)
            content["rule_files"] = [str(rule_file)]
            copy = Path(scratch, test.name)
            copy.write_text(json.dumps(content), encoding="utf-8")
            copies.append(copy)
        yield rule_file, copies


def _blocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: Block(item) if key == "expr" else _blocks(item) for key, item in value.items()}
    return [_blocks(item) for item in value] if isinstance(value, list) else value


def _load(path: Path) -> dict[str, Any]:
    loaded = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return loaded if isinstance(loaded, dict) else {}


def _count_tests(document: dict[str, Any]) -> int:
    kinds = ("promql_expr_test", "alert_rule_test")
    return sum(len(group.get(kind, ())) for group in document.get("tests", ()) for kind in kinds)


def to_json(results: list[FileResult]) -> str:
    """The results as one JSON document, schema `slo-compiler/test/v1`."""
    summary = {
        "files": len(results),
        "rules": sum(result.rules for result in results),
        "tests": sum(result.tests for result in results),
        "failed": sum(not result.ok for result in results),
    }
    files = [
        {"path": item.path, "rules": item.rules, "tests": item.tests, "ok": item.ok, "output": item.output}
        for item in results
    ]
    return json.dumps({"schema": SCHEMA, "summary": summary, "files": files}, indent=2, ensure_ascii=False)
