"""Wheels of what is installed, so that pip finds build tools and dependencies without a network."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement


def fill(folder: Path) -> None:
    """Packs all that building and running the compiler needs."""
    for distribution in _needed(["hatchling", *(metadata.requires("slo-compiler") or ())]):
        _pack(distribution, folder)


def _needed(names: list[str]) -> Iterator[metadata.Distribution]:
    """What is installed of these and of all that they need."""
    seen: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name)
        found = metadata.distribution(requirement.name)
        yield found
        waiting += map(Requirement, found.requires or ())


def _pack(distribution: metadata.Distribution, folder: Path) -> None:
    """The wheel that a distribution was installed from, without the scripts that pip makes of its entry points."""
    words = re.findall(r"(?m)^Tag: (.+)-(.+)-(.+)$", distribution.read_text("WHEEL") or "")
    tag = "-".join(".".join(dict.fromkeys(column)) for column in zip(*words, strict=True))
    name = re.sub(r"[-_.]+", "_", distribution.metadata["Name"])
    with zipfile.ZipFile(folder / f"{name}-{distribution.version}-{tag}.whl", "w") as archive:
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                archive.write(str(file.locate()), file.as_posix())
