"""A metrics page of an unknown program as a draft of its `Engine` document: what is there, and what its names hint at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slo_compiler.documents.engine import LeFormat, MetricType, Role, Unit
from slo_compiler.live.metric_words import RoleHint, first_of, is_ignored, load_metric_words, role_hint, unit_hint
from slo_compiler.live.pages import Page, Series
from slo_compiler.units import parse_decimal

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# A class such as 5xx or 503, or its first digit alone.
_STATUS = re.compile(r"[1-5](xx|[0-9]{2})?")
_NOT_OF_THE_METRIC = ("le", "quantile")
_KINDS = frozenset(kind.value for kind in MetricType)
# Per token there are many times as many observations as there are requests; twice is out of reach of those that fail.
_MANY = 2


@dataclass(frozen=True, slots=True)
class Family:
    """A metric as the page shows it.

    Attributes:
        kind: as the page declares it, or as its series show.
        labels: without those that a histogram or a summary adds.
        edges: the finite edges above 0 that every series has, as written, ascending.
        events: what its series have counted; 0 of a gauge.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    edges: tuple[str, ...] = ()
    events: float = 0.0


@dataclass(frozen=True, slots=True)
class DraftMetric:
    """A family with what its name hints at, and from what that was guessed."""

    family: Family
    role: Role
    role_by: str
    unit: Unit
    unit_by: str
    counts: str | None


@dataclass(frozen=True, slots=True)
class DraftAvailability:
    """Which requests look bad: those of the counter whose label matches."""

    total: str
    label: str
    bad: str


@dataclass(slots=True)
class EngineDraft:
    """What goes into a document, and what is left for a person to decide.

    Attributes:
        values: label to the values that were seen.
        undecided: names of other families with why they are not in the document, in order of their names.
    """

    metrics: list[DraftMetric] = field(default_factory=list)
    le_format: LeFormat | None = None
    model_label: str | None = None
    finish_label: str | None = None
    availability: DraftAvailability | None = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    undecided: list[tuple[str, str]] = field(default_factory=list)


def draft_engine(page: Page) -> EngineDraft:
    """What a page shows, by role; of several names for one role the likeliest, since rules add the names of a role up."""
    draft = EngineDraft()
    hinted: list[tuple[RoleHint, Role, Family]] = []
    families = [family for family in _families(page, draft) if not is_ignored(family.name)]
    first_tokens = _first_tokens(families)
    for family in families:
        hint = role_hint(family.name, family.kind)
        if hint is None:
            draft.undecided.append((family.name, f"{_article(family)}: its name hints at no role"))
        elif family.kind == MetricType.HISTOGRAM and not family.edges:
            draft.undecided.append((family.name, "a histogram without an edge that all its series have"))
        else:
            per_token = hint.words.per_token is not None and family.events > _MANY * first_tokens > 0
            role = hint.words.per_token if per_token and hint.words.per_token is not None else hint.words.role
            hinted.append((hint, role, family))
    taken: dict[Role, str] = {}
    # What rules can read comes before summaries.
    for hint, role, family in sorted(hinted, key=lambda item: (item[2].kind == MetricType.SUMMARY, item[0].weight)):
        if role in taken:
            text = f"{_article(family)} that looks like {role}, too, which is {taken[role]} here"
            draft.undecided.append((family.name, text))
            continue
        taken[role] = family.name
        draft.metrics.append(_metric(hint, role, family))
    draft.metrics.sort(key=lambda metric: list(Role).index(metric.role))
    draft.undecided.sort()
    _read_labels(draft, page)
    return draft


def _families(page: Page, draft: EngineDraft) -> Iterator[Family]:
    parts: dict[str, list[str]] = {}
    for name in page.series:
        parts.setdefault(name.rpartition("_")[0] if page.is_part(name) else name, []).append(name)
    for name in sorted(parts):
        series = [one for part in parts[name] for one in page.series[part]]
        labels = sorted({label for one in series for label in one.labels} - {*_NOT_OF_THE_METRIC})
        kind = page.type_of(name)
        if not _NAME.fullmatch(name) or not all(map(_LABEL.fullmatch, labels)):
            draft.undecided.append((name, "its name or a label of it is outside of what Prometheus 2 can read"))
        elif kind not in _KINDS:
            draft.undecided.append((name, "the page does not say of which type it is"))
        elif kind == MetricType.HISTOGRAM:
            edges = _edges(page.series.get(f"{name}_bucket", ()))
            events = sum(one.value for one in page.series.get(f"{name}_count", ()))
            yield Family(name, kind, tuple(labels), edges, events)
        else:
            yield Family(name, kind, tuple(labels), (), sum(one.value for one in series) if kind == "counter" else 0.0)


def _edges(buckets: Sequence[Series]) -> tuple[str, ...]:
    """The finite edges above 0 of all series, as written, ascending."""
    by_series: dict[tuple[tuple[str, str], ...], dict[Decimal, str]] = {}
    for one in buckets:
        key = tuple(sorted((label, value) for label, value in one.labels.items() if label != "le"))
        edge = _edge(one.labels.get("le", ""))
        own = by_series.setdefault(key, {})
        if edge is not None and edge > 0:
            own.setdefault(edge, one.labels["le"])
    if not by_series:
        return ()
    first, *others = by_series.values()
    return tuple(first[edge] for edge in sorted(first) if all(edge in other for other in others))


def _edge(text: str) -> Decimal | None:
    try:
        return parse_decimal(text)
    except ValueError:
        return None


def _first_tokens(families: Sequence[Family]) -> float:
    """How many first tokens were counted, by the likeliest name; 0 where none is known."""
    hints = [(role_hint(family.name, family.kind), family) for family in families]
    counted = [(hint.weight, family.events) for hint, family in hints if hint and hint.words.role is Role.TTFT]
    return min(counted)[1] if counted else 0.0


def _metric(hint: RoleHint, role: Role, family: Family) -> DraftMetric:
    if hint.words.unit is not None:
        unit, unit_by = hint.words.unit, "as its role has it"
    else:
        unit, unit_by = unit_hint(family.name, parse_decimal(family.edges[-1]) if family.edges else None)
    counts = hint.words.counts if family.kind in ("histogram", "counter") else None
    role_by = f"by {hint.word!r} in its name"
    if hint.words.per_token is not None:
        if role is hint.words.per_token:
            role_by, counts = f"{role_by}, and it has counted many times what the first tokens are", "tokens"
        else:
            role_by += "; were it an observation per token, it would be tpot and count tokens"
    return DraftMetric(family, role, role_by, unit, unit_by, counts)


def _read_labels(draft: EngineDraft, page: Page) -> None:
    """How edges are written, and what the labels of the draft's metrics tell."""
    words = load_metric_words()
    texts = [text for metric in draft.metrics for text in metric.family.edges]
    if texts:
        draft.le_format = le_format_of(texts)
    labels = list(dict.fromkeys(label for metric in draft.metrics for label in metric.family.labels))
    draft.values = {label: _values(draft, page, label) for label in labels}
    draft.model_label = first_of(words.model_labels, labels)
    draft.finish_label = first_of(words.finish_labels, labels)
    for metric in draft.metrics:
        label = first_of(words.status_labels, metric.family.labels) if metric.role is Role.REQUESTS_TOTAL else None
        seen = [one.labels.get(label, "") for one in page.series.get(metric.family.name, ())] if label else []
        if label and seen and all(map(_STATUS.fullmatch, seen)):
            bad = "5" if all(len(text) == 1 for text in seen) else "5.."
            draft.availability = DraftAvailability(metric.family.name, label, bad)


def _values(draft: EngineDraft, page: Page, label: str) -> list[str]:
    own = {metric.family.name for metric in draft.metrics}
    names = [name for name in page.series if name in own or (page.is_part(name) and name.rpartition("_")[0] in own)]
    return sorted({one.labels[label] for name in names for one in page.series[name] if label in one.labels})


def le_format_of(texts: Sequence[str]) -> LeFormat:
    """How an exporter writes edges, by those it wrote; `any` where they do not tell."""
    whole = {text for text in texts if (edge := _edge(text)) is not None and edge == edge.to_integral_value()}
    if whole and all(text.endswith(".0") for text in whole):
        return LeFormat.PYTHON_FLOAT
    if not whole or any(text.endswith(".0") for text in whole):
        return LeFormat.ANY
    large = {text for text in whole if parse_decimal(text) >= 1_000_000}
    if not large:
        return LeFormat.ANY
    return LeFormat.GO if all("e" in text.lower() for text in large) else LeFormat.PLAIN


def _article(family: Family) -> str:
    return f"a {family.kind}"
