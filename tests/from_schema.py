"""Hypothesis strategies of documents as a JSON Schema describes them, and of documents that just miss it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

JsonObject = dict[str, Any]
# Short texts, some of which are something else to YAML or to the rules of names.
TEXTS = st.sampled_from(["a", "chat", "B c", "no", "1", "true", "é", "", "x" * 64, "a/b", "{{.window}}", "28d", "lte"])
KEYS = st.sampled_from(["team", "a", "a.b", "acme/x", "acme.example/X", "-a", "a_", "k" * 64])
NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 0.5, 0.999, 100, 99.95, 2, 14.4]),
    st.floats(-1e15, 1e15).map(lambda number: round(number, 6)),
)
# What a pattern asks for is mostly given.
NAMES = st.sampled_from([*["chat", "a", "x-1"] * 5, "B c", "x" * 64, ""])
ANYTHING = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.lists(TEXTS, max_size=2))


class Documents:
    """Strategies for the parts of one schema.

    What a part requires and excludes is drawn as one of the forms of its `oneOf`; other rules between fields are left to
    chance, so that some documents break them.
    """

    def __init__(self, schema: JsonObject) -> None:
        self.schema = schema
        self.made: dict[str, SearchStrategy[Any]] = {}

    def document(self) -> SearchStrategy[Any]:
        """The document itself."""
        return self.of(self.schema)

    def of(self, part: JsonObject) -> SearchStrategy[Any]:
        """A value that a part describes."""
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            if name not in self.made:
                self.made[name] = st.deferred(lambda: self.of(self.schema["$defs"][name]))
            return self.made[name]
        if "const" in part:
            return st.just(part["const"])
        if "enum" in part:
            return st.sampled_from(part["enum"])
        if "examples" in part:
            return st.sampled_from(part["examples"])
        if "anyOf" in part:
            return st.one_of([self.of(choice) for choice in part["anyOf"]])
        kind = part.get("type")
        if isinstance(kind, list):
            return st.one_of([self.of({**part, "type": choice}) for choice in kind])
        if "pattern" in part:
            return NAMES
        if kind == "object":
            return self._object(part)
        if kind == "array":
            most = part.get("maxItems", part.get("minItems", 0) + 2)
            return st.lists(self.of(part["items"]), min_size=part.get("minItems", 0), max_size=most)
        if "exclusiveMaximum" in part:
            return st.sampled_from([0, 0.5, 0.937, 0.999, 0.25, 0.75, 0.9, part["exclusiveMaximum"], -1])
        simple: dict[Any, SearchStrategy[Any]] = {
            "string": TEXTS,
            "number": NUMBERS,
            "integer": st.integers(0, 100),
            "boolean": st.booleans(),
            "null": st.none(),
        }
        return simple.get(kind, ANYTHING)

    def _object(self, part: JsonObject) -> SearchStrategy[Any]:
        properties = part.get("properties")
        if properties is None:
            values = list(part.get("patternProperties", {}).values()) or [{}]
            least = part.get("minProperties", 0)
            return st.dictionaries(KEYS, self.of(values[0]), min_size=least, max_size=least + 1)
        return self._fields(part, properties)

    def _fields(self, part: JsonObject, properties: JsonObject) -> SearchStrategy[Any]:
        fields = {name: self.of(field) for name, field in properties.items()}

        @st.composite
        def drawn(draw: st.DrawFn) -> JsonObject:
            required, excluded = set(part.get("required", [])), set()
            if "oneOf" in part:
                form = draw(st.sampled_from(part["oneOf"]))
                required |= set(_given(form))
                excluded |= set(_absent(form))
            found = {}
            for name, field in fields.items():
                if name in required or (name not in excluded and draw(st.booleans())):
                    found[name] = draw(field)
            return found

        return drawn()


def _parts(form: JsonObject) -> list[JsonObject]:
    parts: list[JsonObject] = form.get("allOf", [form])
    return parts


def _given(form: JsonObject) -> list[str]:
    return [name for part in _parts(form) for name in part.get("required", [])]


def _absent(form: JsonObject) -> list[str]:
    return [
        name
        for part in _parts(form)
        for choice in part.get("not", {}).get("anyOf", [])
        for name in choice.get("required", [])
    ]


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> Any:
    """The document with one of its values left out, replaced by something else, or with a field that nobody knows."""
    if isinstance(document, dict) and document and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(document)))
        return {**document, key: draw(damaged(document[key]))}
    if isinstance(document, list) and document and draw(st.booleans()):
        index = draw(st.integers(0, len(document) - 1))
        return [*document[:index], draw(damaged(document[index])), *document[index + 1 :]]
    if isinstance(document, dict):
        how = draw(st.sampled_from(["less", "more", "other"]))
        if how == "less" and document:
            gone = draw(st.sampled_from(sorted(document)))
            return {key: value for key, value in document.items() if key != gone}
        if how == "more":
            return {**document, draw(st.sampled_from(["unknwon", "Kind", "spec", "op"])): draw(ANYTHING)}
    return draw(ANYTHING)
