"""What every migration makes the same way: documents, names, labels, texts, and the sides of a ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.metadata import DNS_LABEL, check_label_key, slug
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields, Notices
from slo_compiler.migrate.source import Entry
from slo_compiler.migrate.tree import Field, Items, Kept, Mapping, Value, copy
from slo_compiler.promql.selectors import NotASelector, has_placeholder, normalise_query, query_yields
from slo_compiler.resolve.identity import PREFIX, alert_label

_LONGEST_NAME = 63
_LONGEST_DESCRIPTION = 1050
OPENSLO = "openslo/v1"
QUERY_YIELDS = f"{PREFIX}query-yields"


@dataclass(slots=True)
class Job:
    """The migration of one file: what it says, and the names that it has given away."""

    notices: Notices
    _names: set[tuple[str, str]] = field(default_factory=set)

    def name(self, entry: Entry, path: str, suffix: str = "") -> Value | None:
        """A name as a DNS-1123 label, with `-suffix` where one is given; None, with an error, where nothing is left."""
        text = str(entry.value.value)
        base = text if _is_label(text) else slug(text)
        if not base:
            hint = "use lower-case letters, digits and dashes"
            self.notices.error(Code.SLO601, entry.value, f"{path}: {text!r} holds nothing that a name may hold", hint)
            return None
        if base != text:
            message = f"{path}: {text!r} is no DNS label, and becomes {base}"
            self.notices.notice(entry.value, message, f"write {base} wherever the name is used")
        if suffix:
            base = f"{base[: _LONGEST_NAME - 1 - len(suffix)].rstrip('-')}-{suffix}"
        return Kept(entry.value) if base == text else base

    def own_name(self, entry: Entry, path: str, service: str, suffix: str = "") -> Value | None:
        """The name of an SLO, told apart by a number from those of the same service in the file."""
        value = self.name(entry, path, suffix)
        if value is None:
            return None
        text = text_of(value)
        free, number = text, 2
        while (service, free) in self._names:
            free, number = f"{text[: _LONGEST_NAME - 1 - len(str(number))].rstrip('-')}-{number}", number + 1
        self._names.add((service, free))
        if free == text:
            return value
        message = f"{path}: {text} is taken by another SLO of {service} in this file, and becomes {free}"
        self.notices.notice(entry.value, message, "give it a name of its own")
        return free

    def description(self, fields: Fields) -> Value | None:
        """A description, unless it is longer than OpenSLO allows."""
        entry = fields.text("description")
        if entry is None:
            return None
        length = len(str(entry.value.value))
        if length <= _LONGEST_DESCRIPTION:
            return Kept(entry.value)
        message = (
            f"{fields.path('description')} is not carried over: {length} characters, {_LONGEST_DESCRIPTION} are allowed"
        )
        self.notices.notice(entry.value, message, "shorten it")
        return None

    def display_name(self, fields: Fields) -> Value | None:
        """A display name, unless it is longer than a title may be."""
        entry = fields.text("displayName")
        if entry is None:
            return None
        length = len(str(entry.value.value))
        if length <= _LONGEST_NAME:
            return Kept(entry.value)
        message = f"{fields.path('displayName')} is not carried over: {length} characters, {_LONGEST_NAME} are allowed"
        self.notices.notice(entry.value, message, "shorten it")
        return None

    def labels(self, groups: Sequence[Fields | None], other_prefix: str) -> Mapping:
        """Labels of several levels as one, the later level before the earlier one.

        Args:
            other_prefix: is put before a name that the compiler writes itself, as in `sloth_tier`.
        """
        found: dict[str, Field] = {}
        taken: dict[str, str] = {}
        for group in groups:
            for key, entry in (group.entries if group is not None else {}).items():
                assert group is not None
                name = self._label_name(key, entry, group, other_prefix, {} if key in found else taken)
                if name is None:
                    continue
                before = found.get(name)
                found[name] = Field(name, _label_value(entry), (*(before.origins if before else ()), entry))
                taken.setdefault(alert_label(name, {})[0], name)
        return Mapping(list(found.values()))

    def _label_name(self, key: str, entry: Entry, group: Fields, prefix: str, taken: dict[str, str]) -> str | None:
        node = entry.key or entry.value
        renamed = f"{prefix}{key}"
        _, message, hint = alert_label(key, {name: other for name, other in taken.items() if other != key})
        if message.endswith("is written by the compiler") and renamed not in group.entries:
            self.notices.notice(
                node,
                f"{group.path(key)}: the label {key} is written by the compiler; carried as {renamed}",
                f"use {renamed}",
            )
            return renamed
        try:
            check_label_key(key)
        except ValueError as fault:
            message, _, hint = str(fault).partition("; ")
        if not message and isinstance(entry.value, yaml.MappingNode):
            message, hint = "a label's value is text", "write one value"
        if message:
            self.notices.notice(node, f"{group.path(key)} is not carried over: {message}", hint)
            return None
        return key

    def annotations(self, fields: Fields | None) -> Mapping:
        """Annotations as they are; their values become text."""
        found = Mapping()
        for key, entry in (fields.entries if fields is not None else {}).items():
            assert fields is not None
            if fields.text(key) is not None:
                found.put(key, Kept(entry.value), entry)
        return found

    def yields(self, part: Entry | str, total: Entry | str, at: Entry) -> str | None:
        """What both queries yield, where the compiler cannot tell from the text: the value of an annotation.

        Only the quotient matters to Sloth. What sums samples over the window grows with it, as events do.
        """
        found = []
        for query in (part, total):
            text = query if isinstance(query, str) else str(query.value.value)
            try:
                found.append(query_yields(normalise_query(text)))
            except NotASelector as fault:
                node = at.value if isinstance(query, str) else query.value
                self.notices.error(Code.SLO203, node, str(fault), "sum(rate(requests_total[{{.window}}]))")
                return None
        if None not in found:
            return None
        known = [kind for kind in found if kind is not None]
        answer = known[0] if known else "increase"
        message = f"it cannot be told whether the queries yield events or events per second; read as {answer}"
        self.notices.notice(
            at.value, message, f"where that is wrong: {QUERY_YIELDS}: {'rate' if answer != 'rate' else 'increase'}"
        )
        return answer


def text_of(value: Value) -> str:
    """The text of a scalar of a new document."""
    return str(value.node.value) if isinstance(value, Kept) else str(value)


def document(api_version: str, kind: str, metadata: Mapping, spec: Mapping, *origins: Entry) -> Mapping:
    """A document with its keys in the order that everybody uses."""
    made = Mapping()
    made.put("apiVersion", Plain(api_version), *origins)
    made.put("kind", Plain(kind))
    made.fields += [Field("metadata", metadata), Field("spec", spec)]
    return made


def has_window(entry: Entry) -> bool:
    """Whether a query says where its window goes."""
    return has_placeholder(normalise_query(str(entry.value.value)))


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and DNS_LABEL.fullmatch(text) is not None


def _label_value(entry: Entry) -> Value:
    if isinstance(entry.value, yaml.SequenceNode):
        if len(entry.value.value) == 1 and isinstance(entry.value.value[0], yaml.ScalarNode):
            return Kept(entry.value.value[0])  # the same to OpenSLO
        listed = copy(entry.value)
        assert isinstance(listed, Items)
        return listed
    return Kept(entry.value)
