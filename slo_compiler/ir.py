"""The resolved form: all that a check or an emitter may know of a spec.

Ratios are 0 to 1, times are `Duration`, every value is final. Nothing here knows YAML, pydantic or PromQL text.
"""

import datetime
import importlib
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from slo_compiler.diagnostics.diagnostic import Span
from slo_compiler.ir_engine import EngineInUse as EngineInUse
from slo_compiler.ir_engine import Signal as Signal
from slo_compiler.ir_histograms import Bound as Bound
from slo_compiler.ir_histograms import Histogram as Histogram
from slo_compiler.ir_histograms import Native as Native
from slo_compiler.ir_series import Matcher as Matcher
from slo_compiler.ir_series import Selector as Selector
from slo_compiler.units import Duration

if TYPE_CHECKING:
    from slo_compiler.ir_autoscaling import Autoscaling as Autoscaling
    from slo_compiler.ir_autoscaling import Trigger as Trigger
    from slo_compiler.ir_degradation import Degradation as Degradation
    from slo_compiler.ir_exemptions import Adjustment as Adjustment
    from slo_compiler.ir_exemptions import Exemption as Exemption
    from slo_compiler.ir_exemptions import YoungReplicas as YoungReplicas
    from slo_compiler.ir_replicas import WorstReplica as WorstReplica
    from slo_compiler.ir_scraping import Scraping as Scraping

# Parts that few specs have, and where they are: imported where one is asked for, which others need not wait for.
_RARE = {
    **dict.fromkeys(("Autoscaling", "Trigger"), "slo_compiler.ir_autoscaling"),
    **dict.fromkeys(("Adjustment", "Exemption", "YoungReplicas"), "slo_compiler.ir_exemptions"),
    "Degradation": "slo_compiler.ir_degradation",
    "Scraping": "slo_compiler.ir_scraping",
    "WorstReplica": "slo_compiler.ir_replicas",
}


def __getattr__(name: str) -> Any:
    if name not in _RARE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_RARE[name]), name)


class Counters(NamedTuple):
    """Good or bad events are a counter of their own, beside a counter of all.

    Attributes:
        part: the counter of the good or of the bad events.
        part_is: `good` or `bad`.
        part_later: an event is in the part later than in the total, as an answer ends after it began: the difference is
            below zero where more end than begin, and means something over windows only.
    """

    total: Selector
    part: Selector
    part_is: str
    part_later: bool = False


class Queries(NamedTuple):
    """Good or bad events and all events come from PromQL with the placeholder `{{.window}}`.

    Attributes:
        yields: per side, `rate` (events per second) or `increase` (events in the window).
    """

    total: str
    part: str
    part_is: str
    total_yields: str
    part_yields: str


Counted = Histogram | Counters | Queries


class Value(NamedTuple):
    """A number that must hold against a bound: OpenSLO's `thresholdMetric` with `op` and `value`.

    Attributes:
        query: PromQL; `{{.window}}` in it is the slice's window. Where it gives several series, the worst decides.
        op: how the value must stand to the bound, one of `<=`, `>=`, `<`, `>`.
        bound: in the query's own unit.
    """

    query: str
    op: str
    bound: Decimal


class Throughput(NamedTuple):
    """Generated tokens per second of all replicas together reach a rate, or nothing waits.

    Attributes:
        tokens: counters under every name of the engine, newest first.
        waiting: gauges of queued requests, likewise. A replica's queue counts where it was never empty in the slice.
        rate: tokens per second.
    """

    tokens: tuple[Selector, ...]
    waiting: tuple[Selector, ...]
    rate: Decimal


class Slices(NamedTuple):
    """Time slices: one slice of time is one event, whatever happens in it; a slice without traffic is none.

    Every fast tile judges the slice that ends at it and counts a step's share of one, so that in any window there are as
    many events as slices fit into it, and no slice's begin matters. Windows, burn rates, guards and the period are then
    those of every other measurement, in slices.

    Attributes:
        inner: what a slice is judged by.
        window: a slice's length, a multiple of the fast step.
        target: OpenSLO's `timeSliceTarget`, the share of good events in `inner` that makes a slice good (Timeslices).
            None counts a slice by its ratio: its bad share is its weight (RatioTimeslices). A `Value` and a `Throughput`
            need none: a slice is good where they hold.
    """

    inner: Counters | Queries | Value | Throughput
    window: Duration
    target: Decimal | None = None


Measurement = Counted | Slices


class Level(Enum):
    """Which tiles a window sums."""

    FAST = "fast"
    SLOW = "slow"


class Steps(NamedTuple):
    """Evaluation intervals, which are the lengths of the tiles, and the scrape interval, in seconds."""

    fast: int
    slow: int
    scrape: Decimal

    def of(self, level: Level) -> int:
        """The length of a tile in seconds."""
        return self.fast if level is Level.FAST else self.slow


class Window(NamedTuple):
    """A window of recorded tiles: `1h` is 120 tiles of 30 s, read half a step short as `59m45s`.

    Half a step short, a range holds the same tiles on Prometheus 2, where it is closed on the left, and on 3.
    """

    name: str
    level: Level
    tiles: int
    range: Duration
    length: Duration

    @property
    def by_evaluations(self) -> bool:
        """Windows of a day and more divide by the tiles that the ruler evaluated."""
        return self.length.seconds >= 86400


class Tier(NamedTuple):
    """An alert on a burn rate over `factor` in a long and a short window, with more than `guard` bad events.

    Attributes:
        severity: `page`, `ticket` or `info`, or any other text of an alert policy.
        labels: what its alert carries beside the labels of every tier.
    """

    name: str
    factor: Decimal
    long: Window
    short: Window
    severity: str
    hold: Duration
    keep_firing_for: Duration
    guard: int
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def blind_at_events_per_hour(self) -> Decimal:
        """The traffic at which, and below which, not even a total failure passes the guard."""
        return Decimal(self.guard) * 3600 / self.long.length.seconds


class Provenance(NamedTuple):
    """A value as text and where it came from: `150ms`, `use case chatbot, built-in catalog`."""

    field: str
    value: str
    origin: str


class Source(NamedTuple):
    """Series whose absence means that the SLO is blind, and the targets that should expose them.

    Attributes:
        selectors: any one of them present means that the source is there.
        target_matchers: matchers that `up` carries too; empty where the selector names no target.
        native: they are native histograms, of which each counts its events itself.
    """

    label: str
    selectors: tuple[Selector, ...]
    target_matchers: tuple[Matcher, ...]
    native: bool = False


class Gauges(NamedTuple):
    """What shows that an engine hangs: requests in it, and no token out of it."""

    running: tuple[Selector, ...]
    waiting: tuple[Selector, ...]
    tokens: tuple[Selector, ...]
    replica_label: str


class Deadline(NamedTuple):
    """A batch promise: the age in seconds of the oldest pending document, and the promised time."""

    pending_age: Selector
    limit: Duration


class Judged(NamedTuple):
    """What the catalog says about a promised threshold.

    Attributes:
        threshold: as promised, before the latency budget comes off.
        own: the spec itself writes it.
        ceiling: of the experience class, for targets up to 95%; None where the catalog has none.
        use_case: the use case's own value for this percentile.
    """

    threshold: Duration
    own: bool
    ceiling: Duration | None = None
    use_case: Duration | None = None


class Groups(NamedTuple):
    """One SLO per value of these labels; without labels, one SLO.

    Attributes:
        labels: in the spec's order.
        most: so many groups are recorded, those with the most traffic; 0 where the spec names them.
        allow: the values that the spec names, which are matchers of everything read.
    """

    labels: tuple[str, ...] = ()
    most: int = 0
    allow: tuple[str, ...] = ()


UNGROUPED = Groups()


@dataclass(frozen=True, slots=True, eq=False)
class Slo:
    """One objective, resolved.

    Attributes:
        slo_id: its identity, `<service>/<name>`.
        budget: 1 - target.
        counts: what one event is: `requests`, `tokens`, `documents`, `events`, `slices`.
        title: the SLI in words, `time to first token`.
        promise: the promise in words, `95% of requests: time to first token within 150ms (measured at 250ms)`.
        mode: `page`, `ticket` or `none`.
        labels: labels of every alert, beyond those of `interface`.
        info: what `slo:info` carries beside `slo_id`.
        highest: over which the engine's buckets tell no latency from another.
        at_boundary: availability seen by a gateway, not by the engine itself.
        groups: the labels that everything recorded carries beside `slo_id`.
        worst_replica: when one replica is a ticket; None where replicas cannot be told apart, or nobody asks.
        degradation: what a gateway reads to reduce its load; None where nobody asks.
        exemptions: for which its events do not count.
        adjustments: stretches of time that the period's sums leave out, ascending.
        events_per_request: over one where tokens are counted.
        portable: what its objective says, one fact per key, for the portable form.
        where: places in the spec, by `self`, `threshold` and `target`.
    """

    slo_id: str
    service: str
    name: str
    sli: str
    title: str
    counts: str
    promise: str
    target: Decimal
    period: Window
    measurement: Measurement
    steps: Steps
    tiers: tuple[Tier, ...]
    windows: tuple[Window, ...]
    mode: str
    info: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    runbook_url: str = ""
    dashboard_url: str = ""
    deadline: Deadline | None = None
    promised: Duration | None = None
    measured: Duration | None = None
    highest: Duration | None = None
    provenance: tuple[Provenance, ...] = ()
    judged: Judged | None = None
    at_boundary: bool = False
    groups: Groups = UNGROUPED
    worst_replica: "WorstReplica | None" = None
    degradation: "Degradation | None" = None
    events_per_request: Decimal = Decimal(1)
    portable: tuple[tuple[str, str], ...] = ()
    exemptions: "tuple[Exemption, ...]" = ()
    adjustments: "tuple[Adjustment, ...]" = ()
    where: dict[str, Span] = field(default_factory=dict)

    @property
    def counted(self) -> Counted | None:
        """What counts good and bad events, in slices or not; None where slices are judged by a value."""
        if not isinstance(self.measurement, Slices):
            return self.measurement
        inner = self.measurement.inner
        return inner if isinstance(inner, Counters | Queries) else None

    @property
    def part_later(self) -> bool:
        """Whether the bad events of a tile may be below zero, so that only windows of them are to be read."""
        return isinstance(self.measurement, Counters) and self.measurement.part_later

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad."""
        return 1 - self.target


class Portable(NamedTuple):
    """What the document of a spec says beside its numbers, for a portable form that compiles to the same rules.

    Attributes:
        labels: of the document.
        annotations: what the spec says, one fact per key, without our prefix.
        foreign: annotations with other prefixes.
    """

    display_name: str
    description: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    foreign: tuple[tuple[str, str], ...]


class Waived(NamedTuple):
    """A finding that the owner accepts."""

    code: str
    reason: str
    until: datetime.date
    where: Span


class Severities(NamedTuple):
    """The configured values of the label `severity`."""

    page: str = "page"
    ticket: str = "ticket"
    info: str = "info"

    def of(self, severity: str) -> str:
        """The configured value of `page`, `ticket` or `info`; any other text stands for itself."""
        return str(getattr(self, severity)) if severity in self._fields else severity

    def known(self, text: str) -> str:
        """`page`, `ticket` or `info` where the text is one of them, or what is configured for it; else the text."""
        return text if text in self._fields else next((name for name in self._fields if self.of(name) == text), text)


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """One spec document, resolved: what becomes one rule file.

    Attributes:
        path: the file it was read from.
        output_tokens: expected per answer, for the mean ITL that an E2E promise needs.
        requests_per_hour: the traffic that the spec expects; None where it says nothing.
        review_by: the day by which its owner wants to look at it again.
        portable: what the document says; None where it is OpenSLO as it stands.
        runbook_is_compiled: it is the page that is compiled for the spec, so that each alert has a part of its own there.
        spec_url: where the document can be read; empty where that is not configured.
        label_prefix: of the compiler's own labels on alerts.
        evaluation: the interval of rules that record no tiles; None takes the fast step.
        autoscaling: the workload that follows its SLOs; None where the spec names none.
        scraping: where the series of its engine come from; None where the spec does not say.
        where: places in the document, by field.
    """

    name: str
    service: str
    path: str
    slos: tuple[Slo, ...]
    sources: tuple[Source, ...]
    labels: tuple[tuple[str, str], ...]
    severities: Severities
    mode: str
    expect_idle: bool
    steps: Steps
    engine: EngineInUse | None = None
    gauges: Gauges | None = None
    queue_limit: Decimal | None = None
    runbook_url: str = ""
    runbook_is_compiled: bool = False
    dashboard_url: str = ""
    dashboard_uid: str = ""
    model: str = ""
    endpoint: str = ""
    stage: str = "production"
    experience_class: str = ""
    use_case: str = ""
    use_case_class: str = ""
    output_tokens: int = 0
    requests_per_hour: Decimal | None = None
    filters_endpoint: bool = True
    retention: Duration | None = None
    waivers: tuple[Waived, ...] = ()
    review_by: datetime.date | None = None
    portable: Portable | None = None
    spec_url: str = ""
    evaluation: Duration | None = None
    autoscaling: "Autoscaling | None" = None
    scraping: "Scraping | None" = None
    label_prefix: str = ""
    where: dict[str, Span] = field(default_factory=dict)

    def own_label(self, name: str) -> str:
        """The name that one of the compiler's labels has on alerts, where it may have a prefix."""
        return f"{self.label_prefix}{name}"

    @property
    def engine_id(self) -> str:
        """The identity of the spec's shared alerts."""
        return f"{self.service}/{self.name}"
