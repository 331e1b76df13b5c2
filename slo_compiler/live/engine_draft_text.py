"""A draft of an engine as an `Engine` document in YAML: what was guessed says so, what is open asks to be decided."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slo_compiler.documents.engine import MetricType, Role
from slo_compiler.documents.releases import VersionRange, version_text
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.live.engine_draft import DraftMetric, EngineDraft
from slo_compiler.plain_text import visible
from slo_compiler.slis import Sli, load_slis

_WIDTH = 118
_FEW = 5
# An SLI of another kind than histograms reads all of its roles.
_HISTOGRAM = "histogram"
SUMMARY_REFUSED = (
    "a summary: its quantiles are computed in one process and cannot be added up over replicas, nor read at a threshold"
)


def draft_text(draft: EngineDraft, name: str, version: str | None, digest: str) -> str:
    """The document.

    Args:
        name: of the engine, a DNS label.
        version: the release that the page is of, `1.2.3` or `b10434`; None tells no releases apart.
        digest: hexadecimal, of the page.
    """
    return "\n".join(_lines(draft, name, version, digest)) + "\n"


def _lines(draft: EngineDraft, name: str, version: str | None, digest: str) -> Iterator[str]:
    yield from _comment(
        "Drafted from a metrics page. Names, types, labels and edges are as on the page; a line after # says what is a "
        "guess. Check each against the program's source or its documentation, and delete what you checked."
    )
    yield from _yaml({"apiVersion": "slo-compiler/v1", "kind": "Engine", "metadata": {"name": name}})
    yield "spec:"
    yield from _indent(_head(draft, version), 2)
    yield from _indent(_decide(draft), 2)
    yield from _indent(_facts(draft, version, digest), 2)
    yield from _indent(_undecided(draft), 2)


def _head(draft: EngineDraft, version: str | None) -> Iterator[str]:
    if version is None:
        yield from _comment("No release was named: what is here holds for all of them.")
    else:
        oldest = VersionRange.of_release(version)
        release = version_text(oldest.low) if oldest is not None and oldest.low is not None else version
        minor = release.rpartition(".")[0] or release
        yield from _yaml({"versions": {"oldest": release, "newest": release, "known": [minor]}})
    if draft.le_format is not None:
        yield from _comment("Guessed from the edges on the page.")
        yield from _yaml({"leFormat": draft.le_format.value})
    for key, label, what in (
        ("modelLabel", draft.model_label, "the served model's name"),
        ("finishLabel", draft.finish_label, "how a request ended"),
    ):
        if label is None:
            yield from _comment(f"{key}: no label of these metrics looks like {what}.")
        else:
            yield from _comment(f"Guessed by the label's name; its values are {_seen(draft, label)}.")
            yield from _yaml({key: label})
    if draft.availability is not None:
        view = draft.availability
        yield from _comment(
            f"Guessed: answers of the server's own fault are bad; the values of {view.label} are "
            f"{_seen(draft, view.label)}. Which paths and methods are counted was not looked at."
        )
        yield from _yaml({"availability": {"total": view.total, "bad": {view.label: view.bad}}})


def _decide(draft: EngineDraft) -> Iterator[str]:
    yield from _comment(
        "To decide: is this a gateway, where requests that fail before they reach a model are counted? Then boundary: true."
    )
    yield from _comment(
        "To decide: which parts of a latency budget do its latencies include? Then sees: [queue, prefill], or gateway, too."
    )
    yield from _comment(
        "To decide: in which counter is a request that the client leaves, an error after the answer began, and what a killed "
        "process had not shown yet? What is in none of them belongs into blindSpots, in sentences."
    )
    lacking = {sli.name: text for sli in load_slis().values() if (text := _lack(sli, draft))}
    if lacking:
        yield from _yaml({"lacks": lacking})


def _lack(sli: Sli, draft: EngineDraft) -> str:
    if sli.name == "availability":
        seen = draft.availability is not None
        return "" if seen else "no counter on its page told failed requests from others by a status"
    if not sli.roles:
        return ""
    readable = {metric.role for metric in draft.metrics if _is_read(metric)}
    missing = [role for role in sli.roles if role not in readable]
    if len(missing) < len(sli.roles) and (sli.kind == _HISTOGRAM or not missing):
        return ""
    what = " or ".join(missing) if sli.kind == _HISTOGRAM else " and ".join(missing)
    return f"no metric on its page looked like {what}"


def _is_read(metric: DraftMetric) -> bool:
    return metric.family.kind != MetricType.SUMMARY


def _facts(draft: EngineDraft, version: str | None, digest: str) -> Iterator[str]:
    yield from _yaml({"source": f"one page of it, sha256 {digest}"})
    if version is None:
        yield from _comment("Without a release, the beginning of the page's own sha256 stands for it.")
    yield from _yaml({"verifiedAt": [version or digest[:12]]})
    label_sets = _sets(draft, [metric.family.labels for metric in draft.metrics])
    bucket_sets = _sets(draft, [metric.family.edges for metric in draft.metrics])
    bucket_sets.pop((), None)
    yield from _yaml({"labelSets": {name: list(labels) for labels, name in label_sets.items()}})
    if bucket_sets:
        yield "bucketSets:"
    for edges, name in bucket_sets.items():
        yield f"  {name}:"
        # Each of these texts was read as a number.
        lines = textwrap.wrap(f"- {{edges: [{', '.join(edges)}]}}", _WIDTH - 4, subsequent_indent="    ")
        yield from _indent(lines, 4)
    yield "metrics:"
    for metric in draft.metrics:
        yield from _indent(_metric(metric, label_sets, bucket_sets), 2)


def _sets(draft: EngineDraft, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Each different set once, called after the first role that has it."""
    found: dict[tuple[str, ...], str] = {}
    for metric, key in zip(draft.metrics, keys, strict=True):
        found.setdefault(key, metric.role.value if key else "none")
    return found


def _metric(
    metric: DraftMetric, label_sets: Mapping[tuple[str, ...], str], bucket_sets: Mapping[tuple[str, ...], str]
) -> Iterator[str]:
    family = metric.family
    yield from _comment(f"Guessed: {metric.role.value} {metric.role_by}; {metric.unit.value}: {metric.unit_by}.")
    entry: dict[str, Any] = {
        "role": metric.role.value,
        "name": family.name,
        "type": family.kind,
        "unit": metric.unit.value,
        **({"counts": metric.counts} if metric.counts is not None else {}),
        "labels": label_sets[family.labels],
        **({"buckets": bucket_sets[family.edges]} if family.kind == MetricType.HISTOGRAM else {}),
        **({"refused": SUMMARY_REFUSED} if family.kind == MetricType.SUMMARY else {}),
    }
    yield from _yaml([entry])


def _undecided(draft: EngineDraft) -> Iterator[str]:
    if not draft.undecided:
        return
    yield from _comment(
        f"To decide: {len(draft.undecided)} more on the page. What an SLI should read needs an entry above with a role "
        f"({', '.join(role.value for role in Role)}); the others need nothing."
    )
    for name, why in draft.undecided:
        summary = f"; {SUMMARY_REFUSED}" if why.startswith("a summary") else ""
        yield from _comment(f"{name}: {why}{summary}", first="- ")


def _seen(draft: EngineDraft, label: str) -> str:
    values = draft.values.get(label, ())
    more = f" and {len(values) - _FEW} more" if len(values) > _FEW else ""
    return ", ".join(map(repr, values[:_FEW])) + more


def _comment(text: str, first: str = "") -> Iterator[str]:
    """Lines of comment, whatever the page has put into the text."""
    shown = visible(" ".join(text.split()))
    room = _WIDTH - 4
    yield from (
        f"# {line}" for line in textwrap.wrap(shown, room, initial_indent=first, subsequent_indent=" " * len(first))
    )


def _yaml(document: Any) -> list[str]:
    return to_yaml(document).splitlines()


def _indent(lines: Iterator[str] | Sequence[str], spaces: int) -> Iterator[str]:
    return (f"{' ' * spaces}{line}" for line in lines)
