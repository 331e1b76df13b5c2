"""The engine documents that ship, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from slo_compiler.documents.engine import Engine
from slo_compiler.documents.trusted import construct
from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path


class ShippedEngines(Mapping[str, Engine]):
    """Documents by name, read when first asked for: a run is about one or two of the engines."""

    def __init__(self) -> None:
        self._files: Mapping[str, Path] = {path.stem: path for path in sorted(builtin_path("engines").glob("*.yaml"))}
        self._read: dict[str, Engine] = {}

    def __getitem__(self, name: str) -> Engine:
        if name not in self._read:
            self._read[name] = construct(Engine, read_trusted(self._files[name].read_bytes()))
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
