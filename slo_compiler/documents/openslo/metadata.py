"""The metadata of OpenSLO's objects, those written into others included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.base import JsonSchema
from slo_compiler.documents.judged import JsonObject, Notice
from slo_compiler.documents.metadata import DNS_LABEL, AnnotationKey, LabelKey, slug
from slo_compiler.documents.openslo.parts import DisplayName, NonEmpty, Part, Text
from slo_compiler.load.source_map import Path

_RESERVED = "openslo.com/"


def is_dns_label(text: str) -> bool:
    """Whether a text may name a folder, a Kubernetes object and an OpenSLO object."""
    return len(text) <= 63 and DNS_LABEL.fullmatch(text) is not None


def unusable_name(text: str, field: str, loc: Path) -> Notice:
    """A name that OpenSLO leaves to its implementations and that this one cannot use: names become paths."""
    message = f"{text!r} is no DNS label (lower-case letters, digits and dashes, at most 63), and names become paths"
    hint = f"{field}: {slug(text) or 'my-' + field}"
    return Notice(Code.SLO601, Severity.ERROR, loc, message, hint, compile_only=True)


def _read_label(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


LabelValues = Annotated[
    list[Text],
    BeforeValidator(_read_label),
    JsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


# Stricter than the reader, which only warns of other names where nothing is compiled.
DNS_LABEL_SCHEMA: JsonObject = {"pattern": f"^{DNS_LABEL.pattern}$", "maxLength": 63}


class Metadata(Part):
    """Name, labels for grouping, and annotations, which are what tools tell each other.

    Attributes:
        name: a DNS label; how others refer to the object.
        labels: values of any text, one or several by key.
        annotations: keys with the prefix `slo-compiler/` are instructions to the compiler.
    """

    name: Annotated[NonEmpty, Field(json_schema_extra=DNS_LABEL_SCHEMA)]
    display_name: DisplayName | None = None
    labels: dict[LabelKey, LabelValues] = Field(default_factory=dict)
    annotations: dict[AnnotationKey, Text] = Field(default_factory=dict)

    @property
    def joined_labels(self) -> Mapping[str, str]:
        """Each label as one text, its values joined by commas; those without a value are left out."""
        return {key: ",".join(values) for key, values in self.labels.items() if values}

    def notices(self) -> Iterator[Notice]:
        """Names that become no path, and annotations that belong to OpenSLO itself."""
        if not is_dns_label(self.name):
            yield unusable_name(self.name, "name", ("name",))
        for key in self.annotations:
            if key.startswith(_RESERVED):
                message = f"annotations of {_RESERVED} are reserved for OpenSLO itself, and {key} is not read"
                hint = "use a prefix of your own"
                yield Notice(Code.SLO203, Severity.INFO, ("annotations", key), message, hint, at_key=True)
