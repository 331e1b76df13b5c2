"""`groupBy` of a spec: which labels the SLOs are told apart by, and whether the series that are read carry them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.config import Config
from slo_compiler.documents.inference_slo import GroupBy
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Counters, Groups, Matcher, Selector
from slo_compiler.load.source_map import Path
from slo_compiler.promql.build import any_of
from slo_compiler.promql.build import matchers as written
from slo_compiler.promql.names import RESERVED_LABELS, reserved_labels
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.identity import label_name

_PATH: Path = ("spec", "groupBy")


class Grouping:
    """The groups of one spec; without `groupBy` there are none, and nothing is found.

    Attributes:
        groups: what the SLOs are told apart by.
        matchers: what `allow` leaves of the series that are read.
    """

    def __init__(self, document: GroupBy | None, config: Config, findings: Findings) -> None:
        self._target_labels: Collection[str] = config.prometheus.target_labels
        # Without their prefix, slo:info has them still.
        self._reserved = RESERVED_LABELS | reserved_labels(config.labels.prefix)
        self._findings = findings
        self._told: set[str] = set()
        self.groups, self.matchers = Groups(), ()
        if document is None:
            return
        labels = self._usable(document.labels)
        allow = tuple(document.allow or ())
        if allow and len(document.labels) > 1:
            message = f"allow names values of one label, and groupBy has {len(document.labels)}"
            findings.error(Code.SLO203, (*_PATH, "allow"), message, "name one label, or leave allow out")
        elif allow and labels:
            self.matchers = (Matcher(labels[0], "=~", any_of(allow)),)
        self.groups = Groups(labels, 0 if allow else document.max_groups, allow)

    matchers: tuple[Matcher, ...]

    def require(self, metric: str, engine: ResolvedEngine, carried: Iterable[str]) -> None:
        """Finds the labels that neither the engine's metric nor a target has; each is told once."""
        own = sorted(carried)
        for index, label in enumerate(self.groups.labels):
            if label in own or label in self._target_labels or label in self._told:
                continue
            self._told.add(label)
            there = [f"{metric} has {', '.join(own)}"] if own else []
            if self._target_labels:
                there.append(f"prometheus.targetLabels has {', '.join(self._target_labels)}")
            message = f"{engine.title} puts no label {label} on {metric}, and it is no target label"
            self._findings.error(Code.SLO402, (*_PATH, "labels", index), message, "; ".join(there))

    def refuse(self, labels: Mapping[str, str], path: Path) -> None:
        """Finds labels of the spec that would stand on every alert in place of the group's."""
        for key in labels:
            if label_name(key) in self.groups.labels:
                message = f"the label {key} would hide the group that an alert is about, since groupBy has it too"
                self._findings.error_at_key(
                    Code.SLO203, (*path, key), message, "remove it, or choose another name, such as owner"
                )

    def narrowed(self, matchers: Sequence[Matcher], carried: Collection[str] | None = None) -> tuple[Matcher, ...]:
        """Matchers with those of `allow` among them, sorted by label.

        Args:
            carried: labels of the series beside those of targets; without another of `groupBy`, nothing is added. None
                where any label may be there.
        """
        known = None if carried is None else {*carried, *self._target_labels}
        more = [matcher for matcher in self.matchers if known is None or matcher.label in known]
        for matcher in more:
            self._require_overlap(matcher.label, matchers)
        return tuple(sorted((*matchers, *more), key=lambda matcher: matcher.label)) if more else tuple(matchers)

    def selector(self, item: Selector) -> Selector:
        """A selector that the spec writes, for the allowed groups."""
        for matcher in self.matchers:
            self._require_overlap(matcher.label, item.matchers)
        return Selector(item.name, (*item.matchers, *self.matchers))

    def counters(self, counters: Counters) -> Counters:
        """Counters that the spec names, for the allowed groups."""
        return counters._replace(total=self.selector(counters.total), part=self.selector(counters.part))

    def _require_overlap(self, label: str, matchers: Sequence[Matcher]) -> None:
        """Finds values that other matchers of the label leave nothing of; told once."""
        others = [matcher for matcher in matchers if matcher.label == label]
        if label in self._told or any(all(_admits(item, value) for item in others) for value in self.groups.allow):
            return
        self._told.add(label)
        message = f"no series can be read: of {label} it allows no value that {written(others)} lets through"
        self._findings.error(
            Code.SLO203, (*_PATH, "allow"), message, f"allow values that {written(others)} lets through"
        )

    def _usable(self, labels: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for index, label in enumerate(labels):
            path: Path = (*_PATH, "labels", index)
            if label in self._reserved or label.startswith("__"):
                reason = "is Prometheus's own" if label.startswith("__") else "is written by the compiler"
                self._findings.error(Code.SLO203, path, f"the label {label} {reason}", "group by another label")
            elif label in found:
                self._findings.error(Code.SLO203, path, f"groupBy names {label} twice", f"remove one {label}")
            else:
                found.append(label)
        return tuple(found)


def _admits(matcher: Matcher, value: str) -> bool:
    """Whether a value may pass a matcher; what a pattern of RE2 alone means is not known."""
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    try:
        return (re.fullmatch(matcher.value, value) is not None) == (matcher.op == "=~")
    except (re.error, RecursionError, OverflowError):
        return True
