"""Judges spec files that changed as a run over all files would, and reads of the others only what bears on these.

What is told depends on the files alone: what was kept of earlier runs makes it faster and nothing else.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.load.yaml import LoadedFile, load_bytes, read_content
from slo_compiler.pipeline import Checked, check_files
from slo_compiler.resolve.environment import Environment
from slo_compiler.write.fingerprint import content_hash, inputs
from slo_compiler.write.index import Clashes, FileFacts, Index, SpecFacts, facts_of
from slo_compiler.write.outline import Names, Outline, outline_of

# Findings about two files, told at one of them.
_OF_PAIRS = frozenset((Code.SLO205, Code.SLO405, Code.SLO406, Code.SLO411))

# By the word that a reference begins with: the names that the compiler brings.
_SHIPPED: dict[str, Callable[[Environment], Container[str]]] = {
    "engine": lambda environment: environment.engines,
    "experienceClass": lambda environment: environment.catalog.experience_classes,
    "policy": lambda environment: environment.policy_names,
    "useCase": lambda environment: environment.catalog.use_cases,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found, in which files it was looked for, and what a later run may know."""

    checked: Checked
    judged: frozenset[str]
    index: Index


def check_changed(
    files: Sequence[str],
    changed: Collection[str] | None,
    environment: Environment,
    known: Index,
    today: datetime.date | None = None,
) -> Judgement:
    """Judges the changed files, what names a thing that they define, and names that nothing defines any more.

    Where one of them defines an engine, a catalog or a burn-rate policy, all files are judged. A file that did not
    change is told of only where a changed one clashes with it.

    Args:
        files: all spec files, as `load.discover` gives them.
        changed: the paths of those that changed; other paths are passed over. None: what all depend on changed.
        known: the index of an earlier run in the same environment.
    """
    hashes, outlines = _outlines(files, known)
    fresh = {path for path in files if path in known.files and outlines[path] is known.files[path].outline}
    names = Names(outlines)
    stale = _stale({*files} - fresh, outlines, names, known)
    judged = _judged(files, changed, names, environment)
    if not judged:
        return Judgement(Checked(), frozenset(), known)
    run = _Run(files, environment, today, names)
    read = names.named_by(judged | stale)
    checked = run.check(read)
    if any(item.code is Code.SLO204 and item.severity is not Severity.INFO for item in checked.diagnostics):
        read |= names.defining  # the hint names the nearest of all
        checked = run.check(read)
    facts = _facts(checked)
    others = {path: known.files[path].specs for path in {*files} - read}
    clashing = _clashing([spec for path in judged for spec in facts.get(path, ())], others)
    if clashing:
        read = names.named_by(read | clashing)
        checked = run.check(read)
        facts = _facts(checked)
    _keep_what_concerns(checked, judged, run, read)
    if inputs(sorted(read)) != {path: hashes[path] for path in read}:
        return Judgement(checked, frozenset(judged), known)  # somebody writes: what was found is of which content?
    index = Index(known.state)
    for path in files:
        specs = tuple(facts.get(path, ())) if path in read else known.files[path].specs
        index.files[path] = FileFacts(hashes[path], outlines[path], specs)
    return Judgement(checked, frozenset(judged), index)


def _outlines(files: Sequence[str], known: Index) -> tuple[dict[str, str], dict[str, Outline]]:
    """The hash of each file, and the outline of that content: the known one where it is the same."""
    hashes: dict[str, str] = {}
    outlines: dict[str, Outline] = {}
    for path in files:
        content = read_content(path)
        hashes[path] = content_hash(content)
        before = known.files.get(path)
        if before is not None and hashes[path] and before.sha256 == hashes[path]:
            outlines[path] = before.outline
        else:
            outlines[path] = outline_of(content if isinstance(content, LoadedFile) else load_bytes(content, path))
    return hashes, outlines


def _stale(new: set[str], outlines: Mapping[str, Outline], names: Names, known: Index) -> set[str]:
    """Files of which nothing is known, and those that name what a new, a changed or a lost one defines or defined."""
    gone = {*known.files} - {*outlines}
    if new & names.wide or any(known.files[path].outline.wide for path in known.files if path in new or path in gone):
        return {*outlines}
    before = {name for path in (*new, *gone) if path in known.files for name in known.files[path].outline.defines}
    return new | names.naming(new, before)


def _judged(files: Sequence[str], changed: Collection[str] | None, names: Names, environment: Environment) -> set[str]:
    default = f"policy {environment.config.defaults.policy}"
    if changed is None or not (names.has(default) or _ships(default, environment)):
        return {*files}
    given = {*files} & {*changed}
    if given & names.wide:
        return {*files}
    return given | names.naming(given) | names.dangling(lambda name: _ships(name, environment))


def _ships(reference: str, environment: Environment) -> bool:
    kind, _, name = reference.partition(" ")
    return kind in _SHIPPED and name in _SHIPPED[kind](environment)


class _Run:
    """Checks sets of files in one way."""

    def __init__(
        self, files: Sequence[str], environment: Environment, today: datetime.date | None, names: Names
    ) -> None:
        self.files = files
        self.environment = environment
        self.today = today
        self.wide = names.wide

    def check(self, read: Collection[str]) -> Checked:
        """The files that are asked for, in the order of all, and those that all depend on."""
        chosen = [path for path in self.files if path in read or path in self.wide]
        return check_files(chosen, self.environment, self.today, compiling=False)


def _facts(checked: Checked) -> dict[str, list[SpecFacts]]:
    found: dict[str, list[SpecFacts]] = {}
    for spec in checked.specs:
        found.setdefault(spec.path, []).append(facts_of(spec))
    return found


def _clashing(specs: Sequence[SpecFacts], others: Mapping[str, Sequence[SpecFacts]]) -> set[str]:
    """The files with a spec that shares a name, an identity, or maybe a series or a replica, with one of these."""
    clashes = Clashes(specs)
    return {path for path, found in others.items() if any(map(clashes.may_be_with, found))}


def _keep_what_concerns(checked: Checked, judged: set[str], run: _Run, read: set[str]) -> None:
    """Leaves of what was found that in judged files, and clashes that others have with them alone."""
    own = [item for item in checked.diagnostics if item.span.path in judged]
    pairs = [item for item in checked.diagnostics if item.span.path not in judged and item.code in _OF_PAIRS]
    if pairs:
        without = run.check(read - judged).diagnostics
        own += [item for item in pairs if item not in without]
    checked.diagnostics = sorted(own, key=lambda item: item.sort_key)
    checked.files = len(judged)
