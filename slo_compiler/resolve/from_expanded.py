"""OpenSLO SLOs that carry the facts of an `InferenceSLO` as annotations, back to that and to the resolved form.

An SLO with `slo-compiler/sli` is one objective. Those of one `slo-compiler/inference-slo` and service are one spec;
without that annotation an SLO is a spec of its own. What OpenSLO has fields for (service, target, period, queries) is
taken from there; a query that says something else than the annotations is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents import facts
from slo_compiler.documents.base import Model
from slo_compiler.documents.inference_slo import InferenceSLO, InferenceSLOSpec, Objective
from slo_compiler.documents.read import read_model
from slo_compiler.ir import Slo, Spec
from slo_compiler.load.source_map import Path, Plain, SourceDocument
from slo_compiler.promql.portable import ratio_queries
from slo_compiler.promql.selectors import normalise_query
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.expanded_part import Part
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.from_inference import ANNOTATIONS, Identity, resolve_inference
from slo_compiler.units import Duration, parse_percent, percent_text

# Annotations of the document that are one SLO's own, beside those of its objective.
_OF_ONE = frozenset((facts.OBJECTIVE, facts.VARIANT, facts.VARIANT_SELECTOR, "id"))
_SHORTHAND = {"m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "Q": 7776000, "Y": 31536000}


def resolve_parts(parts: Sequence[Part], environment: Environment) -> Iterator[tuple[Spec | None, list[Diagnostic]]]:
    """Every spec that the parts make up, or None where it cannot be; and every finding on the way."""
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.service, part.spec_name), []).append(part)
    for members in groups.values():
        yield _Group(members, environment).run()


class _Group:
    """The parts of one spec."""

    def __init__(self, parts: Sequence[Part], environment: Environment) -> None:
        self.parts = parts
        self.environment = environment
        self.found: list[Diagnostic] = []
        self.tree = _Tree(parts[0].source)
        self.given: dict[tuple[str, int], Identity] = {}
        # Variant and number of the objective -> the part that it came from.
        self.places: dict[tuple[str, int], Part] = {}
        self.variants: dict[str, int] = {}

    def run(self) -> tuple[Spec | None, list[Diagnostic]]:
        self._head()
        for part in self.parts:
            self._part(part)
        if self.found:
            return None, self.found
        source = self.tree.document()
        document, faults = read_model(InferenceSLO, source)
        if not isinstance(document, InferenceSLO):
            return None, faults
        spec, found = resolve_inference(document, source, self.environment, self.given)
        if spec is not None:
            for part in self.places.values():
                found += self._differences(part, spec)
        return spec, found

    def _head(self) -> None:
        """What the spec says of itself; every part must say the same."""
        first = self.parts[0]
        self.tree.set(("apiVersion",), Plain("slo-compiler/v1"), ("apiVersion",))
        self.tree.set(("kind",), Plain("InferenceSLO"), ("kind",))
        where: Path = ("metadata", "annotations", f"{facts.PREFIX}{facts.NAME}")
        self.tree.set(("metadata", "name"), first.spec_name, where)
        self.tree.set(("spec", "service"), first.service, ("spec", "service"))
        description = first.source.data["spec"].get("description")
        if description is not None:
            self.tree.set(("spec", "description"), description, ("spec", "description"))
        self._period(first)
        labels = first.source.data["metadata"].get("labels") or {}
        for key, value in labels.items():
            text = value[0] if isinstance(value, list) and len(value) == 1 else value
            if key not in facts.GROUPING_LABELS and isinstance(text, str):
                self.tree.set(("metadata", "labels", key), text, ("metadata", "labels", key))
        for key, value in (first.source.data["metadata"].get("annotations") or {}).items():
            if not key.startswith(facts.PREFIX) and isinstance(value, str):
                self.tree.set(("metadata", "annotations", key), value, ("metadata", "annotations", key))
        shared = self._shared(first)
        for part in self.parts[1:]:
            self._compare(shared, self._shared(part), part)

    def _period(self, part: Part) -> None:
        window = part.source.data["spec"].get("timeWindow")
        if not (isinstance(window, list) and window and isinstance(window[0], dict)):
            return
        text = str(window[0].get("duration"))
        if text[-1:] in _SHORTHAND and text[:-1].isdecimal():
            text = str(Duration(Decimal(int(text[:-1]) * _SHORTHAND[text[-1]])))
        path: Path = ("spec", "timeWindow", 0)
        self.tree.set((*path, "duration"), text, (*path, "duration"))
        rolling = window[0].get("isRolling")
        self.tree.set((*path, "isRolling"), "false" if rolling is None else rolling, (*path, "isRolling"))

    def _shared(self, part: Part) -> dict[str, str]:
        return {
            key: value
            for key, value in part.annotations.items()
            if key not in _OF_ONE and facts.path_of(key, Objective) is None and not key.startswith(facts.INFORMATION)
        }

    def _compare(self, expected: dict[str, str], given: dict[str, str], part: Part) -> None:
        findings = Findings(part.source)
        first = self.parts[0].source.value_span(("metadata", "name"))
        for key in sorted({*expected, *given}):
            if expected.get(key) != given.get(key):
                name = f"{facts.PREFIX}{key}"
                message = (
                    f"{name} differs from {self.parts[0].source.name} ({first.path}:{first.line}) of the same spec"
                )
                path: Path = ("metadata", "annotations", name) if key in given else ("metadata", "annotations")
                wanted = expected.get(key)
                hint = f"{name}: {wanted}" if wanted is not None else f"remove {name}"
                findings.error(Code.SLO203, path, message, hint)
        self.found += findings.diagnostics

    def _part(self, part: Part) -> None:
        findings = Findings(part.source)
        own = part.annotations
        variant = own.get(facts.VARIANT, "")
        base = self._base(variant, part, findings)
        number = sum(1 for of, _ in self.places if of == variant)
        self.places[variant, number] = part
        self.given[variant, number] = Identity(part.source.name, own.get("id"))
        objective: Path = (*base, "objectives", number)
        for key, value in own.items():
            self._fact(key, value, part, objective, findings)
        self._target(part, objective, findings)
        self.found += findings.diagnostics

    def _base(self, variant: str, part: Part, findings: Findings) -> Path:
        if not variant:
            return ("spec",)
        number = self.variants.setdefault(variant, len(self.variants))
        base: Path = ("spec", "variants", number)
        where: Path = ("metadata", "annotations", f"{facts.PREFIX}{facts.VARIANT}")
        self.tree.set((*base, "name"), variant, where, part.source)
        selector = part.annotations.get(facts.VARIANT_SELECTOR, "{}")
        where = ("metadata", "annotations", f"{facts.PREFIX}{facts.VARIANT_SELECTOR}")
        self._selector((*base, "selector"), selector, where, part, findings)
        return base

    def _fact(self, key: str, value: str, part: Part, objective: Path, findings: Findings) -> None:
        """One annotation to its place in the tree."""
        where: Path = ("metadata", "annotations", f"{facts.PREFIX}{key}")
        if key in (facts.NAME, facts.VARIANT, facts.VARIANT_SELECTOR, "id") or key.startswith(facts.INFORMATION):
            return
        if key == facts.OBJECTIVE:
            self.tree.set((*objective, "name"), value, where, part.source)
        elif key == "display-name":
            self.tree.set(("metadata", "displayName"), value, where, part.source)
        elif key in ANNOTATIONS:
            self.tree.set(("metadata", "annotations", f"{facts.PREFIX}{key}"), value, where, part.source)
        elif key.startswith(facts.LABEL):
            label = key.removeprefix(facts.LABEL)
            self.tree.set(("metadata", "labels", label), value, where, part.source)
        elif (path := facts.path_of(key, Objective)) is not None and key != "name":
            self._set((*objective, *path), path, Objective, value, where, part, findings)
        elif (path := facts.path_of(key, InferenceSLOSpec)) is not None:
            self._set(("spec", *path), path, InferenceSLOSpec, value, where, part, findings)
        else:
            hint = did_you_mean(key, [*facts.known_keys(), *ANNOTATIONS])
            findings.error_at_key(Code.SLO201, where, f"unknown annotation {facts.PREFIX}{key}", hint)

    def _set(
        self, place: Path, path: Path, model: type[Model], value: str, where: Path, part: Part, findings: Findings
    ) -> None:
        if facts.is_selector(path, model):
            self._selector(place, value, where, part, findings)
        else:
            self.tree.set(place, value, where, part.source)

    def _selector(self, place: Path, text: str, where: Path, part: Part, findings: Findings) -> None:
        try:
            self.tree.set(place, facts.selector_of(text), where, part.source)
        except ValueError as fault:
            message, _, hint = str(fault).partition("; ")
            findings.error(Code.SLO203, where, message, hint)

    def _target(self, part: Part, objective: Path, findings: Findings) -> None:
        """The target is the document's own; an annotation that says another is a finding."""
        body = part.source.data["spec"]["objectives"]
        path: Path = ("spec", "objectives", 0)
        if not isinstance(body, list) or len(body) != 1:
            message = f"an SLO of sli {part.annotations['sli']} has one objective"
            findings.error(Code.SLO203, ("spec", "objectives"), message, "write an SLO per objective")
            return
        field = "targetPercent" if body[0].get("target") is None else "target"
        try:
            number = Decimal(str(body[0][field]))
        except (ArithmeticError, KeyError):
            return  # the model of the document has said so
        target = number / 100 if field == "targetPercent" else number
        own = part.annotations.get("target")
        if own is not None and not _says(own, target):
            message = f"{field} {number} is not the {own} of the annotation {facts.PREFIX}target"
            findings.error(Code.SLO203, (*path, field), message, f"target: {target}, and the annotation alike")
        self.tree.set((*objective, "target"), percent_text(target), (*path, field), part.source)

    def _differences(self, part: Part, spec: Spec) -> list[Diagnostic]:
        """A query of the document that is not what its facts give."""
        findings = Findings(part.source)
        slo = next((item for item in spec.slos if item.name == part.source.name), None)
        if slo is not None:
            self._compare_queries(part, slo, findings)
        return findings.diagnostics

    def _compare_queries(self, part: Part, slo: Slo, findings: Findings) -> None:
        wanted = ratio_queries(slo.measurement)
        ratio, source, path = self._ratio(part)
        if wanted is None or ratio is None:
            return
        where = findings if source is part.source else Findings(source)
        for side, query in ((wanted.part_is, wanted.part), ("total", wanted.total)):
            metric = ratio.get(side)
            given = _query_of(metric)
            place: Path = (*path, side, "metricSource", "spec", "query")
            if given is not None and normalise_query(given) != normalise_query(query):
                message = f"the query of {side} is not what sli {slo.sli} of {part.source.name} reads"
                where.error(Code.SLO203, place, message, f"query: {query}")
        if where is not findings:
            findings.diagnostics += where.diagnostics

    def _ratio(self, part: Part) -> tuple[dict[str, Any] | None, SourceDocument, Path]:
        """The ratio of the document's indicator, inline or by reference, and where it stands."""
        body = part.source.data["spec"]
        source, path = part.source, ("spec", "indicator", "spec", "ratioMetric")
        reference = body.get("indicatorRef")
        if isinstance(reference, str):
            found = self.environment.definitions.find("SLI", reference)
            if found is None:
                return None, source, path
            source, path, body = found.source, ("spec", "ratioMetric"), found.source.data  # type: ignore[assignment]
        data: Any = body if source is not part.source else part.source.data
        for key in path:
            data = data.get(key) if isinstance(data, dict) else None
        return data if isinstance(data, dict) else None, source, path


def _query_of(metric: Any) -> str | None:
    for key in ("metricSource", "spec"):
        metric = metric.get(key) if isinstance(metric, dict) else None
    query = metric.get("query") or metric.get("promql") if isinstance(metric, dict) else None
    return query if isinstance(query, str) else None


class _Tree:
    """Data that is put together from several documents, with the nodes that each value came from."""

    def __init__(self, first: SourceDocument) -> None:
        self._first = first
        self._root: dict[str | int, Any] = {}
        self._elsewhere: dict[int, str] = {}

    def set(self, path: Path, value: Any, where: Path, source: SourceDocument | None = None) -> None:
        """Puts a value at a path, as it stands at `where` in a document (by default the first)."""
        source = source or self._first
        node, key = source.node(where)
        self._elsewhere.update({id(item): source.path for item in (node, key) if item is not None})
        branch = self._root
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                return
        branch[path[-1]] = _Leaf(value, node, key)

    def document(self) -> SourceDocument:
        """All of it as one document."""
        data, node = self._built(self._root)
        return SourceDocument(data, self._first.path, self._first.index, node, self._elsewhere)

    def _built(self, value: Any) -> tuple[Any, yaml.Node]:
        if isinstance(value, _Leaf):
            return value.value, value.node
        home = self._first.node(("metadata", "annotations"))[0]
        if value and all(isinstance(key, int) for key in value):
            items = [self._built(value[key]) for key in sorted(value)]
            nodes = [node for _, node in items]
            return [item for item, _ in items], yaml.SequenceNode("", nodes, home.start_mark, home.end_mark)
        data, pairs = {}, []
        for key, item in value.items():
            data[str(key)], node = self._built(item)
            named = item.key if isinstance(item, _Leaf) and item.key is not None else node
            key_node = yaml.ScalarNode("", str(key), named.start_mark, named.end_mark)
            self._elsewhere[id(key_node)] = self._elsewhere.get(id(named), self._first.path)
            pairs.append((key_node, node))
        return data, yaml.MappingNode("", pairs, home.start_mark, home.end_mark)


class _Leaf(NamedTuple):
    value: Any
    node: yaml.Node
    key: yaml.Node | None


def _says(text: str, share: Decimal) -> bool:
    """Whether a text is that share as a percentage, however it is spelt."""
    try:
        return parse_percent(text) == share
    except ValueError:
        return False
