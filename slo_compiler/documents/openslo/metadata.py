"""The metadata of OpenSLO's objects, those written into others included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.base import JsonSchema
from slo_compiler.documents.judged import JsonObject, Notice
from slo_compiler.documents.metadata import DNS_LABEL, slug
from slo_compiler.documents.openslo.parts import DisplayName, NonEmpty, Part, Text
from slo_compiler.load.source_map import Path

_KEY = r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_LABEL_KEY = re.compile(_KEY)
_PREFIX = re.compile(rf"{DNS_LABEL.pattern}(\.{DNS_LABEL.pattern})*")
_LONGEST_PREFIX = 253
_RESERVED = "openslo.com/"


def is_dns_label(text: str) -> bool:
    """Whether a text may name a folder, a Kubernetes object and an OpenSLO object."""
    return len(text) <= 63 and DNS_LABEL.fullmatch(text) is not None


def unusable_name(text: str, field: str, loc: Path) -> Notice:
    """A name that OpenSLO leaves to its implementations and that this one cannot use: names become paths."""
    message = f"{text!r} is no DNS label (lower-case letters, digits and dashes, at most 63), and names become paths"
    hint = f"{field}: {slug(text) or 'my-' + field}"
    return Notice(Code.SLO601, Severity.ERROR, loc, message, hint, compile_only=True)


def _check_label_key(key: str) -> str:
    if not _LABEL_KEY.fullmatch(key):
        hint = "use letters, digits, '-', '_' and '.', at most 63"
        raise ValueError(f"{key!r} is no label key; {hint}" + (" and no prefix" if "/" in key else ""))
    return key


def _check_annotation_key(key: str) -> str:
    prefix, slash, name = key.rpartition("/")
    if not _LABEL_KEY.fullmatch(name):
        raise ValueError(f"{key!r} is no annotation key; write name or prefix/name, name as that of a label")
    if slash and not (len(prefix) <= _LONGEST_PREFIX and _PREFIX.fullmatch(prefix)):
        raise ValueError(f"the prefix of {key!r} is no lower-case domain name; write such as example.com/{name}")
    return key


def _read_label(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


LabelKey = Annotated[str, Field(json_schema_extra={"pattern": f"^{_KEY}$"}), AfterValidator(_check_label_key)]
LabelValues = Annotated[
    list[Text],
    BeforeValidator(_read_label),
    JsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
_ANNOTATION_KEY = f"^({_PREFIX.pattern}/)?{_KEY}$"
AnnotationKey = Annotated[
    str, Field(json_schema_extra={"pattern": _ANNOTATION_KEY}), AfterValidator(_check_annotation_key)
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
