"""A document as it was written: its entries with their places, and the comments that belong to each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

_COMMENT = re.compile(r"(?<!\S)#[^\r\n\x85\u2028\u2029]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or an item of a list (then `key` is None)."""

    key: yaml.Node | None
    value: yaml.Node

    @property
    def name(self) -> str:
        """The key's text; empty for an item."""
        return "" if self.key is None else str(self.key.value)

    @property
    def mark(self) -> int:
        """What tells this entry from all others of its document, also where an alias repeats it."""
        return id(self.value if self.key is None else self.key)


@dataclass(slots=True)
class Comments:
    """What is said about one entry: lines above it, on its own line, and below it. An empty line is a blank one."""

    before: list[str] = field(default_factory=list)
    beside: str = ""
    after: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry begins. `parent` is the number of the entry that it lies in, or -1."""

    start: int
    column: int
    entry: Entry
    parent: int


class Source:
    """The text of one document and who its comments belong to.

    Attributes:
        start, end: the part of the text that the document's entries take; to the end of the line with `whole_lines`,
            with the dash before it with `in_list`.
        places: the entries of block style in the order of the text.
        comments: by `Entry.mark`, of those entries that have some.
        loose: comments of a document in flow style, which belong to none of its entries.
    """

    def __init__(self, text: str, root: yaml.Node, *, whole_lines: bool = True, in_list: bool = False) -> None:
        self.text = text
        self.root = root
        self.places: list[Place] = []
        self.comments: dict[int, Comments] = {}
        self.loose: list[str] = []
        self._leaves: list[tuple[int, int]] = []
        self._flows: list[tuple[int, int]] = []
        self._collect(root, -1, in_flow=False, seen=set())
        self._leaves.sort()
        self.start, self.end = self._extent(whole_lines, in_list)
        self._read_comments()

    def text_of(self, node: yaml.Node) -> str:
        """A node as it is written, without the blank lines after it."""
        return self.text[node.start_mark.index : node.end_mark.index].rstrip()

    def ancestors(self, number: int) -> Iterator[int]:
        """The numbers of the entries around an entry, from the inside, and of itself first."""
        while number >= 0:
            yield number
            number = self.places[number].parent

    def value_of(self, entry: Entry) -> str:
        """The value of a key as it is written on the key's line; empty for everything else."""
        if entry.key is None or not isinstance(entry.value, yaml.ScalarNode) or entry.value.style in ("|", ">"):
            return ""
        start, end = entry.value.start_mark, entry.value.end_mark
        return self.text_of(entry.value) if entry.key.start_mark.line == start.line == end.line else ""

    def _collect(self, node: yaml.Node, parent: int, *, in_flow: bool, seen: set[int]) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.ScalarNode):
            if node.style in ("|", ">"):
                head = self.text.find("\n", start, end)
                hash_sign = _COMMENT.search(self.text, start, head if head >= 0 else end)
                if hash_sign is not None:  # `key: |  # why`
                    self._leaves.append((start, hash_sign.start()))
                    start = hash_sign.end()
                end = start + len(self.text[start:end].rstrip())
            self._leaves.append((start, end))
            return
        assert isinstance(node, yaml.CollectionNode)
        in_flow = in_flow or bool(node.flow_style)
        if node.flow_style:
            self._flows.append((start, end))
            self._leaves += [(start, start + 1), (end - 1, end)]
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._collect(key, parent, in_flow=True, seen=seen)
                number = parent
                if not in_flow:
                    number = len(self.places)
                    mark = key.start_mark
                    self.places.append(Place(mark.index, mark.column, Entry(key, value), parent))
                self._collect(value, number, in_flow=in_flow, seen=seen)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                if id(item) in seen:
                    continue
                number = parent
                if not in_flow:
                    number = len(self.places)
                    dash = self.dash_of(item)
                    column = dash - self._line_start(dash)
                    self.places.append(Place(dash, column, Entry(None, item), parent))
                self._collect(item, number, in_flow=in_flow, seen=seen)

    def dash_of(self, item: yaml.Node) -> int:
        """The index of the dash before an item of a block list."""
        end = item.start_mark.index
        while True:
            start = self._line_start(end)
            line = _COMMENT.sub("", self.text[start:end])
            if line.strip():
                return start + max(line.rfind("-"), 0)
            if start == 0:
                return item.start_mark.index
            end = start - 1

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _extent(self, whole_lines: bool, in_list: bool) -> tuple[int, int]:
        start = self.dash_of(self.root) if in_list else self.root.start_mark.index
        if not whole_lines:
            return start, self.root.end_mark.index
        last = max((end for _, end in self._leaves), default=start)
        line_end = self.text.find("\n", last)
        line_end = len(self.text) if line_end < 0 else line_end
        return start, len(self.text[:line_end].rstrip("\r"))

    def _found_comments(self) -> Iterator[re.Match[str]]:
        """Every comment between the leaves: outside of them, a # is nothing else."""
        position = self.start
        for start, end in [*self._leaves, (self.end, self.end)]:
            if start > position:
                yield from _COMMENT.finditer(self.text, position, start)
            position = max(position, end)

    def _read_comments(self) -> None:
        """Gives each comment to an entry.

        Beside something, to the entry that begins last before it. On a line of its own, to the next entry; but where
        it is indented deeper than that one, to the end of the entry before, at the comment's own depth.
        """
        found = list(self._found_comments())
        if not self.places:
            self.loose = [match[0].rstrip() for match in found]
            return
        waiting: list[tuple[int, str, bool]] = []
        upcoming = 0
        for number, place in [*enumerate(self.places), (len(self.places), None)]:
            limit = place.start if place is not None else self.end + 1
            while upcoming < len(found) and found[upcoming].start() < limit:
                self._read_comment(found[upcoming], number - 1, waiting)
                upcoming += 1
            if place is not None:
                self._give(waiting, number)
                waiting = []
        if waiting:
            self._of(len(self.places) - 1).after += [text for _, text, _ in waiting]

    def _read_comment(self, match: re.Match[str], last: int, waiting: list[tuple[int, str, bool]]) -> None:
        text, start = match[0].rstrip(), match.start()
        line_start = self._line_start(start)
        lead = self.text[max(line_start, self.start) : start]
        if last >= 0 and any(low < start < high for low, high in self._flows):
            self._of(last).before.append(text)
        elif last >= 0 and lead.strip(" \t-"):
            own = self._of(last)
            own.beside = f"{own.beside}  {text}" if own.beside else text
        else:
            waiting.append((start - line_start, text, self._blank_before(line_start)))

    def _give(self, waiting: list[tuple[int, str, bool]], number: int) -> None:
        place = self.places[number]
        around = set(self.ancestors(place.parent))
        for column, text, blank in waiting:
            lines = ["", text] if blank else [text]
            previous = number - 1
            if column > place.column and previous >= 0 and previous not in around:
                deep = [at for at in self.ancestors(previous) if self.places[at].column <= column]
                self._of(deep[0] if deep else previous).after += lines
            else:
                self._of(number).before += lines
        if self._blank_before(self._line_start(place.start)) and not self._shares_line(number):
            self._of(number).before.append("")

    def _shares_line(self, number: int) -> bool:
        return bool(self.text[self._line_start(self.places[number].start) : self.places[number].start].strip(" \t"))

    def _blank_before(self, line_start: int) -> bool:
        if line_start <= self.start:
            return False
        return not self.text[self._line_start(line_start - 1) : line_start].strip()

    def _of(self, number: int) -> Comments:
        return self.comments.setdefault(self.places[number].entry.mark, Comments())
