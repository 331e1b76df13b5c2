"""SLO406: an endpoint that the metrics do not tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, info, warning
from slo_compiler.ir import Histogram, Matcher, Spec


def check(specs: Sequence[Spec]) -> Iterator[tuple[Spec, Diagnostic]]:
    """Information for one spec; a warning where two specs differ in nothing but the endpoint."""
    seen: dict[tuple[tuple[str, ...], tuple[Matcher, ...]], list[Spec]] = {}
    for spec in specs:
        if spec.filters_endpoint:
            continue
        for slo in spec.slos:
            if isinstance(slo.measurement, Histogram):
                seen.setdefault((slo.measurement.names, slo.measurement.matchers), []).append(spec)
                break
    for group in seen.values():
        endpoints = {spec.endpoint for spec in group}
        for spec in group:
            others = sorted(endpoint for endpoint in endpoints if endpoint != spec.endpoint)
            if others:
                message = (
                    f"the engine's metrics carry no endpoint: {spec.endpoint} and {others[0]} read the same series"
                )
                hint = "give each endpoint its own selector, or measure at a gateway that has the path"
                yield spec, warning(Code.SLO406, spec.where["endpoint"], message, hint)
            else:
                message = (
                    f"the engine's metrics carry no endpoint: all of {spec.model} is read, not only {spec.endpoint}"
                )
                hint = "measure at a gateway that has the path, or leave endpoint out"
                yield spec, info(Code.SLO406, spec.where["endpoint"], message, hint)
