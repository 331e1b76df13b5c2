"""Engine documents, and what an engine exposes at a version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

import yaml

from slo_compiler.documents.engine import Availability, Engine, Metric
from slo_compiler.resources import builtin_path
from slo_compiler.units import decimal_text

Version = tuple[int, ...]
_VERSION = re.compile(r"v?([0-9]+(?:\.[0-9]+){0,3})(?:[.+-]?(?:post|rc|dev|a|b|cpu|cu)[0-9a-z.+]*)?")
_COMPARISON = re.compile(r"(>=|<|==)([0-9.]+)")
_PARTS = 3


class UnknownVersion(ValueError):
    """The engine document says nothing about that version; the message says what it knows."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The versions that a text such as `0.11` stands for: from its first release to before the next minor one."""

    first: Version
    end: Version


@dataclass(frozen=True)
class ResolvedEngine:
    """An engine at a version. A version `X.Y` means any `X.Y.z`: what is said of it holds for all of them.

    Attributes:
        version: as the spec writes it; empty where it names none, which means the newest.
        notice: what the reader should know about the version taken; empty where there is nothing.
    """

    document: Engine
    version: str
    span: _Span
    notice: str = ""

    @property
    def title(self) -> str:
        """`vLLM 0.11`, for people."""
        name = self.document.metadata.display_name or self.document.metadata.name
        return f"{name} {self.version}".strip()

    @property
    def model_label(self) -> str | None:
        """The label that carries the served model's name."""
        return self.document.spec.model_label

    @property
    def sees(self) -> frozenset[str]:
        """Parts of a latency budget that the engine's own TTFT includes."""
        return frozenset(self.document.spec.sees)

    @property
    def availability(self) -> Availability | None:
        """Failed requests as the engine itself counts them."""
        return self.document.spec.availability

    @property
    def is_gateway(self) -> bool:
        """Whether it sees requests that never reach an engine."""
        return self.document.spec.gateway

    @property
    def buckets_configurable(self) -> str:
        """How an edge can be added in this version; empty where it cannot."""
        configurable = self.document.spec.buckets_configurable
        if configurable is None or not _overlaps(self.span, configurable.versions):
            return ""
        return configurable.how

    def metrics(self, role: str) -> list[Metric]:
        """Every metric that the document gives a role, whatever the version, newest first."""
        found = [metric for metric in self.document.spec.metrics if metric.role == role]
        return sorted(found, key=lambda metric: _range_end(metric.versions), reverse=True)

    def has(self, role: str) -> bool:
        """Whether every release of this version exposes the role under some name."""
        return all(
            any(_within(release, metric.versions) for metric in self.metrics(role)) for release in self._releases()
        )

    def names(self, role: str) -> tuple[str, ...]:
        """Every name of a role, whatever the version, newest first: a pod of another version must not vanish."""
        return tuple(metric.name for metric in self.metrics(role))

    def names_of(self, roles: Sequence[str]) -> tuple[str, ...]:
        """The names of several roles that carry the same data, in the order of the roles."""
        return tuple(name for role in roles for name in self.names(role))

    def edges_of(self, roles: Sequence[str]) -> tuple[Decimal, ...]:
        """Edges in seconds that are buckets in every release of the version, under every name it exposes."""
        common: set[Decimal] | None = None
        for release in self._releases():
            for role in roles:
                for metric in self.metrics(role):
                    if _within(release, metric.versions):
                        edges = set(self._edges(metric, release))
                        common = edges if common is None else common & edges
        return tuple(sorted(common or ()))

    def labels(self, role: str) -> frozenset[str]:
        """The labels that the program itself puts on the series of a role; all others come from scraping."""
        found: set[str] = {"le"}
        for metric in self.metrics(role):
            if metric.own_labels is not None:
                found.update(metric.own_labels)
            else:
                found.update(label.name for label in self.document.spec.labels)
                found.update(metric.labels)
        return frozenset(found)

    def exposed(self) -> list[str]:
        """The names of what this version exposes, sorted."""
        releases = self._releases()
        metrics = self.document.spec.metrics
        return sorted({m.name for m in metrics if all(_within(release, m.versions) for release in releases)})

    def alternatives(self, roles: Sequence[str]) -> str:
        """What to do where no release of this version has a role: which version has it, or what there is instead."""
        later = [metric for role in roles for metric in self.metrics(role) if metric.versions]
        if later:
            return f"{later[0].name} is exposed by {later[0].versions}; this version has: {', '.join(self.exposed())}"
        return f"it exposes: {', '.join(self.exposed())}"

    def le_pattern(self, edge: Decimal) -> str:
        """A regular expression for the `le` of an edge, in every spelling of clients and Prometheus versions.

        The Python client and Prometheus 3 write whole numbers as `1.0`, Go, Rust and C++ clients as `1`.
        """
        text = decimal_text(edge)
        if "." in text:
            return text.replace(".", r"\.")
        if edge >= 1_000_000:
            exponent = len(text) - 1
            mantissa = text.rstrip("0")
            digits = mantissa[0] + (f"\\.{mantissa[1:]}" if len(mantissa) > 1 else "")
            return rf"{text}(\.0)?|{digits}e\+{exponent:02d}"
        return rf"{text}(\.0)?"

    def _edges(self, metric: Metric, release: Version) -> list[Decimal]:
        for buckets in metric.buckets:
            if _within(release, buckets.versions):
                return self.document.spec.bucket_sets[buckets.set]
        return []

    def _releases(self) -> list[Version]:
        """The known releases that the version stands for; the nearest lower one where it stands between two."""
        known = [parse_version(text) for text in self.document.spec.versions.known]
        inside = [release for release in known if self.span.first <= release < self.span.end]
        if inside and inside[0] == self.span.first:
            return inside
        lower = [release for release in known if release <= self.span.first]
        return [*lower[-1:], *inside]


@cache
def load_builtin_engines() -> dict[str, Engine]:
    """The engine documents that ship with the package, by name.

    Raises:
        ValueError: one of them is broken, which is a fault of the package.
    """
    documents = (
        Engine.model_validate(yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader))
        for path in sorted(builtin_path("engines").glob("*.yaml"))
    )
    return {document.metadata.name: document for document in documents}


@lru_cache(maxsize=512)
def _resolve_cached(name: str, version: str | None) -> ResolvedEngine:
    return _resolve(load_builtin_engines()[name], version)


def resolve_engine(engine: Engine, version: str | None) -> ResolvedEngine:
    """The engine at a version; without one, at its newest.

    Raises:
        UnknownVersion: the version is below the oldest known one, or is no version.
    """
    if load_builtin_engines().get(engine.metadata.name) is engine:
        return _resolve_cached(engine.metadata.name, version)
    return _resolve(engine, version)


def _resolve(engine: Engine, version: str | None) -> ResolvedEngine:
    known = [parse_version(text) for text in engine.spec.versions.known]
    title = engine.metadata.display_name or engine.metadata.name
    newest, oldest = engine.spec.versions.known[-1], engine.spec.versions.known[0]
    if version is None:
        notice = f"no version of {title} is given; the newest known one, {newest}, is taken"
        return ResolvedEngine(engine, "", _span(newest), notice)
    try:
        span = _span(version)
    except ValueError:
        raise UnknownVersion(f"{version!r} is no version of {title}; write one such as {newest}") from None
    if span.end <= known[0]:
        raise UnknownVersion(f"{title} {version} is not known; the oldest known version is {oldest}")
    notice = ""
    if not any(span.first <= release < span.end for release in known):
        lower = [text for text in engine.spec.versions.known if parse_version(text) <= span.first]
        taken = lower[-1] if lower else oldest
        notice = f"{title} {version} was not looked at; it is taken to expose what {taken} exposes"
    return ResolvedEngine(engine, version, span, notice)


def parse_version(text: str) -> Version:
    """`v0.10.2.post1` as (0, 10, 2).

    Raises:
        ValueError: the text is no version.
    """
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no version")
    numbers = [int(part) for part in match[1].split(".")][:_PARTS]
    return tuple(numbers + [0] * (_PARTS - len(numbers)))


def _span(text: str) -> _Span:
    first = parse_version(text)
    match = _VERSION.fullmatch(text.strip())
    assert match is not None  # parse_version would have refused it
    given = min(_PARTS, match[1].count(".") + 1)
    end = (*first[: given - 1], first[given - 1] + 1, *([0] * (_PARTS - given)))
    return _Span(first, end)


@lru_cache(maxsize=4096)
def _comparisons(text: str | None) -> tuple[tuple[str, Version], ...]:
    return tuple((match[1], parse_version(match[2])) for match in _COMPARISON.finditer(text or ""))


def _within(version: Version, text: str | None) -> bool:
    return all(
        version >= limit if operator == ">=" else version < limit if operator == "<" else version == limit
        for operator, limit in _comparisons(text)
    )


def _overlaps(span: _Span, text: str) -> bool:
    return all(span.end > limit if operator == ">=" else span.first < limit for operator, limit in _comparisons(text))


def _range_end(text: str | None) -> Version:
    """Where a range ends; far away where it does not."""
    return next((limit for operator, limit in _comparisons(text) if operator == "<"), (1_000_000,))
