"""The whole compiler in reading order: load, read, resolve, check; then emit and write.

Every stage takes the value of the one before it. Only `load`, `write` and `external` touch the world.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from slo_compiler.checks import ABSENCE_CHECKS, DATE_CHECKS, FLEET_CHECKS, NAME_CHECKS, SPEC_CHECKS
from slo_compiler.checks.waivers import apply_waivers
from slo_compiler.diagnostics.diagnostic import Diagnostic, has_errors, judging_documents, told_once
from slo_compiler.documents.read import PROMISES, is_read_as_current, may_define, read_document
from slo_compiler.ir import Spec
from slo_compiler.load.secrets import without_secrets
from slo_compiler.load.yaml import LoadedFile, load_bytes, load_file, read_content
from slo_compiler.resolve.definitions import Definitions
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.resolve import Part, is_part, resolve, resolve_parts

if TYPE_CHECKING:
    from slo_compiler.documents.base import Model
    from slo_compiler.emit.base import Artifact, Context
    from slo_compiler.load.directives import Directive
    from slo_compiler.load.source_map import SourceDocument
    from slo_compiler.write.session import Outcome, ShowDiff

# Smaller files are read from disk once.
_KEPT_BYTES = 65536


@dataclass(slots=True, eq=False)
class Checked:
    """All specs of a run, resolved, and everything that was found.

    Attributes:
        diagnostics: in the order in which they are shown.
        lines: the text of those files that have findings.
        directives: the comments that speak to the compiler.
        files: how many files were read.
        environment: what they were resolved with, their own definitions included; None where nothing was.
    """

    specs: list[Spec] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lines: dict[str, Sequence[str]] = field(default_factory=dict)
    directives: list[Directive] = field(default_factory=list)
    files: int = 0
    environment: Environment | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing may be written."""
        return has_errors(self.diagnostics)


def check_files(
    paths: Sequence[str], environment: Environment, today: datetime.date | None = None, *, compiling: bool = True
) -> Checked:
    """Loads, reads, resolves and judges spec files.

    Files that define what others name are read first, so that the rest can be read one at a time.

    Args:
        paths: files, as `load.discover` gives them.
        today: the day by which waivers are judged; None judges no date.
        compiling: False judges documents: what is valid and only cannot be compiled is a warning.
    """
    defining: list[LoadedFile] = []
    others: list[tuple[str, bytes | None]] = []
    for path in paths:
        content = read_content(path)
        if isinstance(content, LoadedFile):
            others.append((path, None))
        elif may_define(content):
            defining.append(load_bytes(content, path))
        else:
            others.append((path, content if len(content) <= _KEPT_BYTES else None))
    rest = (load_file(path) if content is None else load_bytes(content, path) for path, content in others)
    try:
        return _check(defining, rest, environment, today, compiling)
    except _LateDefinition:
        return _check([load_file(path) for path in paths], (), environment, today, compiling)


def check_loaded(
    files: Iterable[LoadedFile],
    environment: Environment,
    today: datetime.date | None = None,
    *,
    compiling: bool = True,
) -> Checked:
    """Reads, resolves and judges files that are already loaded, whatever their order; see `check_files`."""
    return _check(list(files), (), environment, today, compiling)


class _LateDefinition(Exception):
    """A definition came to light after others had been resolved without it."""


def _check(
    first: Sequence[LoadedFile],
    rest: Iterable[LoadedFile],
    environment: Environment,
    today: datetime.date | None,
    compiling: bool,
) -> Checked:
    """All files; `rest` holds no definitions and is resolved file by file."""
    checked = Checked()
    definitions = Definitions()
    parts: list[Part] = []
    promises = [(file, _read(file, definitions, checked)) for file in first]
    environment, faults = environment.with_definitions(definitions)
    checked.environment = environment
    checked.diagnostics += faults
    found: list[_Found] = []
    for file, documents in promises:
        found += _resolve(file, documents, environment, checked, parts)
    known = len(definitions)
    for file in rest:
        documents = _read(file, definitions, checked)
        if len(definitions) > known:
            raise _LateDefinition
        found += _resolve(file, documents, environment, checked, parts)
    for spec, faults in resolve_parts(parts, environment) if parts else ():
        checked.diagnostics += faults
        if spec is not None:
            found.append(_judge_spec(spec, whole=not has_errors(faults)))
    found.sort(key=lambda item: item.spec.where["name"])
    _judge_fleet(checked, found, today)
    checked.diagnostics = list(told_once(checked.diagnostics))
    if not compiling:
        checked.diagnostics = list(judging_documents(checked.diagnostics))
    if checked.directives:
        from slo_compiler.checks.ignores import apply_ignores  # few files hold comments for the compiler

        checked.diagnostics = apply_ignores(checked.diagnostics, checked.directives, dated=today is not None)
    checked.diagnostics.sort(key=lambda diagnostic: diagnostic.sort_key)
    told = {diagnostic.span.path for diagnostic in checked.diagnostics}
    checked.lines = {path: lines for path, lines in checked.lines.items() if path in told}
    return checked


_Document = tuple["Model", "SourceDocument"]


def _read(file: LoadedFile, definitions: Definitions, checked: Checked) -> list[_Document]:
    """The promises of a file; what it defines goes to `definitions`, what is wrong with it to `checked`."""
    checked.files += 1
    checked.lines[file.path] = without_secrets(file.lines, file.documents)
    checked.diagnostics += file.diagnostics
    checked.directives += file.directives
    promises = []
    for source in _current(file, checked, definitions):
        document, faults = read_document(source)
        checked.diagnostics += faults
        if document is not None and source.kind in PROMISES:
            promises.append((document, source))
        elif document is not None:
            checked.diagnostics += definitions.add(document, source)
        elif source.kind not in PROMISES:
            definitions.add_broken(source)
    return promises


def _current(file: LoadedFile, checked: Checked, definitions: Definitions) -> Iterator[SourceDocument]:
    """The documents of a file; those of an older version of OpenSLO as what they stand for in the current one."""
    forms = None
    for source in file.documents:
        if not is_read_as_current(source):
            yield source
            continue
        if forms is None:
            from slo_compiler.migrate.current import CurrentForms  # few files are old

            forms = CurrentForms(file.path)
        found, said = forms.of(source)
        checked.diagnostics += said
        if not found and source.kind not in PROMISES:
            definitions.add_broken(source)
        yield from found


def _resolve(
    file: LoadedFile, documents: list[_Document], environment: Environment, checked: Checked, parts: list[Part]
) -> list[_Found]:
    """The specs of a file; documents that are only a part of one go to `parts`."""
    found = []
    sound = not has_errors(file.diagnostics)
    for document, source in documents:
        if is_part(source):
            parts.append(Part(document, source))
            continue
        spec, faults = resolve(document, source, environment)
        checked.diagnostics += faults
        if spec is not None:
            found.append(_judge_spec(spec, whole=sound and not has_errors(faults)))
    return found


class _Found(NamedTuple):
    """A spec and what its checks say. `whole`: nothing of it is broken, so that what it lacks means something."""

    spec: Spec
    whole: bool
    diagnostics: list[Diagnostic]


def _judge_spec(spec: Spec, *, whole: bool) -> _Found:
    checks = [*SPEC_CHECKS.values(), *(ABSENCE_CHECKS.values() if whole else ())]
    return _Found(spec, whole, [diagnostic for check in checks for diagnostic in check(spec)])


def _judge_fleet(checked: Checked, found: list[_Found], today: datetime.date | None) -> None:
    checked.specs = [item.spec for item in found]
    by_spec = {id(item.spec): item.diagnostics for item in found}
    whole = [item.spec for item in found if item.whole]
    for checks, specs in ((NAME_CHECKS, checked.specs), (FLEET_CHECKS, whole)):
        for check in checks.values():
            for spec, diagnostic in check(specs):
                by_spec[id(spec)].append(diagnostic)
    for item in found:
        for dated in DATE_CHECKS.values():
            checked.diagnostics += dated(item.spec, today)
        checked.diagnostics += apply_waivers(item.spec, item.diagnostics, today, whole=item.whole)


def compile_specs(
    specs: Sequence[Spec],
    context: Context,
    folder: Path,
    *,
    kinds: Sequence[str],
    given: Sequence[str],
    inputs: dict[str, str],
    catalogs: dict[str, str],
    dry: bool = False,
    show_diff: ShowDiff | None = None,
    pruned: Sequence[str] = (),
) -> Outcome:
    """Emits specs without errors and writes what differs; see `write_artifacts` for the rest of the arguments.

    Texts are made one file at a time, so that memory holds one of them; what is about all specs is made last, of the
    files of each.

    Args:
        pruned: kinds of which no file stays that is not written; by default those that are.

    Raises:
        TemplateFault: a template of the repository's own is broken; nothing was changed.
        WordsLost: what the team wrote into a runbook has no place any more; nothing was changed.
        Refused: a file that is not ours stands in the way; nothing was changed.
        Emptied: no spec is left, and all files that were there would go; nothing was changed.
        OSError: the disk refuses.
    """
    from slo_compiler.emit import EMITTERS, FOLDS  # a run that only checks loads no emitter
    from slo_compiler.emit.runbooks import NAME as RUNBOOKS
    from slo_compiler.write.session import write_artifacts

    of_path = {path: (spec, kind) for spec in specs for kind in kinds for path in EMITTERS[kind].paths(spec)}

    def remake(path: str) -> Artifact:
        spec, kind = of_path[path]
        return next(artifact for artifact in EMITTERS[kind].emit(spec, context) if artifact.path == path)

    if context.runbooks.templates.texts and RUNBOOKS in kinds:
        for spec in specs:  # a template of somebody's own may break at any of them, and then nothing is written
            tuple(EMITTERS[RUNBOOKS].emit(spec, context))
    return write_artifacts(
        emit_specs(specs, context, kinds),
        list(of_path),
        folder,
        context=context,
        kinds=pruned or kinds,
        folds={kind: FOLDS[kind] for kind in kinds if kind in FOLDS},
        given=given,
        inputs=inputs,
        catalogs=catalogs,
        dry=dry,
        show_diff=show_diff,
        remake=remake,
    )


def emit_specs(specs: Sequence[Spec], context: Context, kinds: Sequence[str]) -> Iterator[tuple[str, Artifact]]:
    """Every output file with the path of its spec, in a fixed order."""
    from slo_compiler.emit import EMITTERS

    for spec in sorted(specs, key=lambda spec: spec.engine_id):
        for kind in kinds:
            for artifact in EMITTERS[kind].emit(spec, context):
                yield spec.path, artifact
