"""What one release of an engine has on its page: families with their labels, edges and what reaches them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from prometheus_client.utils import floatToGoString

from slo_compiler.documents.engine import Engine, LeFormat, Metric, MetricType, ReachedBy, VersionedLabel
from slo_compiler.documents.releases import Version, VersionRange, version_text
from slo_compiler.edges import UNIT_SECONDS, native_text
from slo_compiler.engine_versions import known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine
from slo_compiler.exporter.defaults import load_defaults

MOMENTS = tuple(ReachedBy.model_fields)
Labels = tuple[tuple[str, str], ...]


class Family(NamedTuple):
    """A metric as the page has it.

    Attributes:
        kind: histogram, counter, gauge or summary.
        about: its help text.
        shows: the quantity that it shows.
        per_second: how many of its units are a second; 1 where it shows no time.
        bounds: the finite edges in its own unit, ascending, beside the text of each in `le`.
        reached_by: moment of a request to the labels of the series that counts it.
        from_start: labels of the series that are on the page before anything was counted.
    """

    name: str
    kind: MetricType
    about: str
    shows: str
    per_second: float
    bounds: tuple[float, ...]
    le: tuple[str, ...]
    reached_by: Mapping[str, Labels]
    from_start: tuple[Labels, ...]


class Layout(NamedTuple):
    """The page of one release.

    Attributes:
        title: the engine and its release, for people.
        version: the release; empty where the document tells none apart.
    """

    title: str
    version: str
    families: tuple[Family, ...]


def one_release(engine: Engine, version: str | None) -> ResolvedEngine:
    """The engine in one release, as only one can run: of `0.11` the newest 0.11.z that was looked up.

    Raises:
        UnknownVersion: as `resolve_engine` does.
    """
    found = resolve_engine(engine, version)
    low, high = found.releases.low, found.releases.high
    if not found.version or low is None:
        return found
    looked_up = [release for release in map(_release, engine.spec.verified_at) if release is not None]
    inside = [release for release in looked_up if low <= release and (high is None or release < high)]
    return resolve_engine(engine, version_text(max(inside, default=low)), generation=found.generation)


def upgraded(engine: ResolvedEngine, version: str) -> ResolvedEngine:
    """What an engine becomes by an upgrade to a version, to the `next` known one or to the `newest`; it may be the same.

    Raises:
        UnknownVersion: as `resolve_engine` does.
    """
    known = known_versions(engine.document)
    if not known:
        return engine
    if version == "newest":
        version = known[-1]
    elif version == "next":
        own = max(place for place, text in enumerate(known) if _began(text, engine))
        version = known[min(own + 1, len(known) - 1)]
    return one_release(engine.document, version)


def _began(known: str, engine: ResolvedEngine) -> bool:
    """Whether a known version is no newer than the engine's own."""
    low, own = _release(known), engine.releases.low
    return low is None or own is None or low <= own


def layout_of(engine: ResolvedEngine, labels: Mapping[str, str]) -> Layout:
    """The families of a release, in the order of its document.

    Args:
        labels: values by label name that take the place of the usual ones.
    """
    return Layout(engine.title, engine.version, tuple(_families(engine, labels)))


def _families(engine: ResolvedEngine, labels: Mapping[str, str]) -> Iterator[Family]:
    for metric in engine.document.spec.metrics:
        if metric.generation in ("any", engine.generation) and metric.versions.overlaps(engine.releases):
            yield _family(metric, engine, labels)


def _family(metric: Metric, engine: ResolvedEngine, given: Mapping[str, str]) -> Family:
    usual = load_defaults().roles[metric.role.value]
    own = _label_values(metric, engine, given)
    reached = {
        moment: tuple(sorted({**own, **{name: text for name, text in told.items() if name in own}}.items()))
        for moment, told in _reached(metric, engine.releases, usual.reached_by)
    }
    from_start = [tuple(sorted({**own, **zero}.items())) for zero in metric.at_zero]
    if not metric.sparse:
        from_start += reached.values() or [tuple(sorted(own.items()))]
    edges = next(
        (
            era.edges
            for era in engine.document.spec.bucket_sets.get(metric.buckets or "", ())
            if era.versions.overlaps(engine.releases)
        ),
        (),
    )
    return Family(
        name=metric.name,
        kind=metric.type,
        about=metric.notes or f"{metric.role.value}, in {metric.unit.value}",
        shows=usual.shows,
        per_second=float(1 / UNIT_SECONDS[metric.unit]) if metric.unit in UNIT_SECONDS else 1.0,
        bounds=tuple(float(edge) for edge in edges),
        le=tuple(_le(edge, engine.document.spec.le_format or LeFormat.ANY) for edge in edges),
        reached_by=reached,
        from_start=tuple(dict.fromkeys(from_start)),
    )


def _le(edge: Decimal, le_format: LeFormat) -> str:
    """An edge as the exporter writes it; where that is Python's client, by the client's own words."""
    if le_format is not LeFormat.PYTHON_FLOAT:
        return native_text(edge, le_format)
    text: str = floatToGoString(float(edge))  # type: ignore[no-untyped-call]
    return text


def _reached(metric: Metric, releases: VersionRange, usual: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each moment that reaches the metric in these releases, with the labels that tell it apart."""
    if metric.reached_by is None:
        yield from ((moment, {}) for moment in usual)
        if "finished" in usual:
            yield "cut", {}
        return
    for moment in MOMENTS:
        reach = getattr(metric.reached_by, moment)
        if reach is None and moment == "cut":
            reach = metric.reached_by.finished
        if reach is not None and reach.versions.overlaps(releases):
            yield moment, reach.labels


def _label_values(metric: Metric, engine: ResolvedEngine, given: Mapping[str, str]) -> dict[str, str]:
    """A value for each label that the release puts on the metric."""
    document, defaults = engine.document.spec, load_defaults()
    usual = {**defaults.labels, **({engine.model_label: defaults.model} if engine.model_label else {})}
    fixed = {**(document.availability.matchers if document.availability else {}), **(metric.matchers or {})}
    values = {}
    for label in document.label_sets[metric.labels]:
        if isinstance(label, VersionedLabel):
            if not label.versions.overlaps(engine.releases):
                continue
            name = label.name
        else:
            name = label
        values[name] = given.get(name, fixed.get(name, usual.get(name, name)))
    return values


def _release(text: str) -> Version | None:
    found = VersionRange.of_release(text)
    return found.low if found is not None else None
