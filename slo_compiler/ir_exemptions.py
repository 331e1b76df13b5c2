"""The resolved form of exemptions and adjustments: time whose events do not count, and how much of it."""

import datetime
from typing import NamedTuple

from slo_compiler.diagnostics.diagnostic import Span
from slo_compiler.ir_schedules import Schedule
from slo_compiler.ir_series import Matcher
from slo_compiler.units import Duration


class YoungReplicas(NamedTuple):
    """Replicas that have just started, by `process_start_time_seconds`.

    Attributes:
        age: up to which their events do not count.
        targets: the matchers of the replicas' targets.
        replica_label: tells the replicas of a job apart.
    """

    age: Duration
    targets: tuple[Matcher, ...]
    replica_label: str


class Exemption(NamedTuple):
    """A reason for which events do not count.

    Attributes:
        name: told apart by, on recorded series: the kind, with a number where a kind occurs twice.
        most: the mask ends when so much of a period is used.
        schedule: when it holds, for maintenance.
        when: PromQL that gives a result where it holds, for a roll-out and for scaling to zero.
        young: whose events are left out, for a cold start.
        words: what outputs say of it, such as `cron "0 3 * * 0" in Europe/Berlin for 1h`.
    """

    name: str
    kind: str
    most: Duration
    words: str
    schedule: Schedule | None = None
    when: str = ""
    young: YoungReplicas | None = None

    @property
    def masks_all(self) -> bool:
        """Whether it leaves out whole tiles, not the events of some replicas."""
        return self.young is None


class Adjustment(NamedTuple):
    """An incident, in seconds since 1970, whose events are left out of the period, why, and where the spec says so."""

    begin: int
    end: int
    reason: str
    where: Span

    @property
    def begin_text(self) -> str:
        """Its begin, such as `2027-03-01T10:00:00Z`."""
        return _utc(self.begin)

    @property
    def end_text(self) -> str:
        """Its end."""
        return _utc(self.end)

    def __str__(self) -> str:
        return f"{self.begin_text} to {self.end_text}"


def _utc(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
