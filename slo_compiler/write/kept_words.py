"""What a team wrote into generated pages, read before they are replaced, and put into the pages that come after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slo_compiler.emit.base import Artifact
from slo_compiler.emit.own_words import Damaged, Section, filled, may_have_sections, sections
from slo_compiler.emit.runbooks.about import read_comment
from slo_compiler.write.manifest import Entry, Manifest

Remake = Callable[[str], Artifact]


@dataclass(frozen=True, slots=True)
class Loss:
    """Words that have no place in what would be written.

    Attributes:
        path: of the page that holds them, relative to the output folder.
        line: where they begin, from 1.
        hint: how to keep them, or to give them up.
    """

    path: str
    line: int
    reason: str
    hint: str


class WordsLost(Exception):
    """Words of the team would be lost; nothing was written."""

    def __init__(self, losses: list[Loss]) -> None:
        super().__init__("; ".join(f"{loss.path}:{loss.line}: {loss.reason}" for loss in losses))
        self.losses = losses


@dataclass(slots=True)
class KeptWords:
    """Words by the path of the page that they go into."""

    by_page: dict[str, dict[str, str]] = field(default_factory=dict)

    def put_into(self, artifact: Artifact) -> Artifact:
        """The artifact with the words that belong into it."""
        words = self.by_page.get(artifact.path)
        return Artifact(artifact.path, filled(artifact.text, words)) if words else artifact


@dataclass(slots=True)
class _Page:
    """A page on disk whose sections hold words."""

    path: str
    text: str
    sections: list[Section]


def kept_words(
    folder: Path, old: Manifest, kept: Mapping[str, Entry], planned: Sequence[str], remake: Remake | None
) -> KeptWords:
    """The words of all pages that are replaced or removed, each with its next page.

    Args:
        kept: files that this run does not decide about.
        planned: the paths of all artifacts.

    Raises:
        WordsLost: some of them have none.
        OSError: a page cannot be read.
    """
    found, losses = KeptWords(), list[Loss]()
    ahead = set(planned)
    pages: list[_Page] = []
    for path in dict.fromkeys((*old.files, *old.pending)):
        if may_have_sections(path) and path not in kept:
            try:
                pages += _read(folder, path)
            except Damaged as fault:
                hint = "mend the comments that enclose the section, or copy your words elsewhere and remove the page"
                losses.append(Loss(path, fault.line, fault.reason, hint))
    fresh = [path for path in planned if may_have_sections(path) and path not in old.files]
    for page in pages:
        target = page.path if page.path in ahead else _successor(page, fresh, remake)
        losses += _move(page, target, found, remake)
    if losses:
        raise WordsLost(sorted(losses, key=lambda loss: (loss.path, loss.line)))
    return found


def _read(folder: Path, path: str) -> Iterator[_Page]:
    """The page, where it has words."""
    try:
        text = (folder / path).read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return
    except UnicodeDecodeError:
        raise Damaged(1, "the page is no UTF-8") from None
    held = [section for section in sections(text).values() if section.words]
    if held:
        yield _Page(path, text, held)


def _successor(page: _Page, fresh: Sequence[str], remake: Remake | None) -> str | None:
    """The one new page that is about the same promise under another name; None where there is none, or more."""
    earlier = read_comment(page.text)
    if earlier is None or remake is None:
        return None
    found = []
    for path in fresh:
        later = read_comment(remake(path).text)
        if later is not None and later.is_successor_of(earlier):
            found.append((bool(set(later.slos) & set(earlier.slos)), path))
    same = [path for shared, path in found if shared] or [path for _, path in found]
    return same[0] if len(same) == 1 else None


def _move(page: _Page, target: str | None, found: KeptWords, remake: Remake | None) -> Iterator[Loss]:
    """Gives the words of a page to its next one."""
    held = [section for section in page.sections if section.has_words]
    if target is None:
        hint = "copy your words elsewhere and remove this page, or pin slo-compiler/id in the spec that comes after"
        yield from (
            Loss(
                page.path,
                item.line,
                f"the section {item.name} has words, and no spec is left that the page is about",
                hint,
            )
            for item in held
        )
        return
    places = sections(remake(target).text) if remake is not None else {}
    words = found.by_page.setdefault(target, {})
    for section in page.sections:
        if section.name in places and not words.get(section.name, "").strip():
            words[section.name] = section.words
        elif section.has_words and section.name in places:
            hint = f"copy the words into {target} by hand and remove this page"
            yield Loss(page.path, section.line, f"the section {section.name} of {target} has other words already", hint)
        elif section.has_words:
            hint = f'write {{{{ own("{section.name}") }}}} into the template, or copy your words elsewhere and empty the section'
            yield Loss(
                page.path,
                section.line,
                f"the section {section.name} has words, and the template has no such section any more",
                hint,
            )
