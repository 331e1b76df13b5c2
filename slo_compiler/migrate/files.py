"""One file with old documents to the same file with new ones; what is not old keeps its bytes."""

from __future__ import annotations

import codecs
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, has_errors
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.load.source_map import SourceDocument
from slo_compiler.load.yaml import load_bytes
from slo_compiler.migrate import MIGRATIONS, Migration
from slo_compiler.migrate.fields import Fields, Notices
from slo_compiler.migrate.layout import Layout
from slo_compiler.migrate.parts import Job
from slo_compiler.migrate.source import Source
from slo_compiler.migrate.tree import Mapping


@dataclass(slots=True)
class Migrated:
    """A file before and after.

    Attributes:
        after: equals `before` where nothing is old, and where something is wrong.
        lines: the file as it was, for showing findings.
    """

    path: str
    before: bytes
    after: bytes
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lines: Sequence[str] = ()

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return self.before != self.after

    @property
    def failed(self) -> bool:
        """Whether something is wrong, so that nothing of the file is written."""
        return has_errors(self.diagnostics)


def migrate_bytes(content: bytes, path: str) -> Migrated:
    """Migrates the old documents of a file; never raises for what it holds."""
    loaded = load_bytes(content, path)
    result = Migrated(path, content, content, loaded.diagnostics, loaded.lines)
    if has_errors(loaded.diagnostics):
        return result
    notices = Notices(path)
    job = Job(notices)
    text = content.decode("utf-8-sig")
    is_json = path.endswith(".json")
    replaced: list[tuple[int, int, str]] = []
    for document in loaded.documents:
        migrate = _migration(document, notices)
        if migrate is None:
            continue
        made = migrate(Fields(document.root, "", notices), job)
        if not notices.failed:
            replaced.append(_replacement(text, document, made, is_json=is_json))
    result.diagnostics = sorted(notices.diagnostics, key=lambda diagnostic: diagnostic.sort_key)
    if notices.failed:
        return result
    newline = "\r\n" if "\r\n" in text else "\n"
    for start, end, new in reversed(replaced):
        text = text[:start] + new.replace("\n", newline) + text[end:]
    if replaced and not text.endswith("\n"):
        text += newline
    if replaced:
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        result.after = mark + text.encode("utf-8")
    return result


def _migration(document: SourceDocument, notices: Notices) -> Migration | None:
    data: Any = document.data
    if not isinstance(data, dict):
        return None
    version = data.get("apiVersion", data.get("version"))
    kind = data.get("kind", "")
    if not isinstance(version, str) or not isinstance(kind, str):
        return None
    found = MIGRATIONS.get((str(version), str(kind)))
    kinds = [of for known, of in MIGRATIONS if known == version]
    if found is None and kinds and any(kinds):
        node = next((value for key, value in document.root.value if key.value == "kind"), document.root)
        message = f"kind {kind} of {version} cannot be migrated" if kind else f"kind of {version} is missing"
        notices.error(Code.SLO203, node, message, did_you_mean(kind, kinds))
    return found


def _replacement(
    text: str, document: SourceDocument, made: Sequence[Mapping], *, is_json: bool
) -> tuple[int, int, str]:
    """Which part of the text is replaced, and by what."""
    root, around = document.root, document.listed_in
    if is_json or (around is not None and around.flow_style):
        source = Source(text, root, whole_lines=False)
        lead = _blanks_before(text, source.start)
        texts = Layout(source, made).json()
        if around is None and len(texts) > 1:
            texts = ["[\n" + textwrap.indent(",\n".join(texts), "  ") + "\n]"]
        return source.start, source.end, ",\n".join(texts).replace("\n", f"\n{lead}")
    if around is not None:
        source = Source(text, root, in_list=True)
        indent = " " * (source.start - text.rfind("\n", 0, source.start) - 1)
        return source.start, source.end, "\n".join(Layout(source, made).yaml_items(indent)).removeprefix(indent)
    source = Source(text, root)
    start = text.rfind("\n", 0, source.start) + 1
    new = "\n".join(Layout(source, made).yaml())
    if text[start : source.start].strip():  # `--- {...}` on one line
        return source.start, source.end, f"\n{new}"
    return start, source.end, new


def _blanks_before(text: str, index: int) -> str:
    start = text.rfind("\n", 0, index) + 1
    line = text[start:index]
    return line[: len(line) - len(line.lstrip(" \t"))]
