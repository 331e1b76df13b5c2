"""SLO411: two specs by which the same replicas would be scraped twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec

if TYPE_CHECKING:
    from slo_compiler.ir import Scraping


def check(specs: Sequence[Spec]) -> Iterator[tuple[Spec, Diagnostic]]:
    """Compares the targets of all specs; those of one name are one target, whoever reads it."""
    seen: dict[tuple[str, str], dict[str, tuple[Spec, Scraping]]] = {}
    for spec in specs:
        own = spec.scraping
        if own is None:
            continue
        others = seen.setdefault((own.port, own.path), {})
        same = others.get(own.name)
        for other, theirs in others.values() if same is None else (same,):
            if _differs(own, theirs) if same is not None else _share(own, theirs) and _meet(own, theirs):
                yield spec, _twice(spec, own, other, theirs)
                break
        others.setdefault(own.name, (spec, own))


def _twice(spec: Spec, own: Scraping, other: Spec, theirs: Scraping) -> Diagnostic:
    message = f"the replicas are also those of {other.engine_id} ({other.path})"
    hint = "select both by the same labels, namespaces and job"
    given = dict(theirs.labels)
    differing = [(label, value) for label, value in own.labels if given.get(label, value) != value]
    if differing:
        label, value = differing[0]
        message += f", which gives them {label} {given[label]!r} and not {value!r}"
        hint = f"select both by the same {label} in selector"
    return warning(Code.SLO411, spec.where["scraping"], message, hint)


def _differs(one: Scraping, other: Scraping) -> bool:
    """Whether one target is to have two values of a label, and has no pods that could differ in it."""
    theirs = dict(other.labels)
    return bool(one.targets) and any(theirs.get(label, value) != value for label, value in one.labels)


def _share(one: Scraping, other: Scraping) -> bool:
    """Whether all replicas of one are replicas of the other, or some address is."""
    if one.targets or other.targets:
        return bool(set(one.targets) & set(other.targets))
    return set(one.select) <= set(other.select) or set(other.select) <= set(one.select)


def _meet(one: Scraping, other: Scraping) -> bool:
    """Whether some namespace could be one of both."""
    exact = [{item.value for item in side.namespaces if item.op == "="} for side in (one, other)]
    return not (all(exact) and not exact[0] & exact[1])
