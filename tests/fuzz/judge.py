"""What must hold of every case, whatever its documents hold: nothing raises, every finding can be used, nothing acts."""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import PurePosixPath
from random import Random
from typing import Any

import promql_parser
import yaml
from ruamel.yaml import YAML

from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.reporters import REPORTERS, render
from slo_compiler.documents.config import Config, default_config
from slo_compiler.documents.metadata import DNS_LABEL
from slo_compiler.documents.read import PROMISES, read_model
from slo_compiler.emit import EMITTERS, FOLDS, openslo
from slo_compiler.emit.base import Artifact, Context
from slo_compiler.emit.catalogue.page import page_text
from slo_compiler.explain import numbers_json, render_numbers
from slo_compiler.load.yaml import LoadedFile, load_bytes
from slo_compiler.pipeline import Checked, check_loaded, emit_specs
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.windows import LONGEST_SCRAPE
from tests.fuzz import hostile
from tests.fuzz.generate import Case, Inputs
from tests.fuzz.mutate import mutated_text

CPU_SECONDS = 1.0
# Proofs follow from the rules, and take the most time.
COMPARED = tuple(kind for kind in EMITTERS if kind != "tests")
# Of what is read by a reader in pure Python, in characters.
_SHORT = 40_000
_CONFIG_PATH = "slo-compiler.yaml"
_TODAY = datetime.date(2027, 6, 1)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ACTION = re.compile(r"\{\{.*?(?:\}\}|\Z)", re.DOTALL)
# How the compiler writes braces that are text.
_LITERAL_BRACES = '{{ "{{" }}'


class Violation(Exception):
    """Something does not hold; the message says what, and of which case."""


@dataclass(slots=True)
class Outcome:
    """What a case came to, so that a run can show that it reached all parts of the compiler."""

    diagnostics: set[str] = field(default_factory=set)
    failed: bool = False
    specs: int = 0
    artifacts: int = 0
    expanded: bool = False
    compared: bool = False
    cpu_seconds: float = 0.0
    rules: list[Artifact] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    """One pass through the compiler.

    Attributes:
        environment: with what the configuration says.
        texts: every output file by path.
    """

    files: list[LoadedFile]
    environment: Environment
    context: Context
    checked: Checked
    texts: dict[str, str] = field(default_factory=dict)


def judge(case: Case, seed: str) -> Outcome:
    """Runs a case through the compiler.

    Raises:
        Violation: something does not hold.
    """
    random = Random(f"{seed}/{case.number}/judge")
    outcome = Outcome()
    started = time.process_time()
    run = _through(case.inputs)
    outcome.cpu_seconds = time.process_time() - started
    _require(outcome.cpu_seconds <= CPU_SECONDS, f"took {outcome.cpu_seconds:.2f} s of CPU")
    outcome.diagnostics = {diagnostic.code.name for diagnostic in run.checked.diagnostics}
    outcome.failed, outcome.specs, outcome.artifacts = run.checked.failed, len(run.checked.specs), len(run.texts)
    judge_findings(run.checked, run.files)
    judge_reports(run.checked, random)
    judge_loosely(case.inputs, random)
    if run.texts:
        parsed = {path: judge_artifact(path, text, random) for path, text in run.texts.items()}
        outcome.rules = [Artifact(path, text) for path, text in run.texts.items() if path.startswith("rules/")]
        outcome.expanded = judge_expansion(run, random)
        if case.twin is not None:
            outcome.compared = judge_twins(parsed, _through(case.twin, COMPARED), run.texts)
    return outcome


def _through(inputs: Inputs, kinds: tuple[str, ...] = tuple(EMITTERS)) -> _Run:
    """Everything that the commands do with a case, without the disk."""
    files = [load_bytes(content, path) for path, content in inputs.files.items()]
    config, faults = _configuration(inputs.config)
    environment = Environment(config)
    checked = check_loaded(files, environment)
    checked.diagnostics += faults.diagnostics
    checked.lines = {**checked.lines, _CONFIG_PATH: faults.lines}
    files.append(faults)
    metadata = config.outputs.prometheus_rule
    labels, annotations = tuple(sorted(metadata.labels.items())), tuple(sorted(metadata.annotations.items()))
    context = Context(config.outputs.flavour, metadata.namespace, labels, annotations)
    run = _Run(files, environment, context, checked)
    render_numbers(checked.specs)
    json.loads(numbers_json(checked.specs))
    if not checked.failed:
        run.texts = {artifact.path: artifact.text for _, artifact in emit_specs(checked.specs, context, kinds)}
        promised = [path for spec in checked.specs for kind in kinds for path in EMITTERS[kind].paths(spec)]
        _require(sorted(promised) == sorted(run.texts), "emitters write other paths than they say")
        for fold in FOLDS.values():
            own = {path: text for path, text in run.texts.items() if path.partition("/")[0] in fold.OF}
            if own:
                run.texts |= {artifact.path: artifact.text for artifact in fold.fold(own, context)}
    return run


def _configuration(content: bytes | None) -> tuple[Config, LoadedFile]:
    """The settings, by default where they are broken, and what is wrong with them."""
    loaded = load_bytes(content or b"", _CONFIG_PATH)
    for document in loaded.documents[:1]:
        model, faults = read_model(Config, document)
        loaded.diagnostics += faults
        if isinstance(model, Config) and model.prometheus.scrape_interval.seconds <= LONGEST_SCRAPE:
            return model, loaded
    return default_config(), loaded


def judge_findings(checked: Checked, files: Iterable[LoadedFile]) -> None:
    """Every finding has a place inside its file, a message and a hint."""
    lines = {file.path: file.lines for file in files}
    for found in checked.diagnostics:
        _require(bool(found.message.strip()) and bool(found.hint.strip()), f"no message or hint: {found}")
        _require(found.span.path in lines, f"in a file that was not given: {found}")
        _judge_place(found, lines[found.span.path])
    order = [diagnostic.sort_key for diagnostic in checked.diagnostics if diagnostic.span.path != _CONFIG_PATH]
    _require(order == sorted(order), "findings out of order")


def _judge_place(found: Diagnostic, lines: Sequence[str]) -> None:
    span = found.span
    _require(span.line >= 1 and span.column >= 1, f"no place: {found}")
    _require((span.end_line, span.end_column) >= (span.line, span.column), f"ends before it begins: {found}")
    if lines:  # a file that cannot be decoded has none
        _require(span.line <= len(lines), f"beyond the last line of {len(lines)}: {found}")
        _require(span.column <= len(lines[span.line - 1]) + 1, f"beyond the end of the line: {found}")


def judge_reports(checked: Checked, random: Random) -> None:
    """Every format can be written as UTF-8 and read, and no document paints a terminal or writes a command."""
    shown = checked.diagnostics
    for name in REPORTERS:
        limit, width = random.choice((0, 3)), random.choice((0, 80))
        text = render(name, Report(shown, checked.lines, checked.files, limit, width=width))
        text.encode("utf-8")
        if name in ("json", "sarif", "gitlab"):
            json.loads(text)
        else:
            # The path of a file stands in a command as it is, which no log shows.
            seen = re.sub(r"(?m)^::\w+ file=.*?,line=", "", text) if name == "github" else text
            bad = [character for character in seen if not character.isprintable() and character != "\n"]
            _require(not bad, f"the {name} report holds {bad[:3]!r}")
        if name == "github":
            commands = [line for line in text.split("\n") if line.startswith("::")]
            _require(len(commands) <= len(shown), "the github report holds a command of a document's own")


def judge_loosely(inputs: Inputs, random: Random) -> None:
    """What `validate` does differs in the day and in what is an error."""
    files = [load_bytes(content, path) for path, content in inputs.files.items()]
    checked = check_loaded(files, Environment(), _TODAY if random.random() < 0.7 else None, compiling=False)
    judge_findings(checked, files)


def judge_artifact(path: str, text: str, random: Random) -> Any:
    """An output lies inside the folder, reads the same by all readers, and holds no expression that Prometheus refuses."""
    pure = PurePosixPath(path)
    _require(str(pure) == path and not pure.is_absolute() and ".." not in pure.parts, f"path {path!r}")
    names = [*pure.parts[1:-1], pure.name.removeprefix(".").partition(".")[0]]
    _require(all(DNS_LABEL.fullmatch(name) and len(name) <= 63 for name in names), f"path {path!r}")
    text.encode("utf-8")
    if pure.suffix == ".yaml" or pure.name == ".lint":
        data = _judge_yaml(path, text, random)
        for where, expression in _expressions(data):
            _parse_promql(f"{path}: {where}", expression)
        return data
    if pure.suffix == ".json":
        return json.loads(text)
    shown = _outside_code(text) if pure.suffix == ".md" else text
    _require(not any(mark in shown for mark in hostile.MARKS), f"{path}: markup of the document's own")
    if pure.suffix == ".html":
        _judge_page(path, text)
    return text


def _outside_code(markdown: str) -> str:
    """The page without its blocks of code, which show a query as it is and end at the first line of their fence."""
    outside: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif opened := re.fullmatch(r"(`{3,})(promql|sh)", line):
            fence = opened[1]
        else:
            _require(not line.startswith("```"), f"a fence of the document's own: {line}")
            outside.append(line)
    _require(not fence, "a block of code without an end")
    return "\n".join(outside)


class _Elements(HTMLParser):
    """What a page is made of: the names of its elements and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, ...]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, *sorted(name for name, _ in attrs)))


def _elements(text: str) -> set[tuple[str, ...]]:
    parser = _Elements()
    parser.feed(text)
    parser.close()
    return parser.found


@cache
def _own_elements() -> set[tuple[str, ...]]:
    """Those of the page of no spec: what it says of specs are data."""
    return _elements(page_text([]))


def _judge_page(path: str, text: str) -> None:
    strange = _elements(text) - _own_elements()
    _require(not strange, f"{path}: elements that the page does not have by itself: {strange}")


def _judge_yaml(path: str, text: str, random: Random) -> Any:
    # Proofs are long, and written by the same function as the rest: a part of them is enough.
    if path.startswith("tests/") and random.random() < 0.9:
        return None
    documents = [_data(path, node) for node in yaml.compose_all(text, Loader=yaml.CSafeLoader)]
    if len(text) < _SHORT and random.random() < 0.03:
        again = list(YAML(typ="safe", pure=True).load_all(text))
        _require(again == list(yaml.safe_load_all(text)) == documents, f"{path}: readers differ")
    if random.random() < 0.2:
        events = [event for event in yaml.parse(text, Loader=yaml.CSafeLoader) if isinstance(event, yaml.NodeEvent)]
        marked = [event for event in events if event.anchor or getattr(event, "tag", None)]
        _require(not marked, f"{path}: a tag or an anchor: {marked[:1]}")
    return documents


_CONSTRUCT: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": lambda text: text == "true",
    "str": str,
}


def _data(path: str, node: Any) -> Any:
    """A composed node as data, by the tags that PyYAML gives it; a key that is given twice is a violation."""
    if isinstance(node, yaml.MappingNode):
        made = {_data(path, key): _data(path, value) for key, value in node.value}
        _require(len(made) == len(node.value), f"{path}: a key is written twice")
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_data(path, item) for item in node.value]
    kind = node.tag.rpartition(":")[2]
    _require(kind in _CONSTRUCT, f"{path}: a value reads as {kind}: {node.value!r}")
    return _CONSTRUCT[kind](node.value)


def _expressions(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """Every PromQL expression of rules and tests."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "expr" and isinstance(item, str):
                yield f"{path}.{key}", item
            else:
                yield from _expressions(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _expressions(item, f"{path}[{number}]")


def _parse_promql(where: str, expression: str) -> None:
    try:
        promql_parser.parse(expression)
    except ValueError as fault:
        raise Violation(f"{where}: no PromQL: {fault}: {expression!r}") from None


def judge_expansion(run: _Run, random: Random) -> bool:
    """The portable form compiles to the same rules; broken, it is only refused. Whether there was one."""
    specs = [spec for spec in run.checked.specs if spec.portable is not None]
    if not specs:
        return False
    texts = ["---\n".join(openslo.to_text([item]) for item in openslo.documents_of(spec)) for spec in specs]
    started = time.process_time()
    # Under the same paths, which alerts link.
    files = [load_bytes(text.encode(), spec.path) for spec, text in zip(specs, texts, strict=True)]
    again = check_loaded([*files, *_definitions(run.files)], run.environment)
    _require(time.process_time() - started <= CPU_SECONDS, "the expansion takes long to read")
    errors = [found for found in again.diagnostics if found.severity is Severity.ERROR]
    _require(not errors, f"the expansion does not compile: {errors[:3]}")
    before = _rules_of(specs, run.context)
    after = _rules_of(again.specs, run.context)
    for path, text in before.items():
        _require(after.get(path) == text, f"the expansion gives other rules: {path}")
    broken = mutated_text(texts[0].encode(), random)
    files = [load_bytes(broken, "expanded.yaml")]
    judge_findings(check_loaded(files, run.environment), files)
    return True


def _definitions(files: Sequence[LoadedFile]) -> Iterable[LoadedFile]:
    """What the files define for others, without their promises."""
    for file in files:
        if file.path != _CONFIG_PATH:
            kept = [document for document in file.documents if document.kind not in PROMISES]
            yield LoadedFile(file.path, kept, [], [], file.lines)


def _rules_of(specs: Iterable[Any], context: Context) -> dict[str, str]:
    found = emit_specs(list(specs), context, ("rules",))
    return {artifact.path: artifact.text.partition("\n")[2] for _, artifact in found}


def judge_twins(parsed: Mapping[str, Any], twin: _Run, texts: Mapping[str, str]) -> bool:
    """Hostile text stays text: all that surrounds it is as with harmless text. Whether there was anything to compare."""
    _require(not twin.checked.failed, f"only harmless text is refused: {twin.checked.diagnostics[:3]}")
    compared = [path for path in sorted(texts) if not path.startswith("tests/")]
    _require(sorted(twin.texts) == compared, f"other files: {compared} instead of {sorted(twin.texts)}")
    random = Random(0)
    for path in compared:
        data = parsed[path]
        if path.endswith(".yaml"):
            _compare(path, data, judge_artifact(path, twin.texts[path], random))
    return True


def _compare(where: str, ours: Any, theirs: Any, key: str = "", alert: bool = False) -> None:
    """Two values at one place, `ours` with hostile text.

    Args:
        key: under which they stand.
        alert: they are labels or annotations of an alert, which Prometheus expands.
    """
    _require(type(ours) is type(theirs), f"{where}: {ours!r} instead of {theirs!r}")
    if isinstance(theirs, dict):
        keys = [name for name in theirs if name in ours or key != "labels" or not where.startswith("openslo/")]
        _require(list(ours) == keys, f"{where}: keys {list(ours)} instead of {list(theirs)}")
        for name in keys:
            _compare(f"{where}.{name}", ours[name], theirs[name], name, alert or "alert" in theirs)
    elif isinstance(theirs, list):
        _require(len(ours) == len(theirs), f"{where}: {len(ours)} items instead of {len(theirs)}")
        for number, item in enumerate(theirs):
            _compare(f"{where}[{number}]", ours[number], item, key)
    elif isinstance(theirs, str):
        if key in ("expr", "query", "record"):
            bare, other = (_STRING.sub('""', _unescaped(text) if alert else text) for text in (ours, theirs))
            _require(bare == other, f"{where}: acts outside of strings: {ours!r} instead of {theirs!r}")
        if alert and key != "expr":
            _require(actions(ours) == actions(theirs), f"{where}: acts in a template: {ours!r} beside {theirs!r}")
    else:
        _require(ours == theirs, f"{where}: {ours!r} instead of {theirs!r}")


def _unescaped(text: str) -> str:
    return text.replace(_LITERAL_BRACES, "{{")


# A query in a text names the SLO in one string, whatever that is called.
_ASKED = re.compile(r'\{\{ with query "(?:\\.|[^"\\])*" \}\}')


def actions(text: str) -> list[str]:
    """The template actions in a text of an alert, as Go reads it, but for braces that are text."""
    asked = _ASKED.sub('{{ with query "" }}', text)
    return [action for action in _ACTION.findall(asked) if action != _LITERAL_BRACES]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise Violation(message)
