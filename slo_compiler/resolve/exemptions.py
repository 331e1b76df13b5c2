"""`exemptions` of a spec: schedules, conditions and young replicas, each with its share of a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.exemptions import ExemptionDocument, ScheduleDocument
from slo_compiler.ir import (
    Counters,
    Exemption,
    Histogram,
    Matcher,
    Measurement,
    Slices,
    Throughput,
    Window,
    YoungReplicas,
)
from slo_compiler.ir_schedules import Schedule
from slo_compiler.load.source_map import Path
from slo_compiler.promql.conditions import read_condition
from slo_compiler.promql.schedules import starts_a_day
from slo_compiler.promql.selectors import NotASelector
from slo_compiler.resolve.cron import NotCron, read_cron
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.zones import UnknownZone, find_zone
from slo_compiler.schedules import free_from
from slo_compiler.units import Duration

_PATH: Path = ("spec", "exemptions")
_MOST_STARTS = 24
# What is exempt more often than this leaves no time in which anything could be said of the service.
LEAST_FREE_SECONDS = 3 * 3600


class _Found(NamedTuple):
    """An exemption with the metrics that its condition reads, and where it stands."""

    exemption: Exemption
    reads: frozenset[str]
    path: Path


class Exemptions:
    """The exemptions of one spec; without any, nothing is found."""

    def __init__(
        self,
        documents: Sequence[ExemptionDocument],
        period: Window,
        targets: tuple[Matcher, ...],
        replica_label: str,
        findings: Findings,
    ) -> None:
        """Reads those that can be compiled; each of the others is a finding.

        Args:
            targets: the matchers of the engine's targets, for what is about its replicas.
        """
        self._findings = findings
        self._found: list[_Found] = []
        self._told: set[Path] = set()
        kinds: Counter[str] = Counter()
        for index, document in enumerate(documents):
            path: Path = (*_PATH, index)
            kinds[document.kind] += 1
            number = kinds[document.kind]
            name = document.kind if number == 1 else f"{document.kind}-{number}"
            read = _read(document, name, targets, replica_label, findings, path)
            if document.max_per_period.seconds * 2 > period.length.seconds:
                message = f"{name} may take {document.max_per_period}, over half of the period of {period.length}"
                hint = f"maxPerPeriod: {Duration(period.length.seconds / 2)}, or less"
                findings.error(Code.SLO203, (*path, "maxPerPeriod"), message, hint)
            elif read is not None:
                self._found.append(read)
        schedules = [item.exemption.schedule for item in self._found if item.exemption.schedule is not None]
        if schedules and free_from(schedules, LEAST_FREE_SECONDS) is None:
            message = "the schedules leave no three hours free between their windows"
            findings.not_compilable(Code.SLO206, _PATH, message, "exempt less, or promise a lower target")

    def of(self, measurement: Measurement, name: str, grouped: bool) -> tuple[Exemption, ...]:
        """Those that one SLO has; a condition on what it is measured by is a finding, and so is `groupBy` beside any."""
        if not self._found:
            return ()
        if grouped:
            if _PATH not in self._told:
                self._told.add(_PATH)
                message = "exemptions with groupBy cannot be compiled: their masks know no groups"
                self._findings.not_compilable(Code.SLO206, _PATH, message, "write a spec per group, or remove groupBy")
            return ()
        return tuple(item.exemption for item in self._found if self._reaches(item, measurement, name))

    def _reaches(self, item: _Found, measurement: Measurement, name: str) -> bool:
        read = metrics_of(measurement)
        circular = sorted(metric for metric in item.reads if metric in read or metric.startswith("slo:"))
        if circular:
            if item.path not in self._told:
                self._told.add(item.path)
                message = f"when reads {circular[0]}, which {name} is measured by: an outage could exempt itself"
                hint = "ask what scales or rolls out, such as kube_deployment_spec_replicas"
                self._findings.error(Code.SLO203, (*item.path, "when"), message, hint)
            return False
        if item.exemption.young is not None and not isinstance(measurement, Histogram):
            message = f"{item.exemption.name} does not reach {name}: its events are not told apart by replica"
            hint = "exempt the roll-out as a whole: kind: rollout, when: ..."
            self._findings.info(Code.SLO507, item.path, message, hint)
            return False
        return True


def metrics_of(measurement: Measurement) -> frozenset[str]:
    """The metrics that a measurement reads, as far as selectors name them; and `up`, which tells births and absence."""
    inner = measurement.inner if isinstance(measurement, Slices) else measurement
    found = {"up"}
    if isinstance(inner, Histogram):
        # Under the bare names are native histograms.
        found |= {f"{name}{suffix}" for name in inner.names for suffix in ("", "_count", "_bucket", "_sum")}
    elif isinstance(inner, Counters):
        found |= {inner.total.name, inner.part.name}
    elif isinstance(inner, Throughput):
        found |= {item.name for item in (*inner.tokens, *inner.waiting)}
    return frozenset(found)


def _read(
    document: ExemptionDocument,
    name: str,
    targets: tuple[Matcher, ...],
    replica_label: str,
    findings: Findings,
    path: Path,
) -> _Found | None:
    most = document.max_per_period
    if document.schedule is not None:
        schedule = _schedule(document.schedule, most, findings, (*path, "schedule"))
        if schedule is None:
            return None
        words = f'cron "{schedule.cron}" in {schedule.zone.name} for {schedule.duration}'
        return _Found(Exemption(name, document.kind, most, words, schedule), frozenset(), path)
    if document.for_ is not None:
        young = YoungReplicas(document.for_, targets, replica_label)
        words = f"each replica's first {document.for_}"
        return _Found(Exemption(name, document.kind, most, words, young=young), frozenset(), path)
    assert document.when is not None  # the model has one of the three
    try:
        condition = read_condition(document.when)
    except NotASelector as fault:
        hint = "when: 'kube_deployment_spec_replicas{...} == 0'"
        findings.error(Code.SLO203, (*path, "when"), f"when: {fault}", hint)
        return None
    words = f"when {' '.join(document.when.split())}"
    return _Found(Exemption(name, document.kind, most, words, when=condition.expression), condition.metrics, path)


def _schedule(document: ScheduleDocument, most: Duration, findings: Findings, path: Path) -> Schedule | None:
    cron, zone = None, None
    try:
        cron = read_cron(document.cron)
    except NotCron as fault:
        findings.error(Code.SLO203, (*path, "cron"), str(fault), 'cron: "0 3 * * 0" is each Sunday at 3')
    try:
        zone = find_zone(document.time_zone)
    except UnknownZone as fault:
        findings.error(Code.SLO204, (*path, "timeZone"), str(fault), fault.hint)
    seconds = document.duration.seconds
    if seconds % 60 or seconds > most.seconds:
        why = "no whole number of minutes" if seconds % 60 else f"over its maxPerPeriod of {most}"
        findings.error(Code.SLO203, (*path, "duration"), f"a window of {document.duration} is {why}", "duration: 1h")
        return None
    if cron is None or zone is None:
        return None
    schedule = Schedule(document.cron, *cron, document.duration, zone)
    if starts_a_day(schedule) > _MOST_STARTS:
        message = f"the schedule has {len(cron.times)} start times a day"
        if document.duration.seconds > 86400:
            message += f", and windows of {document.duration} reach over several"
        hint = f"up to {_MOST_STARTS} can be compiled: write fewer, longer windows"
        findings.not_compilable(Code.SLO206, (*path, "cron"), message, hint)
        return None
    return schedule
