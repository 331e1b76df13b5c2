"""SLO405: two specs that may read the same series for the same promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Histogram, Matcher, Spec


def check(specs: Sequence[Spec]) -> Iterator[tuple[Spec, Diagnostic]]:
    """Compares engine selectors; specs that differ only in the endpoint have a warning of their own."""
    readers: dict[tuple[tuple[str, ...], str, str], list[tuple[Spec, dict[str, Matcher]]]] = {}
    told: set[int] = set()
    for spec in specs:
        for slo in spec.slos:
            if not isinstance(slo.measurement, Histogram):
                continue
            matchers = {matcher.label: matcher for matcher in slo.measurement.matchers}
            # Specs of different models or jobs by equality cannot meet: only those of one bucket are compared.
            key = (slo.measurement.names, _equal(matchers, "model_name"), _equal(matchers, "job"))
            for other, theirs in readers.get(key, ()):
                if other is not spec and id(spec) not in told and _may_meet(matchers, theirs):
                    if matchers == theirs and spec.endpoint != other.endpoint:
                        continue
                    told.add(id(spec))
                    yield (
                        spec,
                        warning(
                            Code.SLO405,
                            spec.where["selector"],
                            f"the selector may read the same series as {other.engine_id} ({other.path})",
                            "tell the two apart by a label, such as selector: {namespace: ...}",
                        ),
                    )
            readers.setdefault(key, []).append((spec, matchers))


def _equal(matchers: dict[str, Matcher], label: str) -> str:
    matcher = matchers.get(label)
    return matcher.value if matcher is not None and matcher.op == "=" else ""


def _may_meet(one: dict[str, Matcher], other: dict[str, Matcher]) -> bool:
    """Whether some series could satisfy both: no shared label has two different exact values."""
    for label, matcher in one.items():
        theirs = other.get(label)
        if theirs is None:
            continue
        if matcher.op == theirs.op == "=" and matcher.value != theirs.value:
            return False
        if {matcher.op, theirs.op} == {"=", "!="} and matcher.value == theirs.value:
            return False
    return True
