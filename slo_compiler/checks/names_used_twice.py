"""SLO205: two documents that write the same file or the same series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.ir import Spec


def check(specs: Sequence[Spec]) -> Iterator[tuple[Spec, Diagnostic]]:
    """A name is taken once per service, an `slo_id` once in all; the later document is told."""
    names: dict[str, Span] = {}
    ids: dict[str, Span] = {}
    for spec in specs:
        first = names.setdefault(spec.engine_id, spec.where["name"])
        if first is not spec.where["name"]:
            message = f"{spec.engine_id} is already defined at {first.path}:{first.line}"
            yield spec, error(Code.SLO205, spec.where["name"], message, "rename one, or move it to another service")
            continue
        for slo in spec.slos:
            first = ids.setdefault(slo.slo_id, slo.where["self"])
            if first is not slo.where["self"]:
                message = f"slo_id {slo.slo_id} is already used at {first.path}:{first.line}"
                yield spec, error(Code.SLO205, slo.where["self"], message, "rename the objective, or pin another id")
