"""A small parser of the PromQL that the compiler emits: every part with its place in the text, for mutation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*")|(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+)|(?P<number>[0-9]+(?:\.[0-9]+)?(?:e[0-9]+)?)"""
    r"""|(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?P<operator>=~|!~|!=|==|>=|<=|[-+*/<>=(){}\[\],]))"""
)
# From loose to tight.
_LEVELS = (("or",), ("and", "unless"), ("==", "!=", "<=", "<", ">=", ">"), ("+", "-"), ("*", "/"))
_AGGREGATIONS = frozenset(("sum", "avg", "max", "min", "count", "group"))


@dataclass(slots=True)
class Node:
    """A part of an expression: [start, end) in the text.

    Attributes:
        kind: `binary`, `call`, `selector`, `matcher`, `range`, `offset`, `modifier`, `number`, `string` or `group`.
        name: the operator, function, metric or label.
        name_at: where the name stands.
    """

    kind: str
    start: int
    end: int
    name: str = ""
    name_at: tuple[int, int] = (0, 0)
    children: list[Node] = field(default_factory=list)

    def walk(self, where: str = "") -> Iterator[tuple[Node, str]]:
        """This part and all parts of it, each with the way to it: `/ right > left sum rate x_count`."""
        own = f"{where} {self.name}".strip() if self.kind in ("selector", "call") else where
        yield self, own or "top"
        for index, child in enumerate(self.children):
            way = own
            if self.kind == "binary" and child.kind != "modifier":
                way = f"{own} {self.name} {'left' if index == 0 else 'right'}".strip()
            elif self.kind == "call" and len(self.children) > 1 and child.kind != "modifier":
                way = f"{own} {index}"
            yield from child.walk(way)


def parse(text: str) -> Node:
    """The expression as a tree.

    Raises:
        ValueError: it is none of what the compiler emits.
    """
    parser = _Parser(text)
    node = parser.binary(0)
    if parser.index < len(parser.tokens):
        raise ValueError(f"cannot read {text[parser.tokens[parser.index][2] :]!r}")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int, int]] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise ValueError(f"cannot read {text[position:]!r}")
            kind = match.lastgroup
            self.tokens.append((kind, match[kind], match.start(kind), match.end(kind)))
            position = match.end()
        self.index = 0

    def peek(self) -> str:
        return self.tokens[self.index][1] if self.index < len(self.tokens) else ""

    def take(self, expected: str = "") -> tuple[str, str, int, int]:
        token = self.tokens[self.index]
        if expected and token[1] != expected:
            raise ValueError(f"expected {expected} at {self.text[token[2] :]!r}")
        self.index += 1
        return token

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek() in _LEVELS[level]:
            operator = self.take()
            modifiers = []
            while self.peek() in ("bool", "on", "ignoring", "group_left"):
                modifiers.append(self.modifier())
            right = self.binary(level + 1)
            left = Node(
                "binary", left.start, right.end, operator[1], (operator[2], operator[3]), [left, *modifiers, right]
            )
        return left

    def modifier(self) -> Node:
        word = self.take()
        if word[1] == "bool":
            return Node("modifier", word[2], word[3], word[1], (word[2], word[3]))
        self.take("(")
        labels = []
        while self.peek() != ")":
            token = self.take()
            if token[1] != ",":
                labels.append(Node("label", token[2], token[3], token[1]))
        end = self.take(")")[3]
        return Node("modifier", word[2], end, word[1], (word[2], word[3]), labels)

    def unary(self) -> Node:
        kind, text, start, end = self.tokens[self.index]
        if text == "(":
            self.take()
            inner = self.binary(0)
            close = self.take(")")[3]
            return Node("group", start, close, children=[inner])
        if kind == "number":
            self.take()
            return Node("number", start, end, text, (start, end))
        if kind == "string":
            self.take()
            return Node("string", start, end, text, (start, end))
        if kind != "word":
            raise ValueError(f"cannot read {self.text[start:]!r}")
        self.take()
        if (text in _AGGREGATIONS and self.peek() == "by") or self.peek() == "(":
            return self.call(text, start, end)
        return self.selector(text, start, end)

    def call(self, name: str, start: int, end: int) -> Node:
        children = [self.modifier()] if self.peek() == "by" else []
        self.take("(")
        children.append(self.binary(0))
        while self.peek() == ",":
            self.take()
            children.append(self.binary(0))
        return Node("call", start, self.take(")")[3], name, (start, end), children)

    def selector(self, name: str, start: int, end: int) -> Node:
        node = Node("selector", start, end, name, (start, end))
        if self.peek() == "{":
            self.take()
            while self.peek() != "}":
                if self.peek() == ",":
                    self.take()
                label, operator, value = self.take(), self.take(), self.take()
                node.children.append(
                    Node("matcher", label[2], value[3], label[1] + operator[1] + value[1], (operator[2], operator[3]))
                )
            node.end = self.take("}")[3]
        if self.peek() == "[":
            self.take()
            _, text, where, until = self.take()
            node.children.append(Node("range", where, until, text, (where, until)))
            node.end = self.take("]")[3]
        if self.peek() == "offset":
            word = self.take()
            _, text, where, until = self.take()
            node.children.append(Node("offset", word[2], until, text, (where, until)))
            node.end = until
        return node
