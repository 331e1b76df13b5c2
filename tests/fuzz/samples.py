"""Random data that a JSON Schema describes: the schemas come from the models, so that a new field is drawn by itself."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

Schema = Mapping[str, Any]
_MOST_DRAWS = 100
_MOST_REPEATS = 6
_DEEPEST = 14
# Reserved for what pools and patterns do not know: a text that any reader takes for text.
_WORDS = ("alpha", "bravo", "carbon", "delta", "ember", "fjord", "gamma", "harbour", "iris", "jade")


class Free(str):
    """A text of which the schema says nothing but that it is one: whatever stands here must not act."""

    __slots__ = ()


class Sampler:
    """Draws values of one kind of document.

    Args:
        pools: by the name of a field, texts that mean something there; a value that is no text is drawn as it is.
        density: how many of the optional fields are given, 0 to 1.
    """

    def __init__(self, random: Random, schema: Schema, pools: Mapping[str, Sequence[Any]], density: float) -> None:
        self.random = random
        self.definitions: Mapping[str, Schema] = schema.get("$defs", {})
        self.pools = pools
        self.density = density
        self._drawn = 0

    def value(self, schema: Schema, field: str = "", depth: int = 0) -> Any:
        """A value of a schema, by the pool of its field where there is one."""
        if "$ref" in schema:
            return self.value(self.definitions[schema["$ref"].rpartition("/")[2]], field, depth)
        if field in self.pools and "properties" not in schema and self.random.random() < 0.9:
            return self.random.choice(self.pools[field])
        for choice in ("anyOf", "oneOf"):
            if choice in schema and "properties" not in schema:
                return self._alternative(schema[choice], field, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        return self._typed(schema, field, depth)

    def _alternative(self, members: Sequence[Schema], field: str, depth: int) -> Any:
        members = [member for member in members if member.get("type") != "null"] or members
        return self.value(self.random.choice(members), field, depth)

    def _typed(self, schema: Schema, field: str, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            number = self._number(schema, whole=False)
            return number if self.random.random() < 0.5 else str(number)
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, field, depth)
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind == "string":
            return self._text(schema)
        return self.random.choice([{}, {"key": Free("value")}, Free("value"), 3])  # anything goes

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        form = self._form(schema)
        needed = [*schema.get("required", ()), *form.required]
        if schema.get("maxProperties") == 1:
            needed = [self.random.choice(list(properties))]
            properties = {name: properties[name] for name in needed}
        found: dict[str, Any] = {}
        for name, inner in properties.items():
            if name in form.excluded:
                continue
            if name in form.fixed:
                found[name] = form.fixed[name]
            elif name in needed or (depth < _DEEPEST and self.random.random() < self.density):
                found[name] = self.value(inner, name, depth + 1)
        entries = self._entries(schema)
        for _ in range(self._count(schema, "minProperties", "maxProperties") if entries is not None else 0):
            assert entries is not None
            pattern, inner = entries
            name = str(self.value(schema.get("propertyNames", {}) | {"pattern": pattern, "type": "string"}))
            if name[:1].isdigit() and self.random.random() < 0.95:
                name = f"a{name[1:]}"  # no label of Prometheus begins with a digit
            found[name] = self.value(inner, "", depth + 1)
        return found

    def _entries(self, schema: Schema) -> tuple[str, Schema] | None:
        """The pattern of free keys and the schema of their values; None where there are none."""
        for pattern, inner in schema.get("patternProperties", {}).items():
            return pattern, inner
        additional = schema.get("additionalProperties", "properties" not in schema)
        if additional is False:
            return None
        return r"[a-z][a-z0-9_]{0,9}", additional if isinstance(additional, Mapping) else {}

    def _form(self, schema: Schema) -> _Form:
        form = _Form()
        for member in ("allOf", "oneOf", "anyOf"):
            if member in schema:
                chosen = schema[member] if member == "allOf" else [self.random.choice(schema[member])]
                for part in chosen:
                    form.take(part, self.random)
                others = [name for part in schema[member] for name in part.get("required", ())]
                if member == "oneOf":  # exactly one of them
                    form.excluded.update(set(others) - form.required)
        return form

    def _array(self, schema: Schema, field: str, depth: int) -> list[Any]:
        count = self._count(schema, "minItems", "maxItems")
        return [self.value(schema.get("items", {}), field, depth + 1) for _ in range(count)]

    def _count(self, schema: Schema, least: str, most: str) -> int:
        low = schema.get(least, 0)
        high = min(schema.get(most, low + 3), low + 3)
        return int(self.random.choice([low, self.random.randint(low, high)]))

    def _number(self, schema: Schema, *, whole: bool) -> int | float:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high = min(schema.get("maximum", 1000), 1000) if low < 1000 else schema.get("maximum", low + 1)
        if whole:
            return self.random.randint(int(low) + ("exclusiveMinimum" in schema), max(int(high), int(low) + 1))
        return round(self.random.uniform(low + 0.001 if low < high - 0.001 else low, high), self.random.randint(1, 4))

    def _text(self, schema: Schema) -> str:
        if "examples" in schema and ("pattern" not in schema or self.random.random() < 0.8):
            return str(self.random.choice(schema["examples"]))
        if "pattern" in schema:
            made = matching(schema["pattern"], self.random)
            return made[: schema.get("maxLength", 63)].rstrip("-")
        if schema.get("format") == "date":
            return f"20{self.random.randint(26, 40)}-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02}"
        self._drawn += 1
        return Free(f"{self.random.choice(_WORDS)} {self.random.choice(_WORDS)} {self._drawn}")


class _Form:
    """What one form of an object asks of its fields: the models write them with `given`, `absent` and `either_of`."""

    def __init__(self) -> None:
        self.required: set[str] = set()
        self.excluded: set[str] = set()
        self.fixed: dict[str, Any] = {}

    def take(self, schema: Schema, random: Random) -> None:
        self.required.update(schema.get("required", ()))
        for name, inner in schema.get("properties", {}).items():
            if isinstance(inner, Mapping) and "const" in inner:
                self.fixed[name] = inner["const"]
        for part in schema.get("not", {}).get("anyOf", ()):
            self.excluded.update(part.get("required", ()))
        for part in schema.get("allOf", ()):
            self.take(part, random)
        if "oneOf" in schema:
            self.take(random.choice(schema["oneOf"]), random)


def matching(pattern: str, random: Random) -> str:
    """A text that a regular expression matches, by Python's own parse of it."""
    parser: Any = importlib.import_module("re._parser")
    parsed = parser.parse(pattern)
    made = ""
    for _ in range(_MOST_DRAWS):  # what looks ahead is not constructed, but waited for
        made = "".join(_of(item, random) for item in parsed)
        if re.search(pattern, made):
            break
    return made


def _of(item: tuple[Any, Any], random: Random) -> str:
    name, argument = str(item[0]), item[1]
    if name == "LITERAL":
        return chr(argument)
    if name == "IN":
        return _of_class(argument, random)
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = argument
        times = random.randint(low, max(low, min(int(high), low + _MOST_REPEATS)))
        return "".join(_of(part, random) for _ in range(times) for part in inner)
    if name == "SUBPATTERN":
        return "".join(_of(part, random) for part in argument[3])
    if name == "BRANCH":
        return "".join(_of(part, random) for part in random.choice(argument[1]))
    if name == "ANY":
        return random.choice("abc 0-")
    if name in ("AT", "ASSERT", "ASSERT_NOT"):
        return ""
    raise ValueError(f"no sample of {name}")


def _of_class(members: Sequence[tuple[Any, Any]], random: Random) -> str:
    name, argument = str(members[0][0]), None
    if name == "NEGATE":
        return "x"
    member = random.choice(members)
    name, argument = str(member[0]), member[1]
    if name == "RANGE":
        return chr(random.randint(*argument))
    if name == "CATEGORY":
        return random.choice("0123456789" if "DIGIT" in str(argument) else "ab_1")
    return chr(argument)
