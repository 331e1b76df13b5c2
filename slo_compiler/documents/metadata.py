"""The metadata that every document carries."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from slo_compiler.documents.base import Model, fresh

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_KEY = r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_PREFIX = rf"{DNS_LABEL.pattern}(\.{DNS_LABEL.pattern})*"
_LONGEST_PREFIX = 253


def slug(text: str) -> str:
    """The nearest DNS-1123 label: `My Service!` becomes `my-service`. Empty where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-")


def check_dns_label(text: str) -> str:
    """The text itself.

    Raises:
        ValueError: it is no DNS-1123 label; the message offers one.
    """
    if len(text) <= 63 and DNS_LABEL.fullmatch(text):
        return text
    offer = slug(text)
    raise ValueError(
        f"{text!r} is no DNS label (lower-case letters, digits and dashes, at most 63)"
        + (f"; use {offer}" if offer else "")
    )


def _read_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value == "true":
        return True
    if value == "false":
        return False
    raise ValueError("expected true or false; write true or false, without quotes or capitals")


def check_label_key(key: str) -> str:
    """The key itself.

    Raises:
        ValueError: it is no name of a label, as Kubernetes and OpenSLO have them.
    """
    if not re.fullmatch(_KEY, key):
        hint = "use letters, digits, '-', '_' and '.', at most 63"
        raise ValueError(f"{key!r} is no label key; {hint}" + (" and no prefix" if "/" in key else ""))
    return key


def check_annotation_key(key: str) -> str:
    """The key itself.

    Raises:
        ValueError: it is no name, or no name behind the prefix of a domain, as Kubernetes and OpenSLO have them.
    """
    prefix, slash, name = key.rpartition("/")
    if not re.fullmatch(_KEY, name):
        raise ValueError(f"{key!r} is no annotation key; write name or prefix/name, name as that of a label")
    if slash and not (len(prefix) <= _LONGEST_PREFIX and re.fullmatch(_PREFIX, prefix)):
        raise ValueError(f"the prefix of {key!r} is no lower-case domain name; write such as example.com/{name}")
    return key


DnsLabel = Annotated[str, AfterValidator(check_dns_label), Field(json_schema_extra={"pattern": DNS_LABEL.pattern})]
BoolText = Annotated[bool, BeforeValidator(_read_bool)]
LabelKey = Annotated[str, Field(json_schema_extra={"pattern": f"^{_KEY}$"}), AfterValidator(check_label_key)]
_ANNOTATION_KEY = f"^({_PREFIX}/)?{_KEY}$"
AnnotationKey = Annotated[
    str, Field(json_schema_extra={"pattern": _ANNOTATION_KEY}), AfterValidator(check_annotation_key)
]


class Metadata(Model):
    """Name, labels and annotations. Annotations with the prefix `slo-compiler/` are instructions to the compiler."""

    name: DnsLabel
    display_name: Annotated[str, Field(max_length=63)] | None = None
    labels: dict[LabelKey, str] = Field(default_factory=fresh(dict))
    annotations: dict[AnnotationKey, str] = Field(default_factory=fresh(dict))
