"""Documents of OpenSLO's older version as those of the current one, in memory: each value at the place of the old one."""

from __future__ import annotations

from typing import Any

import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error, warning
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.load.source_map import Plain, SourceDocument
from slo_compiler.load.yaml import is_null
from slo_compiler.migrate import MIGRATIONS
from slo_compiler.migrate.fields import Fields, Notices
from slo_compiler.migrate.parts import OPENSLO, Job
from slo_compiler.migrate.tree import Field, Item, Items, Kept, Mapping, Value

_MAP, _SEQ, _STR = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))


class CurrentForms:
    """The current forms of one file's older documents."""

    def __init__(self, path: str) -> None:
        self._job = Job(Notices(path))

    def of(self, source: SourceDocument) -> tuple[list[SourceDocument], list[Diagnostic]]:
        """The documents that an older one stands for, none where something is wrong with it; and what there is to say."""
        version, kind = str(source.data["apiVersion"]), source.kind
        migrate = MIGRATIONS.get((version, kind))
        if migrate is None:
            hint = did_you_mean(kind, [known for of, known in MIGRATIONS if of == version])
            message = f"unknown kind {kind!r} of {version}" if kind else f"the kind of {version} is missing"
            return [], [error(Code.SLO203, source.value_span(("kind",)), message, hint)]
        message, hint = f"{version} is read as {OPENSLO}", f"slo-compiler migrate {source.path}"
        notice = warning(Code.SLO207, source.value_span(("apiVersion",)), message, hint)
        notices = Notices(source.path)
        self._job.notices = notices
        made = migrate(Fields(source.root, "", notices), self._job)
        if notices.failed:
            return [], [notice, *notices.diagnostics]
        return [_document(mapping, source) for mapping in made], [notice, *notices.diagnostics]


def _document(mapping: Mapping, source: SourceDocument) -> SourceDocument:
    data, node = _built(mapping, source.root)
    return SourceDocument(data, source.path, source.index, node)


def _built(value: Value, near: yaml.Node) -> tuple[Any, yaml.Node]:
    """A value as data and as a node.

    Args:
        near: what it came from, for the place of what has none of its own.
    """
    if isinstance(value, Mapping):
        pairs = [_field(field, near) for field in value.fields]
        node = yaml.MappingNode(_MAP, [(key, item) for key, _, item in pairs], near.start_mark, near.end_mark)
        return {key.value: data for key, data, _ in pairs}, node
    if isinstance(value, Items):
        items = [_built(item.value, _place(item, near)) for item in value.items]
        nodes = [item for _, item in items]
        return [data for data, _ in items], yaml.SequenceNode(_SEQ, nodes, near.start_mark, near.end_mark)
    if isinstance(value, Kept):
        text = str(value.node.value)
        if not value.as_text and is_null(value.node):
            return None, value.node
        return (text if value.style or value.as_text else Plain(text)), value.node
    return value, yaml.ScalarNode(_STR, str(value), near.start_mark, near.end_mark)


def _field(field: Field, near: yaml.Node) -> tuple[yaml.Node, Any, yaml.Node]:
    place = _place(field, near)
    origin = field.origins[0].key if field.origins else None
    at = origin if origin is not None else place
    data, node = _built(field.value, place)
    return yaml.ScalarNode(_STR, field.key, at.start_mark, at.end_mark), data, node


def _place(part: Field | Item, near: yaml.Node) -> yaml.Node:
    return part.origins[0].value if part.origins else near
