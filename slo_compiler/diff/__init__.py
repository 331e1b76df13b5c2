"""The difference between two sets of SLOs, in words that people review."""

from __future__ import annotations

from pathlib import Path

from slo_compiler.diff.change import Change as Change
from slo_compiler.diff.change import Difference as Difference
from slo_compiler.diff.compare import difference
from slo_compiler.diff.report import render_text as render_text
from slo_compiler.diff.sides import Side, documents_in, is_complete, side_of_folder
from slo_compiler.write.manifest import read_manifest, read_texts


class NothingToCompare(Exception):
    """A folder holds no documents of the catalogue that can be read; the message says what to do."""


def folder_side(folder: Path) -> Side:
    """A compiled folder as a side of a comparison.

    Raises:
        BrokenManifest: its manifest, or a file that this lists, cannot be read.
        NothingToCompare: it was compiled without the catalogue, which says what its SLOs promise, or by a compiler whose
            documents are others.
    """
    manifest = read_manifest(folder)
    listed = documents_in(manifest)
    if manifest.files and not listed:
        raise NothingToCompare(
            f"{folder} was compiled without the catalogue, which says what SLOs promise; compile it with "
            "--only catalogue, or without --only"
        )
    side = side_of_folder(manifest, read_texts(folder, manifest, listed))
    unreadable = [path for path, document in zip(listed, side.documents, strict=True) if not is_complete(document)]
    if unreadable:
        raise NothingToCompare(
            f"{folder / unreadable[0]} is of another version of slo-compiler; compile {folder} again"
        )
    return side


def compare_folders(old: Path | None, new: Path) -> tuple[Change, ...]:
    """What differs between two compiled folders; None is an empty one.

    Raises:
        BrokenManifest: see `folder_side`.
        NothingToCompare: likewise.
    """
    return difference(Side() if old is None else folder_side(old), folder_side(new)).changes
