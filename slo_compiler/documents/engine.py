"""The `Engine` document: what a program exposes on its metrics page, by version."""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from slo_compiler.documents.base import POSITIVE_TEXT, JsonSchema, Model
from slo_compiler.documents.engine_views import AvailabilityView, CompletionView
from slo_compiler.documents.judged import absent, either_of, given
from slo_compiler.documents.metadata import BoolText, Metadata
from slo_compiler.documents.releases import MinorText, RangeText, ReleaseText, VersionRange
from slo_compiler.documents.sight import (
    BlindSpot,
    BreachType,
    BreachView,
    LabelName,
    MetricName,
    PromptClasses,
    Spot,
    Words,
)
from slo_compiler.units import parse_decimal


def _read_edge(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError("expected a bucket edge, as the text of a number")
    try:
        edge = parse_decimal(str(value))
    except ValueError as fault:
        raise ValueError(f"{fault}; expected a bucket edge such as 0.25, and +Inf is not listed") from None
    if edge <= 0:
        raise ValueError(f"{value} is no finite edge above zero; +Inf is not listed")
    return edge


Edge = Annotated[
    Decimal,
    BeforeValidator(_read_edge),
    JsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, POSITIVE_TEXT]}),
]
# A release, or the commit of a program that was looked up between two.
LookedUp = Annotated[str, Field(pattern=r"^([0-9]+\.[0-9]+\.[0-9]+|b[0-9]+|[0-9a-f]{7,40})$")]
LabelTexts = Annotated[dict[LabelName, str], Field(min_length=1)]
_ALL = VersionRange()


class Role(StrEnum):
    """What a metric tells, whatever its name."""

    TTFT = "ttft"
    ITL = "itl"
    """Time between two tokens, an observation per token."""
    TPOT = "tpot"
    """The same per-token observations under an older name."""
    TPOT_REQUEST_MEAN = "tpot_request_mean"
    """The mean time per output token, an observation per request."""
    TPOT_NORMALIZED = "tpot_normalized"
    """The whole latency by output token, the wait for the first one included."""
    E2E = "e2e"
    QUEUE_TIME = "queue_time"
    UPSTREAM_LATENCY = "upstream_latency"
    """Of a gateway: what it waited for the engine, or a leg of that."""
    FIRST_BYTE = "first_byte"
    """Until the first byte of the answer's head, which comes before a token."""
    INFERENCE_TIME = "inference_time"
    PREFILL_TIME = "prefill_time"
    DECODE_TIME = "decode_time"
    RUNNING = "running"
    QUEUE_DEPTH = "queue_depth"
    QUEUE_DEPTH_BY_REASON = "queue_depth_by_reason"
    """A breakdown that sums to the queue depth."""
    KV_CACHE_USAGE = "kv_cache_usage"
    PREEMPTIONS = "preemptions"
    """Requests that were put back into the queue, and are computed again."""
    PROMPT_TOKENS = "prompt_tokens"
    GENERATION_TOKENS = "generation_tokens"
    REQUESTS_STARTED = "requests_started"
    REQUESTS_SUCCESS = "requests_success"
    REQUESTS_ERROR = "requests_error"
    REQUESTS_CANCELLED = "requests_cancelled"
    """Requests that the client left."""
    REQUESTS_REJECTED = "requests_rejected"
    REQUESTS_TOTAL = "requests_total"
    """All requests with their outcome."""


# SLIs are read from these as shares of events under a bucket edge: nothing but a histogram can answer.
_OF_HISTOGRAMS = (Role.TTFT, Role.ITL, Role.TPOT, Role.TPOT_REQUEST_MEAN, Role.E2E, Role.QUEUE_TIME)


class MetricType(StrEnum):
    """The type that the page declares."""

    HISTOGRAM = "histogram"
    COUNTER = "counter"
    GAUGE = "gauge"
    SUMMARY = "summary"


class Unit(StrEnum):
    """The unit of a metric's values and of its bucket edges. A ratio is 0 to 1."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    TOKENS = "tokens"
    REQUESTS = "requests"
    RATIO = "ratio"


class LeFormat(StrEnum):
    """How the exporter writes the edge 1 into the label `le`."""

    PYTHON_FLOAT = "python_float"
    """`1.0`"""
    GO = "go"
    """`1`"""
    PLAIN = "plain"
    """`1`, and never an exponent: `3600000`"""
    ANY = "any"
    """One of these, by the exporter that is used."""


class _Part(Model):
    """A part of the document."""


class VersionedLabel(_Part):
    """A label that not every release has."""

    name: LabelName
    versions: RangeText


class BucketEra(_Part):
    """The finite edges of a histogram in some versions, ascending, in the metric's unit."""

    versions: RangeText = _ALL
    edges: tuple[Edge, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _edges_ascend(self) -> Self:
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError("edges must ascend")
        return self


class BucketSetting(_Part):
    """Since when the engine lets its buckets be set, and how."""

    versions: RangeText
    setting: str


class Reach(_Part):
    """That something which happens to a request is counted, with which labels and in which versions.

    Attributes:
        labels: values of the labels that tell it apart from what else the metric counts.
    """

    labels: dict[LabelName, str] = Field(default_factory=dict)
    versions: RangeText = _ALL


class ReachedBy(_Part):
    """What happens to requests and reaches a metric; what is left out never does.

    Attributes:
        arrived: the request came in.
        first_token: its first token was sent.
        token: each later one.
        finished: its answer is complete.
        cut: it is complete at the most tokens that were allowed; where left out, as `finished`.
        failed: it ended with an error of the engine.
        aborted: the client left.
        rejected: it was refused when it came in, because too many were there.
    """

    arrived: Reach | None = None
    first_token: Reach | None = None
    token: Reach | None = None
    finished: Reach | None = None
    cut: Reach | None = None
    failed: Reach | None = None
    aborted: Reach | None = None
    rejected: Reach | None = None


def _is(kind: str) -> dict[str, Any]:
    return {"properties": {"type": {"const": kind}}}


class Metric(_Part):
    """One metric. A histogram's name is its base name, without `_bucket`, `_sum` and `_count`.

    Attributes:
        counts: what one observation, or one increment, is.
        labels: name of one of the document's label sets.
        buckets: name of one of the document's bucket sets.
        generation: of the engine, where two of them ship in one release.
        matchers: label to value; only these of its series are read.
        without: label to regular expression; series that match one of them are not read.
        joined: whether rules read it together with the role's other names. Not where releases expose both with other
            labels: every event would count twice.
        refused: why no SLI is read from it; where the role is asked for, it is named with these words.
        reached_by: what `simulate-exporter` counts in it; where absent, what is usual for the role.
        at_zero: labels of series that are on the page and stay at 0.
        sparse: whether a series is on the page only from its first event on.
        notes: what it includes and what never reaches it.
        source: where this is known from; where absent, the document's own.
        verified_at: releases at which it was looked up; where absent, the document's own.
    """

    model_config = ConfigDict(
        json_schema_extra={
            **either_of(
                {"allOf": [_is("histogram"), given("buckets", "counts")]},
                {"allOf": [_is("counter"), given("counts"), absent("buckets", "matchers", "without")]},
                {"allOf": [_is("gauge"), absent("buckets", "counts", "matchers", "without")]},
                {"allOf": [_is("summary"), given("refused"), absent("buckets", "counts", "matchers", "without")]},
            ),
            "if": {
                "properties": {"role": {"enum": [role.value for role in _OF_HISTOGRAMS]}},
                "required": ["role"],
                "not": _is("histogram"),
            },
            "then": given("refused"),
        }
    )

    role: Role
    name: MetricName
    type: MetricType
    unit: Unit
    versions: RangeText = _ALL
    labels: str
    counts: Literal["requests", "tokens"] | None = None
    buckets: str | None = None
    generation: Literal["v0", "v1", "any"] = "v1"
    matchers: LabelTexts | None = None
    without: LabelTexts | None = None
    joined: BoolText = True
    refused: Words | None = None
    reached_by: ReachedBy | None = None
    at_zero: tuple[LabelTexts, ...] = ()
    sparse: BoolText = False
    notes: str = ""
    source: str = ""
    verified_at: tuple[LookedUp, ...] = ()

    @model_validator(mode="after")
    def _type_fits(self) -> Self:
        if (self.type is MetricType.HISTOGRAM) != (self.buckets is not None):
            raise ValueError(f"{self.name}: histograms have buckets, and nothing else has")
        if (self.type in (MetricType.GAUGE, MetricType.SUMMARY)) != (self.counts is None):
            raise ValueError(f"{self.name}: histograms and counters say what they count, gauges count nothing")
        if self.type is not MetricType.HISTOGRAM:
            if self.matchers is not None or self.without is not None:
                raise ValueError(f"{self.name}: only histograms have matchers and without")
            if self.refused is None and (self.role in _OF_HISTOGRAMS or self.type is MetricType.SUMMARY):
                raise ValueError(f"{self.name}: no SLI is read from a {self.type.value}; say why in refused")
        return self


class Versions(_Part):
    """The releases that the document is about.

    Attributes:
        oldest: the first release; nothing older can be read.
        newest: the last release that was looked up.
        known: minor releases that were looked up, ascending, the first of `oldest` and the last of `newest`.
    """

    oldest: ReleaseText
    newest: ReleaseText
    known: tuple[MinorText, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_ascend(self) -> Self:
        minors = [tuple(int(part) for part in minor.removeprefix("b").split(".")) for minor in self.known]
        if minors != sorted(set(minors)):
            raise ValueError("known releases must ascend")
        ends = (self.oldest.rpartition(".")[0] or self.oldest, self.newest.rpartition(".")[0] or self.newest)
        if ends != (self.known[0], self.known[-1]):
            raise ValueError("known releases must begin with the oldest and end with the newest")
        return self


_SET_SCHEMA = {"type": "array", "items": {"type": "string"}}  # what is named twice is in it


def _label_form(value: Any) -> str:
    return "mapping" if isinstance(value, dict | VersionedLabel) else "text"


Label = Annotated[
    Annotated[LabelName, Tag("text")] | Annotated[VersionedLabel, Tag("mapping")], Discriminator(_label_form)
]


class MetricsPort(_Part):
    """A port by default, and where that is written."""

    default: Annotated[int, Field(ge=1, le=65535)]
    source: Annotated[str, Field(min_length=1)]


class EngineSpec(_Part):
    """The content.

    Attributes:
        versions: the releases that are told apart; absent where what is exposed is the same in all of them.
        generations: generations of the engine and the versions that have them; empty where there is only one.
        metrics_port: where the metrics page is unless somebody says otherwise; absent where there is no default.
        le_format: how edges are written; absent where there is no histogram.
        model_label: the label that carries the served model's name; absent where there is none.
        finish_label: the label that says how a request ended; absent where there is none.
        streaming_label: the label that is `true` on streamed requests and `false` on others; absent where there is none.
        boundary: whether requests that fail before they reach a model are counted, as at a gateway.
        sees: parts of a latency budget that its latencies include.
        blind_spots: what it cannot tell, in sentences; those that SLIs may rely on say which.
        lacks: SLI to why it cannot be read, and what can be instead.
        breaches: type of breach to what shows it, where the SLIs do not say it all.
        prompt_classes: the label that tells lengths of prompts apart; absent where there is none.
        verified_at: releases at which the metrics were looked up.
    """

    versions: Versions | None = None
    generations: dict[str, RangeText] = Field(default_factory=dict)
    metrics_path: str = "/metrics"
    metrics_port: MetricsPort | None = None
    le_format: LeFormat | None = None
    model_label: LabelName | None = None
    finish_label: LabelName | None = None
    streaming_label: LabelName | None = None
    boundary: BoolText = False
    sees: Annotated[frozenset[str], JsonSchema(_SET_SCHEMA)] = frozenset()
    buckets_configurable: tuple[BucketSetting, ...] = ()
    availability: AvailabilityView | None = None
    completion: CompletionView | None = None
    blind_spots: tuple[Spot, ...] = ()
    lacks: dict[str, Words] = Field(default_factory=dict)
    breaches: dict[BreachType, BreachView] = Field(default_factory=dict)
    prompt_classes: PromptClasses | None = None
    source: str
    verified_at: tuple[LookedUp, ...] = Field(min_length=1)
    label_sets: dict[str, tuple[Label, ...]]
    bucket_sets: dict[str, tuple[BucketEra, ...]] = Field(default_factory=dict)
    metrics: tuple[Metric, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def unseen(self) -> tuple[BlindSpot, ...]:
        """Those of its blind spots that SLIs may rely on."""
        return tuple(spot for spot in self.blind_spots if isinstance(spot, BlindSpot))

    def _faults(self) -> Iterator[str]:
        for metric in self.metrics:
            if metric.labels not in self.label_sets:
                yield f"{metric.name}: no label set {metric.labels!r}"
            if metric.buckets is not None and metric.buckets not in self.bucket_sets:
                yield f"{metric.name}: no bucket set {metric.buckets!r}"
        names = {metric.name for metric in self.metrics if metric.refused is None}
        if self.availability is not None:
            for name in (self.availability.total, self.availability.part):
                if name is not None and name not in names:
                    yield f"availability: no metric {name!r}"
        if self.completion is not None:
            for name in (self.completion.began, self.completion.ended):
                if name not in names:
                    yield f"completion: no metric {name!r}"
        if self.prompt_classes is not None and not any(map(self._carries_classes, self.label_sets.values())):
            yield f"promptClasses: no label set has {self.prompt_classes.label!r}"
        for breach, view in self.breaches.items():
            for name in view.metrics:
                if name not in {metric.name for metric in self.metrics}:
                    yield f"breaches: {breach.value}: no metric {name!r}"
        yield from self._unlike()
        if self.le_format is None and any(metric.type is MetricType.HISTOGRAM for metric in self.metrics):
            yield "histograms need an leFormat"
        for name, eras in self.bucket_sets.items():
            for index, era in enumerate(eras):
                if any(era.versions.overlaps(other.versions) for other in eras[index + 1 :]):
                    yield f"{name}: two bucket eras overlap"

    def _carries_classes(self, labels: tuple[Label, ...]) -> bool:
        names = {label if isinstance(label, str) else label.name for label in labels}
        return self.prompt_classes is not None and self.prompt_classes.label in names

    def _unlike(self) -> Iterator[str]:
        """Rules read the names of a role with one pattern of `le` and one set of matchers."""
        first: dict[tuple[str, str], Metric] = {}
        for metric in self.metrics:
            if metric.type is not MetricType.HISTOGRAM or metric.refused is not None:
                continue
            role = Role.ITL if metric.role is Role.TPOT else metric.role
            other = first.setdefault((role, metric.generation), metric)
            if (metric.unit, metric.matchers, metric.without) != (other.unit, other.matchers, other.without):
                yield f"{metric.name} and {other.name} are read together, and differ in unit, matchers or without"


class Engine(_Part):
    """A program that exposes metrics: an inference server or a gateway."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["Engine"]
    metadata: Metadata
    spec: EngineSpec
