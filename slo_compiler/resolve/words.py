"""What outputs say of an SLO: its promise in words, where its numbers came from, and the labels of `slo:info`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from slo_compiler.documents import facts as keys
from slo_compiler.documents.inference_slo import InferenceSLO
from slo_compiler.ir import (
    Groups,
    Measurement,
    Portable,
    Provenance,
    Slices,
    Throughput,
    Value,
    Window,
)
from slo_compiler.resolve.identity import dashboard_uid
from slo_compiler.resolve.promises import Promises
from slo_compiler.resolve.readings import Reading
from slo_compiler.slis import Sli
from slo_compiler.units import Duration, decimal_text, percent_text

if TYPE_CHECKING:
    from slo_compiler.ir import Adjustment, Exemption


class LeftOut(NamedTuple):
    """What does not count for one SLO: while it happens, and after the fact."""

    exemptions: tuple[Exemption, ...]
    adjustments: tuple[Adjustment, ...]


def promise_of(sli: Sli, target: Decimal, reading: Reading, groups: Groups, exemptions: Sequence[Exemption]) -> str:
    """`95% of requests: time to first token within 150ms (measured at 250ms), for each team`."""
    text = f"{percent_text(target)} of {sli.counts}: {sli.title}"
    if isinstance(reading.measurement, Slices):
        text += f" at {promised_by(reading)} or more over {reading.measurement.window}, or nothing waits"
    elif reading.threshold is not None:
        text += f" within {reading.threshold.value}"
        if reading.measured is not None and reading.measured != reading.threshold.value:
            text += f" (measured at {reading.measured})"
    text = f"{text}, for each {' and '.join(groups.labels)}" if groups.labels else text
    return f"{text} (exempt: {exempt_of(exemptions)})" if exemptions else text


def exempt_of(exemptions: Sequence[Exemption]) -> str:
    """`maintenance up to 4h, cold-start up to 2h`; empty without any."""
    return ", ".join(f"{exemption.name} up to {exemption.most}" for exemption in exemptions)


def promised_by(reading: Reading) -> str:
    """The promised threshold or rate; empty where there is none."""
    if reading.threshold is not None:
        return str(reading.threshold.value)
    inner = reading.measurement.inner if isinstance(reading.measurement, Slices) else None
    return f"{decimal_text(inner.rate)} tokens/s" if isinstance(inner, Throughput) else ""


def promise_of_openslo(target: Decimal, measurement: Measurement, title: str) -> str:
    """`95% of slices: queue depth <= 30, over 2m`; `99% of slices: answers, each for 95% of its events, over 1m`."""
    if not isinstance(measurement, Slices):
        return f"{percent_text(target)} of events: {title}"
    text, bound = f"{percent_text(target)} of slices: {title}", bound_of(measurement)
    if bound:
        text += f" {bound}"
    elif measurement.target is not None:
        text += f", for {percent_text(measurement.target)} of the events in each"
    else:
        text += ", each by its share of good events"
    return f"{text}, over {measurement.window}"


def bound_of(measurement: Measurement) -> str:
    """The bound that a value must keep, `<= 30`; empty where events are counted."""
    inner = measurement.inner if isinstance(measurement, Slices) else None
    return f"{inner.op} {decimal_text(inner.bound)}" if isinstance(inner, Value) else ""


def provenance_of_openslo(
    target: Decimal, measurement: Measurement, period: Window, *, own_period: bool
) -> tuple[Provenance, ...]:
    """Target, bound, slice and period, each with its origin."""
    found = [Provenance("target", percent_text(target), "the objective")]
    if isinstance(measurement, Slices):
        facts = {
            "bound": bound_of(measurement),
            "slice": str(measurement.window),
            "sliceTarget": percent_text(measurement.target) if measurement.target is not None else "",
        }
        found += [Provenance(field, text, "the objective") for field, text in facts.items() if text]
    found.append(Provenance("period", period.name, "the spec" if own_period else "the configuration's default"))
    return tuple(found)


def provenance_of(
    target: tuple[Decimal, str],
    reading: Reading,
    period: Window,
    left_out: LeftOut,
    *,
    own_period: bool,
) -> tuple[Provenance, ...]:
    """Target, threshold, measured threshold, rate, slice, period, exemptions and adjustments, each with its origin."""
    found = [Provenance("target", percent_text(target[0]), target[1])]
    if isinstance(reading.measurement, Slices):
        found.append(Provenance("rate", promised_by(reading), "the objective"))
        found.append(Provenance("slice", str(reading.measurement.window), "the objective, or its default of 1m"))
    if reading.threshold is not None:
        found.append(Provenance("threshold", str(reading.threshold.value), reading.threshold.origin))
    if reading.measured is not None:
        found.append(Provenance("measured", str(reading.measured), "the engine's buckets and the spec's bucket policy"))
    found.append(Provenance("period", period.name, "the spec" if own_period else "the configuration's default"))
    found += [
        Provenance("exempt", str(item.most), f"at most, for {item.name}: {item.words}") for item in left_out.exemptions
    ]
    found += [
        Provenance("adjusted", str(Duration.of(item.end - item.begin)), f"left out, {item}: {item.reason}")
        for item in left_out.adjustments
    ]
    return tuple(found)


def info_of(
    document: InferenceSLO,
    promises: Promises,
    sli: Sli,
    name: str,
    variant: str,
    reading: Reading,
    period: Window,
    left_out: LeftOut,
    runbook_url: str,
) -> tuple[tuple[str, str], ...]:
    """The labels of `slo:info`; absent facts are left out."""
    spec = document.spec
    engine = spec.engine
    facts = {
        "service": spec.service,
        "slo": name,
        "variant": variant,
        "sli": sli.name,
        "breach": sli.breach or "",
        "model": spec.model,
        "endpoint": spec.endpoint or "",
        "engine": f"{engine.name} {engine.version}" if engine.version else engine.name,
        "class": promises.class_name,
        "use_case": spec.use_case or "",
        "team": document.metadata.labels.get("team", ""),
        "stage": spec.stage,
        "group_by": ",".join(spec.group_by.labels) if spec.group_by is not None else "",
        "period": period.name,
        "exempt": exempt_of(left_out.exemptions),
        "adjusted": ", ".join(map(str, left_out.adjustments)),
        "promised": promised_by(reading),
        "measured": str(reading.measured) if reading.measured is not None else "",
        "runbook": runbook_url,
        "dashboard_uid": dashboard_uid(spec.service, document.metadata.name),
    }
    return tuple((key, value) for key, value in facts.items() if value)


def portable_of(document: InferenceSLO, spec: Mapping[str, Any]) -> Portable:
    """What the document says beside its objectives, for the portable form.

    Args:
        spec: its data, all scalars of which are text.
    """
    metadata = document.metadata
    own = {
        key.removeprefix(keys.PREFIX): value
        for key, value in metadata.annotations.items()
        if key.startswith(keys.PREFIX)
    }
    kept = {f"{keys.LABEL}{key}": metadata.labels[key] for key in keys.GROUPING_LABELS if key in metadata.labels}
    facts = {"display-name": metadata.display_name, **keys.annotations_of_spec(spec), **own, **kept}
    return Portable(
        metadata.display_name or "",
        document.spec.description or "",
        tuple(metadata.labels.items()),
        tuple((key, value) for key, value in facts.items() if value is not None and key != "id"),
        tuple(item for item in metadata.annotations.items() if not item[0].startswith(keys.PREFIX)),
    )
