"""What a spec says of its replicas, to a target with the labels that its rules select by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.config import Config
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Histogram, Matcher, Native, Scraping, Slo, Steps
from slo_compiler.load.source_map import Path
from slo_compiler.resolve import identity
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.measure import matchers_of

if TYPE_CHECKING:
    from slo_compiler.documents.scraping import Scraping as ScrapingDocument

_WHERE: Path = ("spec", "scraping")
_NAMESPACE = "namespace"
# What Prometheus, its operator and Kubernetes write on every series.
_OF_SCRAPING = frozenset(("job", "instance", _NAMESPACE, "pod", "container", "service", "endpoint", "node"))
# The job is what a target is called: no pod carries it.
_NAMED = frozenset(("job",))


def resolve_scraping(
    spec: InferenceSLOSpec,
    slos: Sequence[Slo],
    engine: ResolvedEngine | None,
    steps: Steps,
    config: Config,
    findings: Findings,
) -> Scraping | None:
    """The target; None where the spec names none, or where it cannot be with a diagnostic.

    Other engines and counters that objectives name as their source are targets of their own, and not part of it.
    """
    asked: ScrapingDocument | None = spec.scraping
    if asked is None or engine is None:
        return None
    monitors = config.outputs.monitors
    if asked.targets is not None and monitors is not None and monitors.kind != "scrape-config":
        message = f"a {monitors.kind} finds replicas by labels, and not by targets"
        hint = "select: app=chat, or outputs: {monitors: {kind: scrape-config}}"
        findings.error(Code.SLO206, (*_WHERE, "targets"), message, hint)
        return None
    port = asked.port or (str(engine.metrics_port) if engine.metrics_port is not None else "")
    if asked.targets is None and not port:
        message = f"nothing says at which port {engine.title} shows its metrics: it has none by default"
        findings.error(Code.SLO202, _WHERE, message, "scraping: {port: metrics}")
        return None
    select = tuple(sorted(tuple(part.split("=", 1)) for part in asked.select.split(","))) if asked.select else ()
    matchers = _matchers(spec, engine)
    labels, copied = _labels(asked, matchers, findings)
    namespaces = tuple(item for item in matchers if item.label == _NAMESPACE)
    targets = tuple(sorted(set(asked.targets or ())))
    path = asked.path or engine.metrics_path
    port = "" if targets else port
    job = tuple(item for item in labels if item[0] in _NAMED)
    facts = (select, targets, namespaces, port, path, job)
    return Scraping(
        name=f"{engine.name}-{identity.digest(*facts)}",
        select=tuple((key, value) for key, value in select),
        targets=targets,
        namespaces=namespaces,
        port=port,
        path=path,
        interval=steps.scrape,
        labels=labels,
        copied=copied,
        honors=bool(engine.all_labels & (_OF_SCRAPING | dict(labels).keys() | set(copied))),
        forms=_forms(slos),
    )


def _matchers(spec: InferenceSLOSpec, engine: ResolvedEngine) -> list[Matcher]:
    """What selectors of the spec and its variants say of labels that the engine does not write itself."""
    found: dict[Matcher, None] = {}
    for selector in (spec.selector, *(variant.selector for variant in spec.variants)):
        found.update(dict.fromkeys(matchers_of(selector)))
    return sorted(item for item in found if item.label not in engine.all_labels)


def _labels(
    asked: ScrapingDocument, matchers: Sequence[Matcher], findings: Findings
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The labels that all series get, and those that each gets from its pod: where replicas of a spec differ in them."""
    given, copied = dict(asked.labels), []
    written = _OF_SCRAPING - _NAMED if asked.targets is None else {_NAMESPACE}
    for label in sorted({item.label for item in matchers} - written):
        own = [item for item in matchers if item.label == label]
        if label in given:
            _judge(label, given[label], own, findings)
        elif len(own) == 1 and own[0].op == "=":
            given[label] = own[0].value
        elif label in _NAMED or asked.targets is not None:
            said = ", ".join(f"{item.op}{item.value!r}" for item in own)
            message = f"the selector asks for a {label} {said}, and nothing says which one the replicas get"
            findings.error(Code.SLO202, _WHERE, message, f"scraping: {{labels: {{{label}: ...}}}}")
        else:
            copied.append(label)
    return tuple(sorted(given.items())), tuple(copied)


def _judge(label: str, value: str, matchers: Iterable[Matcher], findings: Findings) -> None:
    if not any(_satisfies(value, item) for item in matchers):
        message = f"the rules would not see the replicas: the selector asks for another {label} than {value!r}"
        findings.error(Code.SLO203, (*_WHERE, "labels", label), message, f"a {label} that the selector takes")


def _satisfies(value: str, matcher: Matcher) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return (re.fullmatch(matcher.value, value) is not None) == (matcher.op == "=~")


def _forms(slos: Sequence[Slo]) -> tuple[str, ...]:
    return tuple(sorted({_form(slo.measurement.native) for slo in slos if isinstance(slo.measurement, Histogram)}))


def _form(native: Native | None) -> str:
    if native is None:
        return "classic"
    return "custom-buckets" if native.schema is None else "exponential"
