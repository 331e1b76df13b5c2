"""What is compared: the catalogue's documents of a set of specs, and what they were made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from slo_compiler.emit.catalogue import NAME
from slo_compiler.emit.catalogue.entry import SCHEMA, entry_text
from slo_compiler.ir import Spec
from slo_compiler.load.yaml import LoadedFile
from slo_compiler.resolve.policies import DEFAULT_POLICY
from slo_compiler.write.manifest import Manifest

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """The old or the new set of SLOs.

    Attributes:
        documents: of the catalogue, one per spec.
        compiler: the version that made them.
        inputs: the hash of each file that was read.
        facts: the hash of all facts and settings beside these, by name.
        files: the hash of each output; None where nothing was written.
        broken: spec files that do not compile.
        source: reads one of the files as it is in this set; None of a folder, which has only their hashes.
        default_policy: the name of the burn-rate policy of specs that name none.
    """

    documents: tuple[Document, ...] = ()
    compiler: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] | None = None
    broken: frozenset[str] = frozenset()
    source: Callable[[str], LoadedFile] | None = None
    default_policy: str = DEFAULT_POLICY


def side_of_folder(manifest: Manifest, texts: Mapping[str, str]) -> Side:
    """A compiled folder.

    Args:
        texts: its documents of the catalogue by path, see `documents_in`.
    """
    return Side(
        tuple(json.loads(text) for text in texts.values()),
        manifest.compiler,
        manifest.inputs,
        manifest.catalogs,
        {path: entry.sha256 for path, entry in manifest.files.items()},
    )


# What every comparison asks for; other fields may be absent.
_HEAD = frozenset(("path", "service", "spec", "labels", "waivers", "slos"))
_NUMBERS = ("target", "promised", "measured", "period", "mode", "provenance", "budget", "steps", "tiers")
_SLO = frozenset(("slo", "sloId", "sli", "title", "counts", "promise", *_NUMBERS, "links"))


def is_complete(document: Document) -> bool:
    """Whether a document of a folder has what every comparison asks for."""
    whole = document.get("schema") == SCHEMA and document.keys() >= _HEAD
    return whole and all(slo.keys() >= _SLO for slo in document["slos"])


def documents_in(manifest: Manifest) -> list[str]:
    """The paths of the catalogue's documents in a compiled folder."""
    return sorted(path for path in manifest.files if path.startswith(f"{NAME}/") and path.endswith(".json"))


def side_of_specs(
    specs: Sequence[Spec],
    compiler: str,
    inputs: Mapping[str, str],
    facts: Mapping[str, str],
    broken: frozenset[str] = frozenset(),
    source: Callable[[str], LoadedFile] | None = None,
    default_policy: str = DEFAULT_POLICY,
) -> Side:
    """Specs that were resolved and not written; those of broken files are left out, as some of them may be missing."""
    whole = (spec for spec in specs if spec.path not in broken)
    documents = tuple(json.loads(entry_text(spec)) for spec in whole)
    return Side(documents, compiler, inputs, facts, None, broken, source, default_policy)


def moved(side: Side, old: str, new: str) -> Side:
    """A side whose files are called as if they lay in another folder, so that two folders of specs compare by what is in them."""

    def name(path: str) -> str:
        place = PurePosixPath(path)
        if not place.is_relative_to(old) or ".." in place.relative_to(old).parts:
            return path
        return (PurePosixPath(new) / place.relative_to(old)).as_posix()

    def origin(text: str) -> str:
        head, opened, path = text.rpartition("(")
        return f"{head}({name(path)}" if opened else text

    documents = [
        {
            **document,
            "path": name(document["path"]),
            "slos": [
                {**slo, "provenance": [{**item, "origin": origin(item["origin"])} for item in slo["provenance"]]}
                for slo in document["slos"]
            ],
        }
        for document in side.documents
    ]
    inputs = {name(path): text for path, text in side.inputs.items()}
    places, read = {name(path): path for path in side.inputs}, side.source
    source = None if read is None else lambda path: read(places[path])
    broken = frozenset(map(name, side.broken))
    return replace(side, documents=tuple(documents), inputs=inputs, broken=broken, source=source)
