"""Names, identities, labels and links of SLOs."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping
from typing import Protocol

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.config import Config
from slo_compiler.documents.metadata import DNS_LABEL
from slo_compiler.ir import Counters, Histogram, Measurement, Queries, Throughput, Value
from slo_compiler.load.source_map import Path
from slo_compiler.plain_text import percent_encoded
from slo_compiler.promql.build import matchers, selector
from slo_compiler.promql.names import reserved_labels
from slo_compiler.resolve.findings import Findings

PREFIX = "slo-compiler/"
_MAX_NAME = 63
_LABEL = DNS_LABEL.pattern
_DURATION = r"[1-9][0-9]{0,8}(s|m|h|d|w)"
# What the values of our own annotations look like: a pattern, its name, and an example.
_FORMS = {
    "id": (
        f"{_LABEL}(/{_LABEL})?",
        "id of lower-case letters, digits and dashes",
        f"{PREFIX}id: team/chat",
    ),
    "runbook": (
        r"https?://[!-~]+",
        "http(s) address",
        f"{PREFIX}runbook: https://runbooks.example.com/chat",
    ),
    "short-window": (_DURATION, "duration such as 5m", f"{PREFIX}short-window: 5m"),
    "keep-firing-for": (_DURATION, "duration such as 5m", f"{PREFIX}keep-firing-for: 5m"),
    "min-bad-events": (r"[0-9]{1,9}", "number of events", f"{PREFIX}min-bad-events: '3'"),
    "tier": (r".{1,63}", "short text", f"{PREFIX}tier: 14.4x"),
    "query-yields": (
        "rate|increase",
        "one of rate and increase",
        f"{PREFIX}query-yields: rate",
    ),
    "review-by": (
        r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
        "date such as 2027-03-01",
        f"{PREFIX}review-by: 2027-03-01",
    ),
}
_ANY_TEXT = (r"(?s:.*)", "text", "")
_LABEL_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"


class HasAnnotations(Protocol):
    """The metadata of any document."""

    @property
    def annotations(self) -> Mapping[str, str]:
        """Text by key."""


def read_annotations(
    metadata: HasAnnotations, known: frozenset[str], findings: Findings, at: Path = ("metadata",)
) -> dict[str, str]:
    """Our own annotations without their prefix; an unknown one is an error with the nearest name.

    Args:
        at: where the metadata stand.
    """
    found = {}
    for key, value in metadata.annotations.items():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        path: Path = (*at, "annotations", key)
        if name not in known:
            findings.error_at_key(Code.SLO201, path, *_unknown(key, name, known))
            continue
        pattern, expected, hint = _FORMS.get(name, _ANY_TEXT)
        if re.fullmatch(pattern, value):
            found[name] = value
        else:
            findings.error(Code.SLO203, path, f"{value!r} is no {expected}", hint)
    return found


def _unknown(key: str, name: str, known: frozenset[str]) -> tuple[str, str]:
    """What is said of an annotation that is not read here, and the hint: many are read beside the one that names an SLI."""
    from slo_compiler.documents.facts import known_keys  # only where an annotation is misplaced

    if "query-yields" in known and name in known_keys():
        message = f"{key} is read only where {PREFIX}sli says what is measured: without it the annotation does nothing"
        return (
            message,
            f"remove it, or write the objective as an InferenceSLO; here are read: {', '.join(sorted(known))}",
        )
    return f"unknown annotation {key}", did_you_mean(name, known)


def slo_name(spec_name: str, objective: str, path: Path, findings: Findings) -> str | None:
    """`<spec>-<objective>`; None where that is too long for a name."""
    name = f"{spec_name}-{objective}"
    if len(name) <= _MAX_NAME:
        return name
    message = f"the SLO's name {name} has {len(name)} characters, {_MAX_NAME} are allowed"
    findings.error(Code.SLO601, path, message, "shorten metadata.name or give the objective a short name")
    return None


def read_date(text: str | None) -> datetime.date | None:
    """The date of an annotation; None without one. A day that a month lacks is read as its last."""
    if text is None:
        return None
    import calendar  # few specs have a date

    year, month, day = (int(part) for part in text.split("-"))
    return datetime.date(max(year, 1), month, min(day, calendar.monthrange(max(year, 1), month)[1]))


def digest(*facts: object) -> str:
    """Eight hexadecimal digits that change where one of the facts does."""
    text = "\n".join("" if fact is None else str(fact) for fact in facts)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def selectors_of(measurement: Measurement) -> tuple[str, ...]:
    """What is read, as far as the spec itself says it: the matchers, the counters or the queries.

    Names that an engine document gives are left out: a metric's rename is no new promise.
    """
    if isinstance(measurement, Histogram):
        return (matchers(measurement.matchers),)
    if isinstance(measurement, Counters):
        return selector(measurement.total), selector(measurement.part), measurement.part_is
    if isinstance(measurement, Queries):
        return measurement.total, measurement.part, measurement.part_is
    slices, inner = (str(measurement.window), str(measurement.target)), measurement.inner
    if isinstance(inner, Value):
        return *slices, *map(str, inner)
    if isinstance(inner, Throughput):
        return *slices, matchers(inner.tokens[0].matchers), str(inner.rate)
    return *slices, *selectors_of(inner)


def alert_labels(given: Mapping[str, str], path: Path, findings: Findings, prefix: str = "") -> dict[str, str]:
    """A spec's own labels as they stand on its alerts; see `alert_label` for those that are refused.

    Args:
        prefix: of the compiler's own labels.
    """
    labels: dict[str, str] = {}
    keys: dict[str, str] = {}
    for key, value in given.items():
        name, message, hint = alert_label(key, keys, prefix)
        if message:
            findings.error_at_key(Code.SLO203, (*path, key), message, hint)
        else:
            labels[name], keys[name] = value, key
    return labels


def alert_label(key: str, taken: Mapping[str, str], prefix: str = "") -> tuple[str, str, str]:
    """The name that a spec's label has on alerts; and where it may not be one, why not, and what to do.

    Refused are names that are none even as `label_name` writes them, names that the compiler writes itself, and a
    second key that becomes the same name.

    Args:
        taken: the labels that there are, each with the key that it comes from.
        prefix: of the compiler's own labels.
    """
    name = label_name(key)
    message = hint = ""
    if not re.fullmatch(_LABEL_NAME, name):
        message, hint = f"{key!r} cannot be a label of an alert: it begins with a digit", "begin it with a letter"
    elif name in reserved_labels(prefix):
        message, hint = f"the label {key} is written by the compiler", "choose another name"
    elif name.startswith("__"):
        message, hint = f"labels such as {key} are Prometheus's own", "begin it with a letter"
    elif name in taken:
        message, hint = f"{taken[name]} and {key} both become the label {name}", "choose another name"
    return name, message, hint


def label_name(key: str) -> str:
    """A key of a spec's labels as the name that it has on alerts: what Prometheus does not allow becomes `_`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", key)


def link(base: str | None, service: str, name: str, suffix: str = "") -> str:
    """`<base>/<service>/<name><suffix>`; empty without a base."""
    return f"{base.rstrip('/')}/{service}/{name}{suffix}" if base else ""


def dashboard_uid(service: str, name: str) -> str:
    """What Grafana knows a spec's dashboard by, whatever becomes of its folder: at most 40 characters.

    Longer ones are dropped where dashboards are provisioned; later versions want them to be names of Kubernetes.
    """
    return f"slo-{name[:27]}-{digest(f'{service}/{name}')}"


def dashboard(config: Config, service: str, name: str) -> str:
    """The address of a spec's dashboard: under that of the dashboards, or in Grafana; empty where neither is said."""
    if config.urls.dashboards or not config.urls.grafana:
        return link(config.urls.dashboards, service, name)
    return f"{config.urls.grafana.rstrip('/')}/d/{dashboard_uid(service, name)}"


def spec_url(config: Config, path: str) -> str:
    """The address of a spec in its repository; empty without a configured one, and for files that lie elsewhere.

    Args:
        path: of the spec, as seen from where the compiler runs.
    """
    base = config.urls.repository
    if not base or path.startswith(("/", "../")) or not path.endswith((".yaml", ".yml", ".json")):
        return ""
    return f"{base.rstrip('/')}/{percent_encoded(path, '/')}"


def runbook(config: Config, annotations: Mapping[str, str], service: str, name: str) -> str:
    """The spec's own runbook, or its page under the configured address."""
    return annotations.get("runbook") or link(config.urls.runbooks, service, name, config.outputs.runbooks.suffix)
