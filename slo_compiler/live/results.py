"""One thing that was looked at, and what it takes to look."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from slo_compiler.documents.engine import Engine
from slo_compiler.ir import Matcher
from slo_compiler.live.pages import Page
from slo_compiler.slis import Sli


class Check(StrEnum):
    """What is looked at, in the order in which it is told."""

    METRIC = "metric"
    VERSION = "version"
    TYPE = "type"
    LABELS = "labels"
    BUCKET = "bucket"
    SAMPLES = "samples"


class Result(NamedTuple):
    """One thing that was looked at.

    Attributes:
        slo: name of the SLO; of the spec, for what all its SLOs share.
        ok: None where what is there does not tell.
        fix: a line of the spec that would work, where one is known.
    """

    service: str
    slo: str
    sli: str
    check: Check
    ok: bool | None
    metric: str
    message: str
    fix: str = ""


class Live(NamedTuple):
    """What was seen, and what is needed to judge it.

    Attributes:
        earlier: the same some time before; None where it was looked at once.
        target_labels: labels that come from scraping, not from the program.
    """

    page: Page
    earlier: Page | None
    engines: Mapping[str, Engine]
    slis: Mapping[str, Sli]
    target_labels: frozenset[str]


class Teller(NamedTuple):
    """Makes results of one SLO."""

    service: str
    slo: str
    sli: str

    def __call__(self, check: Check, ok: bool | None, metric: str, message: str, fix: str = "") -> Result:
        return Result(self.service, self.slo, self.sli, check, ok, metric, message, fix)


class Read(NamedTuple):
    """Metrics of which any one is to be there, under the same matchers.

    Attributes:
        kind: `histogram`, `counter` or `gauge`.
        own_labels: labels that the program is known to give them; None where nothing is known.
        expected: those names that the engine's version exposes; empty where nothing is known.
    """

    names: tuple[str, ...]
    kind: str
    matchers: tuple[Matcher, ...]
    own_labels: frozenset[str] | None = None
    expected: tuple[str, ...] = ()
