"""One compilation's way to disk: refuse, announce, replace file by file, prune, sign."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slo_compiler import __version__
from slo_compiler.emit.base import Artifact, Context, Fold
from slo_compiler.write.apply import apply_action, replace_file
from slo_compiler.write.fold import Texts, refuse_changed, texts_of
from slo_compiler.write.kept_words import KeptWords, Remake, kept_words
from slo_compiler.write.manifest import NAME, Entry, Manifest, read_manifest, sha256
from slo_compiler.write.plan import Action, Foreign, Kind, plan_file, plan_removals, refuse_foreign

ShowDiff = Callable[[str, bytes | None, bytes | None], None]


class Refused(Exception):
    """Files that are not ours are in the way; nothing was written."""

    def __init__(self, foreign: list[Foreign]) -> None:
        super().__init__("; ".join(str(item) for item in foreign))
        self.foreign = foreign


class Emptied(Exception):
    """Nothing would be left of what was written before; nothing was changed."""

    def __init__(self, files: int) -> None:
        super().__init__(f"{files} files would be removed and none written")
        self.files = files


@dataclass(slots=True)
class Outcome:
    """What a compilation did, or with `dry` would have done; `size` in bytes."""

    files: int = 0
    size: int = 0
    actions: list[tuple[Kind, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything differs from the folder as it was."""
        return bool(self.actions)

    def changes(self) -> list[str]:
        """A line per file: `replace rules/a/b.yaml`."""
        return [f"{kind.value} {path}" for kind, path in self.actions]

    def describe(self) -> str:
        """`12 files written, 1 removed, 30 unchanged`."""
        removed = sum(kind is Kind.REMOVE for kind, _ in self.actions)
        written = len(self.actions) - removed
        parts = [f"{written} file{'' if written == 1 else 's'} written"]
        if removed:
            parts.append(f"{removed} removed")
        if self.files > written:
            parts.append(f"{self.files - written} unchanged")
        return ", ".join(parts)


def write_artifacts(
    artifacts: Iterable[tuple[str, Artifact]],
    planned: Sequence[str],
    folder: Path,
    *,
    context: Context,
    kinds: Sequence[str],
    folds: Mapping[str, Fold],
    given: Sequence[str],
    inputs: dict[str, str],
    catalogs: dict[str, str],
    dry: bool = False,
    show_diff: ShowDiff | None = None,
    remake: Remake | None = None,
) -> Outcome:
    """Brings the folder to what the artifacts say, one at a time, and then to what they say together.

    Args:
        artifacts: each with the path of the spec that it came from.
        planned: the paths of all artifacts, known before the first of them is made.
        context: what the folds are given beside the texts.
        kinds: names of emitters; files of other kinds are left as they are.
        folds: what some of these kinds make of many files, by kind; each sees what those before it made.
        given: the paths that were asked for; only files of specs under them, or of specs that are gone, are pruned.
        inputs, catalogs: hashes for the manifest.
        dry: changes nothing.
        show_diff: is called for each file that differs.
        remake: makes one of the planned artifacts ahead of its turn.

    Raises:
        Refused: a file that is not ours stands in the way, or one that a fold reads was edited; nothing was changed.
        Emptied: no artifact is left, and all that were there would go; nothing was changed.
        WordsLost: what the team wrote into a page has no place any more; nothing was changed.
        OSError: the disk refuses; every file is whole, and the next run goes on from there.
    """
    old = read_manifest(folder)
    here = any(Path(path).exists() for path in old.inputs)
    kept = {path: entry for path, entry in old.files.items() if not _is_ours_to_prune(path, entry, given, kinds, here)}
    texts = {}
    for kind, fold in folds.items():
        texts[kind] = texts_of(fold, planned, kept, folder)
        planned = [*planned, *(fold.FOLDED if texts[kind] else ())]
    owned = [*old.files, *old.pending]
    foreign = refuse_foreign(dict.fromkeys([*planned, NAME, *owned]), [*owned, NAME], folder)
    for fold in folds.values():
        foreign += refuse_changed(fold, planned, kept, folder)
    if foreign:
        raise Refused(foreign)
    if not planned and old.files and not any(entry.kind(path) in kinds for path, entry in kept.items()):
        raise Emptied(len(old.files) - len(kept))
    words = kept_words(folder, old, kept, planned, remake)
    writer = _Writer(folder, dry, show_diff, words)
    created = [path for path in planned if not old.owns(path)]
    if created and not dry:
        # Announced before they exist: killed in between, the next run knows them as ours.
        announced = Manifest(old.compiler, old.inputs, old.catalogs, old.files, (*old.pending, *created))
        replace_file(folder / NAME, announced.to_text().encode())
    new = _write_each(artifacts, texts, writer)
    for kind, fold in folds.items():
        for artifact in fold.fold(texts[kind], context) if texts[kind] else ():
            new[artifact.path] = Entry(sha256(writer.write(artifact)), (), kind)
    stale = [path for path in (*old.files, *old.pending) if path not in new and path not in kept]
    for removal in plan_removals(stale, folder):
        writer.carry_out(removal)
    manifest = Manifest(
        __version__,
        {**{path: digest for path, digest in old.inputs.items() if not _is_gone(path, given, here)}, **inputs},
        catalogs,
        {**kept, **new},
    )
    _sign(manifest, old, folder, writer)
    writer.outcome.files = len(new)
    return writer.outcome


def _write_each(
    artifacts: Iterable[tuple[str, Artifact]], texts: Mapping[str, Texts], writer: _Writer
) -> dict[str, Entry]:
    """Writes the files of specs; what a fold will read and is not written stays in memory."""
    new: dict[str, Entry] = {}
    for origin, artifact in artifacts:
        entry = Entry(sha256(writer.write(artifact)), (origin,))
        new[artifact.path] = entry
        kind = entry.kind(artifact.path)
        if writer.dry and kind in texts:
            texts[kind].hold(artifact.path, artifact.text)
    return new


class _Writer:
    def __init__(self, folder: Path, dry: bool, show_diff: ShowDiff | None, words: KeptWords) -> None:
        self.folder = folder
        self.words = words
        self.dry = dry
        self.show_diff = show_diff
        self.outcome = Outcome()

    def write(self, artifact: Artifact) -> bytes:
        """Brings a file to its text, and gives the bytes of that: without the words that a team wrote into it."""
        action = plan_file(self.words.put_into(artifact), self.folder)
        assert action.after is not None  # artifacts always have a text
        self.outcome.size += len(action.after)
        self.carry_out(action)
        return artifact.text.encode()

    def carry_out(self, action: Action) -> None:
        if action.kind is Kind.KEEP:
            return
        self.outcome.actions.append((action.kind, action.path))
        if self.show_diff is not None:
            self.show_diff(action.path, action.before, action.after)
        if not self.dry:
            apply_action(action, self.folder)


def _sign(manifest: Manifest, old: Manifest, folder: Path, writer: _Writer) -> None:
    """Writes the manifest last: what it lists is then on disk."""
    text = manifest.to_text()
    if text == old.to_text() and (folder / NAME).exists():
        return
    if writer.dry:
        if not writer.outcome.actions:
            writer.outcome.actions.append((Kind.REPLACE, NAME))
        return
    replace_file(folder / NAME, text.encode())


def _is_ours_to_prune(path: str, entry: Entry, given: Sequence[str], kinds: Sequence[str], here: bool) -> bool:
    """Whether this run decides about a file: its kind is asked for, and its specs are, or are gone.

    What is folded names no spec: every run that makes its kind makes it anew, or finds nothing to make it of.
    """
    if entry.kind(path) not in kinds:
        return False
    return all(_is_gone(origin, given, here) for origin in entry.origins)


def _is_gone(path: str, given: Sequence[str], here: bool) -> bool:
    """Whether a spec is asked for or no longer there.

    Args:
        here: some spec of the earlier run is where the manifest says; else this run started in another folder, and
            no missing file means anything.
    """
    return _under(path, given) or (here and not Path(path).exists())


def _under(path: str, given: Sequence[str]) -> bool:
    return any(base in (".", path) or path.startswith(f"{base.rstrip('/')}/") for base in given)
