"""Engines by version: an `Engine` document and a version go in, the names, labels and buckets to read come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from slo_compiler.documents.engine import (
    Engine,
    LeFormat,
    Metric,
    MetricType,
    Unit,
    VersionedLabel,
)
from slo_compiler.documents.engine_views import AvailabilityView, CompletionView
from slo_compiler.documents.releases import Version, VersionRange
from slo_compiler.edges import UNIT_SECONDS, le_pattern, native_edge
from slo_compiler.shipped_engines import ShippedEngines

_FIRST: Version = ()


class ResolvedMetric(NamedTuple):
    """A metric as one version exposes it.

    Attributes:
        name: as scraped; of a histogram its base name.
        unit: of its values.
        labels: every label that some release of the version puts on it.
        edges: finite bucket edges in seconds that every release of the version has, ascending; empty for other types
            and for histograms of anything but time.
        counts: what one observation or increment is, `requests` or `tokens`; None for gauges.
        notes: what it includes and what never reaches it.
        source: where this is known from.
        verified_at: the releases at which it was looked up.
    """

    role: str
    name: str
    type: MetricType
    unit: Unit
    labels: frozenset[str]
    edges: tuple[Decimal, ...]
    counts: str | None
    notes: str
    source: str
    verified_at: tuple[str, ...]


T = TypeVar("T")
P = ParamSpec("P")


def _remembered(answer: Callable[Concatenate[ResolvedEngine, P], T]) -> Callable[Concatenate[ResolvedEngine, P], T]:
    """Asks once: all specs of a run have the same few questions about the same few engines."""

    @wraps(answer)
    def remembering(engine: ResolvedEngine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (answer.__name__, args, tuple(kwargs.items()))
        if key not in engine.answers:
            engine.answers[key] = answer(engine, *args, **kwargs)
        found: T = engine.answers[key]
        return found

    return remembering


@dataclass(frozen=True, eq=False, slots=True)
class ResolvedEngine:
    """An engine in a version.

    Attributes:
        document: what the answers are taken from.
        version: the version that is read, `0.11` or `0.11.0`; another than was asked for where there is a notice, and
            empty where the document tells no releases apart.
        releases: what the version means: `0.11` is every 0.11.z.
        generation: of the engine; metrics of other generations are left out.
        notice: that another version is read than was asked for, and why; None where it is the same.
        answers: what was asked before.
    """

    document: Engine
    version: str
    releases: VersionRange
    generation: str = "v1"
    notice: str | None = None
    answers: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name that specs use: `vllm`."""
        return self.document.metadata.name

    @property
    def title(self) -> str:
        """The engine and the version that is read, for people: `vLLM 0.11`."""
        return f"{display_name(self.document)} {self.version}".rstrip()

    @property
    def model_label(self) -> str | None:
        """The label that carries the served model's name; None where there is none."""
        return self.document.spec.model_label

    @property
    def finish_label(self) -> str | None:
        """The label that says how a request ended; None where there is none."""
        return self.document.spec.finish_label

    @property
    def metrics_path(self) -> str:
        """The path of the metrics page."""
        return self.document.spec.metrics_path

    @property
    def metrics_port(self) -> int | None:
        """The port of the metrics page by default; None where there is none."""
        found = self.document.spec.metrics_port
        return found.default if found is not None else None

    @property
    def all_labels(self) -> frozenset[str]:
        """Every label that some metric of the version carries."""
        return frozenset().union(*(self._labels(metric) for metric in self._present()))

    @property
    def is_gateway(self) -> bool:
        """Whether requests that fail before they reach a model are counted."""
        return self.document.spec.boundary

    @property
    def sees(self) -> frozenset[str]:
        """The parts of a latency budget that the engine's own latencies include."""
        return self.document.spec.sees

    @property
    def blind_spots(self) -> tuple[str, ...]:
        """What the engine cannot tell, in sentences."""
        return tuple(spot if isinstance(spot, str) else spot.says for spot in self.document.spec.blind_spots)

    @property
    def buckets_configurable(self) -> str | None:
        """How the engine lets its buckets be set, in words; None where some release of the version does not."""
        for choice in self.document.spec.buckets_configurable:
            if self.releases.covered_by([choice.versions]):
                return choice.setting
        return None

    @property
    def availability(self) -> AvailabilityView | None:
        """Availability as the engine itself sees it; None where some release of the version has no counter for it."""
        view = self.document.spec.availability
        return view if view is not None and self._exposes(view.total, view.part or view.total) else None

    @property
    def completion(self) -> CompletionView | None:
        """Which answers began and which ended; None where some release of the version does not count both."""
        view = self.document.spec.completion
        return view if view is not None and self._exposes(view.began, view.ended) else None

    def _exposes(self, *names: str) -> bool:
        """Whether every release of the version has all of these metrics."""
        found = ([metric.versions for metric in self._present() if metric.name == name] for name in names)
        return all(map(self.releases.covered_by, found))

    @_remembered
    def roles(self) -> tuple[str, ...]:
        """The roles that every release of the version has a metric for, in the document's order."""
        return tuple(role for role in _unique(metric.role.value for metric in self._present()) if self.has(role))

    @_remembered
    def has(self, role: str) -> bool:
        """Whether every release of the version has a metric for the role, under whatever name."""
        return self.releases.covered_by([metric.versions for metric in self._present(role)])

    @_remembered
    def names(self, role: str) -> tuple[str, ...]:
        """Every metric that the document gives the role, whatever the version, newest first.

        Rules join them all, so that a pod of another version does not vanish; but not those that count again what another
        name counts: of these the newest is read.
        """
        read = self._read(role)
        alone = any(not metric.joined for metric in read)
        return _unique(metric.name for metric in self._metrics(role) if metric in read or (metric.joined and not alone))

    @_remembered
    def names_of(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """`names` of several roles that carry the same data, in the order of the roles."""
        return _unique(name for role in roles for name in self.names(role))

    @_remembered
    def narrowing(self, roles: tuple[str, ...]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Which series of the roles' histograms are read: labels with their value, and what a label must not match."""
        for metric in (metric for role in roles for metric in self._present(role)):
            return metric.matchers or {}, metric.without or {}
        return {}, {}

    @_remembered
    def unit(self, roles: tuple[str, ...]) -> Unit:
        """The unit in which the histograms of the roles write their edges."""
        return next((metric.unit for role in roles for metric in self._present(role)), Unit.SECONDS)

    @_remembered
    def kind(self, role: str) -> MetricType | None:
        """The type of the role's newest metric in this version; None where there is none."""
        return next((metric.type for metric in self._present(role)), None)

    def lacks(self, sli: str) -> str:
        """Why the engine cannot answer for an SLI, and what can; empty where the document does not say."""
        return self.document.spec.lacks.get(sli, "")

    def refused(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Metrics of the roles that no SLI is read from, with the reason: `x_summary: quantiles cannot be added up`."""
        return tuple(
            f"{metric.name}: {metric.refused}"
            for metric in self._of_generation()
            if metric.refused is not None and metric.role in set(roles) and metric.versions.overlaps(self.releases)
        )

    def names_in_version(self, role: str) -> tuple[str, ...]:
        """The metrics of the role that some release of the version exposes, newest first."""
        return _unique(metric.name for metric in self._present(role))

    def metric(self, role: str) -> ResolvedMetric | None:
        """The newest metric of the role that the version exposes; None where it exposes none."""
        return next(map(self._resolved, self._present(role)), None)

    def counter(self, name: str) -> str:
        """The series that counts what the metric of that name tells: of a histogram, its observations."""
        metric = self.metric_named(name)
        return f"{name}_count" if metric is not None and metric.type is MetricType.HISTOGRAM else name

    def metric_named(self, name: str) -> ResolvedMetric | None:
        """The metric of that name as the version exposes it; None where it does not."""
        return next((self._resolved(metric) for metric in self._present() if metric.name == name), None)

    def edges(self, role: str) -> tuple[Decimal, ...]:
        """The finite bucket edges, in seconds and ascending, that every release of the version has.

        Where the version exposes several names of the role, these are the edges that all of them have. Empty where
        there is no histogram of time.
        """
        return self.edges_of((role,))

    @_remembered
    def edges_of(self, roles: tuple[str, ...]) -> tuple[Decimal, ...]:
        """`edges` that all of several roles have; roles that the version lacks are passed over."""
        sets = [frozenset(self._edges(metric)) for role in roles for metric in self._read(role)]
        return tuple(sorted(frozenset.intersection(*sets))) if sets else ()

    @_remembered
    def labels(self, role: str) -> frozenset[str]:
        """Every label that some release of the version puts on a metric of the role; `le` is not listed."""
        return frozenset().union(*(self._labels(metric) for metric in self._read(role)))

    @_remembered
    def labels_of(self, roles: tuple[str, ...]) -> frozenset[str]:
        """The labels that the metrics of all these roles have; roles that the version lacks are passed over."""
        sets = [self.labels(role) for role in roles if self.has(role)]
        return frozenset.intersection(*sets) if sets else frozenset()

    @_remembered
    def streaming_label(self, roles: tuple[str, ...]) -> str | None:
        """The label that tells streamed requests from others on the metrics of all these roles, in every release."""
        name = self.document.spec.streaming_label
        read = [metric for role in roles for metric in self._read(role)]
        carried = [self._carrying(metric, name) for metric in read] if name is not None else []
        return name if carried and all(map(self.releases.covered_by, carried)) else None

    @_remembered
    def labels_named(self, name: str) -> frozenset[str]:
        """Every label that some release of the version puts on the metric of that name."""
        return frozenset().union(*(self._labels(metric) for metric in self._present() if metric.name == name))

    def alternatives(self, roles: Iterable[str], sli: str = "") -> str:
        """A hint for roles that the version lacks: which versions have them, and what this one exposes instead.

        Args:
            sli: that is read from the roles, where the document may say more.
        """
        roles = tuple(roles)
        elsewhere = [
            *([self.lacks(sli)] if self.lacks(sli) else []),
            *self.refused(roles),
            *(
                f"{metric.name} is in {display_name(self.document)} {metric.versions}"
                for role in roles
                for metric in self._metrics(role)
            ),
        ]
        exposed = _unique(metric.name for metric in self._present() if metric.type is MetricType.HISTOGRAM)
        own = [f"{self.title} exposes {', '.join(exposed)}"] if exposed else []
        return "; ".join(elsewhere + own)

    def le_pattern(self, edge: Decimal, unit: Unit = Unit.SECONDS) -> str:
        r"""The regular expression of `le` for an edge, in every spelling that Prometheus 2 and 3 store: `1(\.0)?`.

        Args:
            edge: in seconds.
            unit: that the metric writes its edges in.

        Returns:
            Text of a regular expression, not yet escaped for a PromQL string.

        Raises:
            KeyError: the unit is none of time.
        """
        return le_pattern(native_edge(edge, unit), self.document.spec.le_format or LeFormat.ANY)

    @_remembered
    def _metrics(self, role: str | None = None) -> Sequence[Metric]:
        """The metrics of the generation, newest first: those still exposed first, of these the latest to come.

        Those that no SLI is read from are left out.
        """
        found = [metric for metric in self._of_generation() if metric.refused is None and role in (None, metric.role)]
        if role is not None:
            found.sort(key=_age, reverse=True)
        return found

    def _of_generation(self) -> Iterator[Metric]:
        return (metric for metric in self.document.spec.metrics if metric.generation in ("any", self.generation))

    @_remembered
    def _present(self, role: str | None = None) -> Sequence[Metric]:
        return [metric for metric in self._metrics(role) if metric.versions.overlaps(self.releases)]

    @_remembered
    def _read(self, role: str) -> Sequence[Metric]:
        """Those of a role that rules read in this version: all of them, or the newest where they count twice."""
        present = self._present(role)
        return present[:1] if any(not metric.joined for metric in present) else present

    def _labels(self, metric: Metric) -> frozenset[str]:
        found = set()
        for label in self.document.spec.label_sets[metric.labels]:
            if not isinstance(label, VersionedLabel):
                found.add(label)
            elif label.versions.overlaps(self.releases):
                found.add(label.name)
        return frozenset(found)

    def _carrying(self, metric: Metric, name: str) -> list[VersionRange]:
        """The releases that put a label on a metric."""
        found = []
        for label in self.document.spec.label_sets[metric.labels]:
            if isinstance(label, VersionedLabel) and label.name == name:
                found.append(label.versions)
            elif label == name:
                found.append(VersionRange())
        return found

    def _edges(self, metric: Metric) -> tuple[Decimal, ...]:
        if metric.buckets is None or metric.unit not in UNIT_SECONDS:
            return ()
        eras = self.document.spec.bucket_sets[metric.buckets]
        spanned = [frozenset(era.edges) for era in eras if era.versions.overlaps(self.releases)]
        if not spanned:
            return ()
        seconds = UNIT_SECONDS[metric.unit]
        return tuple(edge * seconds for edge in sorted(frozenset.intersection(*spanned)))

    def _resolved(self, metric: Metric) -> ResolvedMetric:
        return ResolvedMetric(
            role=metric.role.value,
            name=metric.name,
            type=metric.type,
            unit=metric.unit,
            labels=self._labels(metric),
            edges=self._edges(metric),
            counts=metric.counts,
            notes=metric.notes,
            source=metric.source or self.document.spec.source,
            verified_at=metric.verified_at or self.document.spec.verified_at,
        )


@cache
def load_builtin_engines() -> Mapping[str, Engine]:
    """The engine documents that ship with the package, by name, which is that of the file; each is read once.

    Scalars are read as text, so that edges stay exact and `0.10` is not 0.1.

    Raises:
        ValueError: on access, where a file is no `Engine`, which is a fault of the package.
        OSError: the files are not there, which is a fault of the installation.
    """
    return ShippedEngines()


def display_name(engine: Engine) -> str:
    """What people call the engine: `vLLM`."""
    return engine.metadata.display_name or engine.metadata.name


def _age(metric: Metric) -> tuple[bool, Version, Version]:
    return metric.versions.high is None, metric.versions.high or _FIRST, metric.versions.low or _FIRST


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
