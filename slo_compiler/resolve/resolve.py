"""The one door to the resolved form: picks the resolver for a document's kind."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.documents.base import Model
from slo_compiler.ir import Spec
from slo_compiler.load.source_map import SourceDocument
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.expanded_part import Part, is_part

Resolved = tuple[Spec | None, list[Diagnostic]]
# Model -> module and name of its resolver, which is imported when the first document of the kind is resolved.
_RESOLVERS = {
    "InferenceSLO": ("slo_compiler.resolve.from_inference", "resolve_inference"),
    "OpenSLO": ("slo_compiler.resolve.from_openslo", "resolve_openslo"),
}


def resolve(document: Model, source: SourceDocument, environment: Environment) -> Resolved:
    """A typed document resolved, with every finding on the way.

    Raises:
        TypeError: there is no resolver for the document's kind, which is a fault of the compiler.
    """
    kind = type(document).__name__
    if kind not in _RESOLVERS:
        raise TypeError(f"no resolver for {kind}")
    module, name = _RESOLVERS[kind]
    found: Resolved = getattr(importlib.import_module(module), name)(document, source, environment)
    return found


def resolve_parts(parts: Sequence[Part], environment: Environment) -> Iterator[Resolved]:
    """The specs that documents make up together, each with every finding on the way."""
    module = importlib.import_module("slo_compiler.resolve.from_expanded")
    yield from module.resolve_parts(parts, environment)


__all__ = ["Part", "is_part", "resolve", "resolve_parts"]
