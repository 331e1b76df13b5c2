"""The one door to the resolved form: picks the resolver for a document's kind."""

from __future__ import annotations

from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.documents.base import Model
from slo_compiler.documents.inference_slo import InferenceSLO
from slo_compiler.documents.openslo import OpenSLO
from slo_compiler.ir import Spec
from slo_compiler.load.source_map import SourceDocument
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.from_inference import resolve_inference
from slo_compiler.resolve.from_openslo import resolve_openslo


def resolve(document: Model, source: SourceDocument, environment: Environment) -> tuple[Spec | None, list[Diagnostic]]:
    """A typed document resolved, with every finding on the way.

    Raises:
        TypeError: there is no resolver for the document's kind, which is a fault of the compiler.
    """
    if isinstance(document, InferenceSLO):
        return resolve_inference(document, source, environment)
    if isinstance(document, OpenSLO):
        return resolve_openslo(document, source, environment)
    raise TypeError(f"no resolver for {type(document).__name__}")
