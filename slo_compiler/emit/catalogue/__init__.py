"""The catalogue: a small JSON document per spec with all that a person asks about its SLOs, and one page of them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slo_compiler.emit.base import Artifact, Context
from slo_compiler.emit.catalogue.entry import entry_text
from slo_compiler.ir import Spec

NAME = "catalogue"
PAGE = "index.html"
FOLDED: tuple[str, ...] = (PAGE,)
OF: tuple[str, ...] = (NAME,)
READS = True


def paths(spec: Spec) -> list[str]:
    """The document of a spec."""
    return [f"{NAME}/{spec.service}/{spec.name}.json"]


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """What the page says of a spec, for programs."""
    del context
    for path in paths(spec):
        yield Artifact(path, entry_text(spec))


def fold(texts: Mapping[str, str], context: Context) -> Iterable[Artifact]:
    """The page of all specs."""
    from slo_compiler.emit.catalogue.page import page_text  # a run without a page loads no templates

    del context
    yield Artifact(PAGE, page_text(texts.values()))
