"""Flavours of rule files: what each server wants around the groups and in them; the rules are the same for all."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slo_compiler.emit.base import Context, Document
from slo_compiler.emit.serialize import Block
from slo_compiler.ir import Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import string
from slo_compiler.units import Duration

# What promtool 2.42 knows of a group.
_PLAIN_KEYS = ("name", "interval", "limit", "rules")
# Metrics that rules record.
_RECORDED = re.compile(r"\bslo:[a-z0-9_:]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
# Selectors and ranges; lists of labels; what is a metric once these are gone.
_BRACES = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
_LABELS = re.compile(r"\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)")
_METRIC = re.compile(r"(?<![\w.:])[a-zA-Z_:][\w:]*(?! *[\w:(])")
_WORDS = frozenset(("and", "or", "unless", "offset", "bool", "inf", "nan", "by", "on", "ignoring", "group_left"))
# Tiles that others are computed of at the same moment, and what reads one as it is now.
_TILES = frozenset((*names.EVENTS.values(), names.SLICE_EVENTS, names.SLICE_VALUE))
_TILE_NOW = re.compile(r'\bslo:[a-z0-9_:]+\{slo_id="(?:[^"\\]|\\.)*"\}(?!\[| offset)')
# Seconds until queries see what vmalert computed: it writes every 2s, and VictoriaMetrics shows what it was sent a second or
# two later. Twice as much is less than half a fast step.
_SEEN_AFTER = 7


@dataclass(frozen=True, slots=True)
class Flavour:
    """How a server takes rules.

    Attributes:
        document: the whole file, of its groups.
        groups: the groups as the server takes them, of those of Prometheus.
        refuses: why a spec cannot be compiled for it; empty where it can.
    """

    document: Callable[[Spec, Context, list[Document]], Document]
    groups: Callable[[Context, list[Document]], list[Document]]
    refuses: Callable[[Spec], str] = lambda spec: ""

    def file(self, spec: Spec, context: Context, groups: list[Document]) -> Document:
        """The document of a rule file."""
        return self.document(spec, context, self.groups(context, groups))


def rule_groups(document: Mapping[str, Any]) -> list[Document]:
    """The groups of a rule file of any flavour as promtool reads them: parts that are evaluated apart are one again."""
    found: dict[str, Document] = {}
    for group in document.get("spec", document).get("groups", []):
        plain = {key: group[key] for key in _PLAIN_KEYS if key in group}
        plain["name"] = " ".join(group["name"].split(" ")[:2])  # the name of an SLO holds no blank
        if plain["name"] in found:
            found[plain["name"]]["rules"] += plain["rules"]
        else:
            found[plain["name"]] = {**plain, "rules": list(plain["rules"])}
    return list(found.values())


def full_name(spec: Spec) -> str:
    """The name of a spec among all: neither part of it can hold a dot, so no two specs have the same."""
    return f"{spec.service}.{spec.name}"


def _plain(spec: Spec, context: Context, groups: list[Document]) -> Document:
    del spec, context
    return {"groups": groups}


def _operator_object(spec: Spec, context: Context, groups: list[Document]) -> Document:
    metadata: Document = {"name": full_name(spec)}
    if context.namespace:
        metadata["namespace"] = context.namespace
    if context.labels:
        metadata["labels"] = dict(context.labels)
    if context.annotations:
        metadata["annotations"] = dict(context.annotations)
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": groups},
    }


def _in_namespace(spec: Spec, context: Context, groups: list[Document]) -> Document:
    """For mimirtool, which refuses two files of one namespace."""
    return {"namespace": f"{context.ruler.namespace_prefix}{full_name(spec)}", "groups": groups}


def _as_they_are(context: Context, groups: list[Document]) -> list[Document]:
    del context
    return groups


def _delayed(context: Context, groups: list[Document]) -> list[Document]:
    offset = context.ruler.query_offset
    return [_with(group, {"query_offset": offset.promql} if offset is not None else {}) for group in groups]


def _strict(context: Context, groups: list[Document]) -> list[Document]:
    """A tile of a partial answer would stand for the whole, for as long as the period."""
    strategy = {"partial_response_strategy": context.ruler.partial_response}
    return [_with(group, strategy) for group in _delayed(context, groups)]


def _with(group: Document, added: Document) -> Document:
    """What is added stands before the rules."""
    return {**{key: value for key, value in group.items() if key != "rules"}, **added, "rules": group["rules"]}


def _apart(context: Context, groups: list[Document]) -> list[Document]:
    """Rules that read others in groups of their own, a few seconds later: vmalert hands results over after evaluation.

    With `eval_offset` a group is evaluated so long after each multiple of its interval. A window of tiles holds the same
    ones up to half a step after the last. What is computed of raw series and of a tile of the same moment cannot come
    later: the tile's own expression stands in it. `nocache` has VictoriaMetrics answer for the moment that is asked for, not
    for one 30s before.
    """
    del context
    found = []
    for group in groups:
        rules = _self_contained(group["rules"])
        parts: dict[int, list[Document]] = {}
        for rule, place in zip(rules, _places(rules), strict=True):
            parts.setdefault(place, []).append(rule)
        interval = Duration.parse(group["interval"]).whole_seconds
        # Not all SLOs at once.
        begin = zlib.crc32(group["name"].encode()) % (interval - _SEEN_AFTER * max(parts))
        for number, place in enumerate(sorted(parts)):
            name = group["name"] if number == 0 else f"{group['name']} {number + 1}"
            offset = Duration.of(begin + _SEEN_AFTER * place)
            added = {"eval_offset": offset.promql, "params": {"nocache": ["1"]}}
            found.append(_with({**group, "name": name, "rules": parts[place]}, added))
    return found


def _self_contained(rules: Sequence[Document]) -> list[Document]:
    """Rules of raw series hold the expressions of the tiles that they read."""
    tiles: dict[str, str] = {}
    found = []
    for rule in rules:
        expression, name = rule["expr"], rule.get("record")
        whole = _TILE_NOW.sub(lambda tile: tiles.get(tile[0], tile[0]), expression)
        if name in _TILES:
            tiles[f"{name}{{slo_id={string(rule['labels']['slo_id'])}}}"] = f"({whole})"
        contained = name is not None and _reads_raw(expression)
        found.append({**rule, "expr": Block(whole)} if contained else rule)
    return found


def _places(rules: Sequence[Document]) -> list[int]:
    """How many groups must be evaluated before each rule."""
    written: dict[str, int] = {}
    found = []
    for rule in rules:
        name, expression = rule.get("record"), rule["expr"]
        read = _RECORDED.findall(_QUOTED.sub("", expression))
        place = 0
        # What still is read beside raw series changes slowly: which groups are recorded.
        if name is None or not _reads_raw(expression):
            place = max((written[key] + 1 for key in read if key in written and key != name), default=0)
        if name is not None:
            written[name] = max(written.get(name, 0), place)
        found.append(place)
    return found


def _reads_raw(expression: str) -> bool:
    """Whether a metric is read that the rules do not record."""
    bare = _LABELS.sub("", _BRACES.sub("", _QUOTED.sub("", expression)))
    return any(not word.startswith("slo:") and word.lower() not in _WORDS for word in _METRIC.findall(bare))


def _masks(spec: Spec) -> str:
    """A mask is computed of raw series and decides at the same moment about tiles that are."""
    if not any(slo.exemptions for slo in spec.slos):
        return ""
    return "exemptions need results of the same moment, which vmalert hands over after the group is evaluated"


# Every flavour, by its name on the command line.
FLAVOURS: dict[str, Flavour] = {
    "prometheus": Flavour(_plain, _as_they_are),
    "prometheus-operator": Flavour(_operator_object, _as_they_are),
    "mimir": Flavour(_in_namespace, _delayed),
    "thanos": Flavour(_plain, _strict),
    "vmalert": Flavour(_plain, _apart, _masks),
}
