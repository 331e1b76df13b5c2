"""OpenSLO SLO documents that are one objective of a spec, told by their annotations."""

from __future__ import annotations

from typing import NamedTuple

from slo_compiler.documents.base import Model
from slo_compiler.load.source_map import SourceDocument

PREFIX = "slo-compiler/"
SPEC_NAME = "inference-slo"


class Part(NamedTuple):
    """An SLO document that is one objective of a spec."""

    document: Model
    source: SourceDocument

    @property
    def annotations(self) -> dict[str, str]:
        """Our own annotations, without their prefix."""
        return _annotations(self.source)

    @property
    def spec_name(self) -> str:
        """The spec that it belongs to."""
        return spec_name_of(self.source)

    @property
    def service(self) -> str:
        """The service, as the document has it."""
        return str(self.source.data["spec"].get("service"))


def is_part(source: SourceDocument) -> bool:
    """Whether a document is an OpenSLO SLO that says which SLI of which engine it is."""
    data = source.data
    metadata = data.get("metadata") if isinstance(data, dict) and data.get("kind") == "SLO" else None
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(found, dict) and f"{PREFIX}sli" in found


def spec_name_of(source: SourceDocument) -> str:
    """The spec that a document which is a part belongs to."""
    return _annotations(source).get(SPEC_NAME, source.name)


def _annotations(source: SourceDocument) -> dict[str, str]:
    found = source.data["metadata"].get("annotations") or {}
    own = {key.removeprefix(PREFIX): value for key, value in found.items() if key.startswith(PREFIX)}
    return {key: value for key, value in own.items() if isinstance(value, str)}
