"""Which releases of an engine a page can be of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from slo_compiler.documents.engine import MetricType
from slo_compiler.engine_versions import UnknownVersion, known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine
from slo_compiler.live.results import Check, Live, Read, Result, Teller


def version_of_metric(read: Read, found: Sequence[str], engine: ResolvedEngine, tell: Teller) -> Iterator[Result]:
    """Whether the metric is one that the spec's version exposes."""
    if any(name in read.expected for name in found):
        yield tell(Check.VERSION, True, found[0], f"is what {engine.title} exposes")
        return
    fitting = fitting_versions(engine, lambda other: any(name in found for name in _names_of(other, read, engine)))
    fix = version_line(engine, fitting)
    known = f"; {found[0]} is in {_list_versions(fitting)}" if fitting else ""
    yield tell(Check.VERSION, False, found[0], f"{engine.title} exposes {' or '.join(read.expected)}{known}", fix)


def version_of_page(engine: ResolvedEngine, live: Live, tell: Teller) -> Iterator[Result]:
    """Whether all metrics of the engine that the page has are those of the version, and its histograms all there."""
    document = engine.document.spec
    if document.versions is None:  # the same in all of them
        return
    read = {metric.name for metric in document.metrics if metric.refused is None}
    exposed = {name for name in live.page.metrics() if name in read}
    if not exposed:
        return
    fitting = fitting_versions(engine, lambda other: _is_page_of(other, exposed))
    title = f"{engine.title} exposes"
    if not fitting:
        yield tell(
            Check.VERSION, None, engine.name, "the metrics are those of no one known release: several, or settings"
        )
    elif _is_page_of(engine, exposed):
        yield tell(Check.VERSION, True, engine.name, f"the page has what {title}")
    else:
        own = {name for role in engine.roles() for name in engine.names_in_version(role)}
        odd = sorted(exposed - own) or sorted(_histograms(engine) - exposed)
        what = "is on the page" if exposed - own else "is not on the page"
        message = f"the page is that of {_list_versions(fitting)}: {odd[0]} {what}"
        yield tell(Check.VERSION, False, engine.name, message, version_line(engine, fitting))


def _is_page_of(engine: ResolvedEngine, exposed: set[str]) -> bool:
    own = {
        name
        for role in dict.fromkeys(metric.role.value for metric in engine.document.spec.metrics)
        for name in engine.names_in_version(role)
    }
    return exposed <= own and _histograms(engine) <= exposed


def _histograms(engine: ResolvedEngine) -> set[str]:
    """The histograms that every release of the version exposes; other metrics may hang on settings."""
    found: set[str] = set()
    for role in engine.roles():
        metric = engine.metric(role)
        if metric is not None and metric.type is MetricType.HISTOGRAM:
            found.update(engine.names_in_version(role))
    return found


def _names_of(other: ResolvedEngine, read: Read, engine: ResolvedEngine) -> tuple[str, ...]:
    roles = dict.fromkeys(metric.role.value for metric in engine.document.spec.metrics if metric.name in read.names)
    return tuple(name for role in roles for name in other.names_in_version(role))


def fitting_versions(engine: ResolvedEngine, fits: Callable[[ResolvedEngine], bool]) -> list[str]:
    """The known releases of an engine that fit, oldest first."""
    found = []
    for version in known_versions(engine.document):
        try:
            other = resolve_engine(engine.document, version, generation=engine.generation)
        except UnknownVersion:
            continue
        if fits(other):
            found.append(version)
    return found


def _list_versions(versions: Sequence[str]) -> str:
    return versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"


def version_line(engine: ResolvedEngine, versions: Sequence[str]) -> str:
    """The line of a spec with that version which is nearest to its own."""
    if not versions:
        return ""
    known = known_versions(engine.document)
    own = next((place for place, version in enumerate(known) if f"{engine.version}.".startswith(f"{version}.")), 0)
    nearest = min(versions, key=lambda version: abs(known.index(version) - own))
    return f'engine: {{name: {engine.name}, version: "{nearest}"}}'
