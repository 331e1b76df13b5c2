"""Buckets and what they count: how a threshold is read, what lies between its bounds, and whether anything moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from slo_compiler.documents.engine import Unit
from slo_compiler.edges import UNIT_SECONDS, native_edge
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Histogram, Matcher, Slo
from slo_compiler.live.pages import Page, Series, passes
from slo_compiler.live.presence import judged_matchers
from slo_compiler.live.results import Check, Live, Read, Result, Teller
from slo_compiler.live.versions import fitting_versions, version_line
from slo_compiler.units import decimal_text, percent_text

# Of fewer edges nobody can tell in which unit they are.
_FEW_EDGES = 2


def bucket_there(
    slo: Slo, histogram: Histogram, name: str, buckets: Sequence[Series], engine: ResolvedEngine | None, tell: Teller
) -> Iterator[Result]:
    """Whether the edge that the rules read is a bucket, with those around it where it is none."""
    test = passes(Matcher("le", "=~", histogram.measured.le_pattern))
    have = {one.labels.get("le", "") for one in buckets}
    promised = f"{slo.promised} is promised and " if slo.promised != slo.measured and slo.promised is not None else ""
    edges = sorted(edge for edge in (_edge(text) for text in have) if edge is not None)
    edge = histogram.measured.edge
    unit = _other_unit(name, edge, edges, engine)
    if any(map(test, have)):
        # Edges that are powers of ten times the same few digits are buckets in many units.
        if unit is None:
            yield tell(Check.BUCKET, True, name, f"{promised}{slo.measured} is read, which is a bucket")
        else:
            message = (
                f"{promised}le={decimal_text(edge)!r} is read, which is a bucket; but the page seems to be in {unit}"
            )
            yield tell(Check.BUCKET, False, name, message)
        return
    near = [e for e in edges if e < edge][-1:] + [e for e in edges if e > edge][:1]
    around = ", ".join(decimal_text(e) for e in near) or "none"
    message = f"{promised}le={decimal_text(edge)!r} is read and is no bucket; around it are {around}"
    if unit is not None:
        message += f"; the page seems to be in {unit}"
    fix = ""
    if engine is not None:
        fitting = fitting_versions(engine, lambda other: _edges_fit(other, name, edges))
        fix = version_line(engine, [version for version in fitting if version != engine.version])
    yield tell(Check.BUCKET, False, name, message, fix)


def _other_unit(name: str, edge: Decimal, edges: Sequence[Decimal], engine: ResolvedEngine | None) -> Unit | None:
    """The unit in which the page has all edges that it should have, where it lacks some in the right one."""
    if len(edges) < _FEW_EDGES:
        return None
    known = engine.metric_named(name) if engine is not None else None
    unit = known.unit if known is not None and known.unit in UNIT_SECONDS else Unit.SECONDS
    expected = [one / UNIT_SECONDS[unit] for one in known.edges] if known is not None else []

    def fits(other: Unit) -> bool:
        return all(one * UNIT_SECONDS[unit] / UNIT_SECONDS[other] in edges for one in expected or [edge])

    return None if fits(unit) else next((other for other in UNIT_SECONDS if fits(other)), None)


def _edges_fit(other: ResolvedEngine, name: str, edges: Sequence[Decimal]) -> bool:
    for metric in other.document.spec.metrics:
        if metric.name == name and name in other.names_in_version(metric.role):
            # A page may have an edge at 0 as well, under which nothing can be.
            known = [native_edge(edge, metric.unit) for edge in other.edges(metric.role)]
            return known == [edge for edge in edges if edge > 0]
    return False


def _edge(text: str) -> Decimal | None:
    try:
        edge = Decimal(text)
    except ArithmeticError:
        return None
    return edge if edge.is_finite() else None


def bounds_of_promise(
    slo: Slo, histogram: Histogram, name: str, buckets: Sequence[Series], tell: Teller
) -> Iterator[Result]:
    """The share of good events between which the promise lies, where no bucket is at the promised threshold."""
    if histogram.other is None or slo.promised is None:
        return
    whole = total(one for one in buckets if one.labels.get("le") == "+Inf")
    if not whole:
        return
    sides = []
    for bound in (histogram.measured, histogram.other):
        test = passes(Matcher("le", "=~", bound.le_pattern))
        sides.append(total(one for one in buckets if test(one.labels.get("le", ""))) / whole)
    low, high = sorted(sides)
    shares = _percent(low) if low == high else f"between {_percent(low)} and {_percent(high)}"
    said = f"{shares} of {whole:,.0f} were within {slo.promised}"
    if low < slo.target <= high:
        yield tell(Check.SAMPLES, None, name, f"{said}: undecidable at {percent_text(slo.target)}")
    else:
        kept = "kept" if low >= slo.target else "not kept"
        yield tell(Check.SAMPLES, True, name, f"{said}: {percent_text(slo.target)} is {kept}, whichever is true")


def total(series: Iterable[Series]) -> float:
    """The sum of the values; NaN counts as nothing."""
    return sum(one.value for one in series if one.value == one.value)


def _percent(share: float) -> str:
    return percent_text(Decimal(str(round(share, 4))))


def counting(matched: Sequence[Series], name: str, read: Read, live: Live, tell: Teller) -> Result:
    """Whether anything is counted: between two looks, or beside other counters of the page."""
    now = total(matched)
    if live.earlier is not None:
        judged, _ = judged_matchers(read, live.page.series.get(name, []), live)
        before = total(live.earlier.matching(name, judged))
        if now > before:
            return tell(Check.SAMPLES, True, name, f"has counted {now - before:,.0f} in the meantime")
        others = _moved(live.page, live.earlier)
        if others:
            return tell(Check.SAMPLES, False, name, f"did not move, while {others[0]} did")
        return tell(Check.SAMPLES, None, name, "did not move, and nothing else did")
    if now > 0:
        return tell(Check.SAMPLES, True, name, f"has counted {now:,.0f}")
    busy = _busy(live.page, name)
    if busy:
        return tell(Check.SAMPLES, False, name, f"is 0, while {busy[0]} is not: it does not count these requests")
    return tell(Check.SAMPLES, None, name, "is 0: nothing has been served yet")


def _moved(page: Page, earlier: Page) -> list[str]:
    """Counters of requests that grew, by name."""
    return sorted(
        name for name in _counters(page, "") if total(page.series[name]) > total(earlier.series.get(name, []))
    )


def _busy(page: Page, name: str) -> list[str]:
    """Counters of the same program, by the beginning of their names, that are not 0."""
    prefix = name.split(":")[0] + ":" if ":" in name else name.split("_")[0] + "_"
    return sorted(other for other in _counters(page, prefix) if other != name and total(page.series[other]) > 0)


def _counters(page: Page, prefix: str) -> list[str]:
    return [
        name
        for name in page.series
        if name.startswith(prefix)
        and not name.startswith(("process_", "python_", "go_"))
        and (name.endswith("_count") or page.type_of(name) == "counter")
    ]
