"""OpenSLO's documents by the rules of its specification and SDK: each rule broken once, at its place."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.documents.base import Model
from slo_compiler.documents.openslo.alerts import AlertCondition
from slo_compiler.documents.openslo.metadata import Metadata
from slo_compiler.documents.openslo.parts import Shorthand
from slo_compiler.documents.openslo.slo import OpenSLO
from slo_compiler.documents.read import read_document
from slo_compiler.load.yaml import load_bytes

HEAD = "apiVersion: openslo/v1\nkind: {}\nmetadata: {{name: checkout-{}}}\n"
SLO = (
    HEAD.format("SLO", "slo")
    + """\
spec:
  description: Orders that are confirmed
  service: checkout
  indicator:
    metadata: {name: confirmed}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: orders_failed_total}}}
        total: {metricSource: {type: Prometheus, spec: {query: orders_total}}}
  budgetingMethod: Occurrences
  timeWindow:
    - {duration: 26d, isRolling: true}
  objectives:
    - {displayName: most, target: 0.937}
  alertPolicies:
    - alertPolicyRef: loud
    - kind: AlertPolicy
      metadata: {name: quiet}
      spec:
        alertWhenBreaching: true
        conditions: [{conditionRef: slow}]
        notificationTargets: [{targetRef: chat}]
"""
)
BOUND = (
    SLO.replace("ratioMetric:", "thresholdMetric: {metricSource: {spec: {query: depth}}}\n      ignored:")
    .replace(
        """
      ignored:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: orders_failed_total}}}
        total: {metricSource: {type: Prometheus, spec: {query: orders_total}}}
  budgetingMethod: Occurrences""",
        "\n  budgetingMethod: Timeslices",
    )
    .replace("0.937}", "0.937, op: lt, value: 11, timeSliceTarget: 0.83, timeSliceWindow: 3m}")
)
SLI = (
    HEAD.format("SLI", "sli")
    + """\
spec:
  description: Orders
  ratioMetric:
    good: {metricSource: {metricSourceRef: main, spec: {query: orders_good_total}}}
    total: {metricSource: {metricSourceRef: main, spec: {query: orders_total}}}
"""
)
RAW = (
    HEAD.format("SLI", "sli") + "spec: {ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: share}}}}}\n"
)
COMPOSITE = (
    HEAD.format("SLO", "slo")
    + """\
spec:
  service: checkout
  budgetingMethod: RatioTimeslices
  objectives:
    - {target: 0.937, timeSliceWindow: 7m, indicatorRef: one, compositeWeight: 3}
    - {targetPercent: 93.7, timeSliceWindow: 7m, indicatorRef: two}
"""
)
SERVICE = HEAD.format("Service", "service") + "spec: {description: Orders}\n"
SOURCE = (
    HEAD.format("DataSource", "source") + "spec: {type: Prometheus, connectionDetails: [{url: http://example.com}]}\n"
)
POLICY = (
    HEAD.format("AlertPolicy", "policy")
    + """\
spec:
  description: Wakes somebody
  alertWhenBreaching: true
  alertWhenNoData: false
  conditions:
    - kind: AlertCondition
      metadata: {name: slow}
      spec:
        severity: page
        condition: {kind: burnrate, op: gt, threshold: 3.5, lookbackWindow: 7h, alertAfter: 11m}
  notificationTargets:
    - targetRef: chat
    - kind: AlertNotificationTarget
      metadata: {name: phone}
      spec: {target: phone}
"""
)
CONDITION = (
    HEAD.format("AlertCondition", "condition")
    + """\
spec:
  severity: page
  condition: {kind: burnrate, op: gt, threshold: 3.5, lookbackWindow: 7h, alertAfter: 11m}
"""
)
TARGET = HEAD.format("AlertNotificationTarget", "target") + "spec: {target: phone, description: On call}\n"
VALID = {
    "SLO": SLO,
    "SLO of a bound": BOUND,
    "composite": COMPOSITE,
    "SLI": SLI,
    "raw SLI": RAW,
    "Service": SERVICE,
    "DataSource": SOURCE,
    "AlertPolicy": POLICY,
    "AlertCondition": CONDITION,
    "AlertNotificationTarget": TARGET,
}


def read(text: str) -> tuple[Model | None, list[Diagnostic]]:
    loaded = load_bytes(text.encode(), "slo.yaml")
    assert not loaded.diagnostics
    (source,) = loaded.documents
    return read_document(source)


def place(text: str, needle: str) -> tuple[int, int]:
    """Line and column of a piece of text that occurs once."""
    assert text.count(needle) == 1, f"{needle!r} occurs {text.count(needle)} times"
    before = text[: text.index(needle)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_valid_document_is_read_without_a_word(text: str) -> None:
    document, found = read(text)
    assert document is not None
    assert not found


class Broken(NamedTuple):
    """A valid document with one piece replaced; the finding lies at `at`."""

    base: str
    old: str
    new: str
    code: str
    at: str
    hint: str = ""
    severity: Severity = Severity.ERROR


QUERY = "query: orders_total"
LONG = "é" * 1051
DETAILS = "connectionDetails: [{url: http://example.com}]"
INLINE_BAD = "bad: {metricSource: {type: Prometheus, spec: {query: orders_failed_total}}}"
CONDITION_LINE = "condition: {kind: burnrate, op: gt, threshold: 3.5, lookbackWindow: 7h, alertAfter: 11m}"

BROKEN = {
    # 2.1 and 2.2: what holds for any object
    "kind of another case": Broken(
        SERVICE, "kind: Service", "kind: service", "SLO203", "service\n", "did you mean Service?"
    ),
    "apiVersion of another case": Broken(SERVICE, "openslo/v1", "OpenSLO/v1", "SLO203", "OpenSLO/v1"),
    "v2alpha": Broken(SERVICE, "openslo/v1", "openslo.com/v2alpha", "SLO203", "openslo.com/v2alpha", "sliRef"),
    "no metadata": Broken(SERVICE, "metadata: {name: checkout-service}\n", "", "SLO202", "apiVersion", "metadata: {"),
    "no name": Broken(SERVICE, "name: checkout-service", "displayName: x", "SLO202", "{displayName"),
    "empty name": Broken(SERVICE, "name: checkout-service", "name: ''", "SLO203", "''"),
    "name without a value": Broken(SERVICE, "name: checkout-service", "name: ~", "SLO202", "name: ~"),
    "name that is a number": Broken(SERVICE, "checkout-service", "123", "SLO203", "123", 'quote it: "123"'),
    "name that is an octal number": Broken(SERVICE, "checkout-service", "012", "SLO203", "012", 'quote it: "012"'),
    "name that is a boolean": Broken(SERVICE, "checkout-service", "on", "SLO203", "on}", 'quote it: "on"'),
    "name of another case": Broken(SERVICE, "{name:", "{Name: x, name:", "SLO201", "Name: x", "did you mean name?"),
    "long display name": Broken(
        SERVICE, "{name", f"{{displayName: {'x' * 64}, name", "SLO203", "x" * 64, "at most 63 characters"
    ),
    "label key with a prefix": Broken(SERVICE, "{name", "{labels: {a.b/c: x}, name", "SLO203", "a.b/c", "no prefix"),
    "label key that ends in a dash": Broken(SERVICE, "{name", "{labels: {team-: x}, name", "SLO203", "team-"),
    "long label key": Broken(SERVICE, "{name", f"{{labels: {{{'k' * 64}: x}}, name", "SLO203", "k" * 64),
    "label value true": Broken(SERVICE, "{name", "{labels: {a: true}, name", "SLO203", "true", 'quote it: "true"'),
    "label value in a list": Broken(SERVICE, "{name", "{labels: {a: [x, 7]}, name", "SLO203", "7", 'quote it: "7"'),
    "label value that is a mapping": Broken(SERVICE, "{name", "{labels: {a: {b: c}}, name", "SLO203", "{b: c}"),
    "annotation value true": Broken(
        SERVICE, "{name", "{annotations: {a: yes}, name", "SLO203", "yes", 'quote it: "yes"'
    ),
    "annotation value 1.5": Broken(SERVICE, "{name", "{annotations: {a: 1.5}, name", "SLO203", "1.5"),
    "annotation list": Broken(SERVICE, "{name", "{annotations: {a: [x]}, name", "SLO203", "[x]"),
    "annotation prefix in capitals": Broken(SERVICE, "{name", "{annotations: {A.b/c: x}, name", "SLO203", "A.b/c"),
    "annotation with two slashes": Broken(SERVICE, "{name", "{annotations: {a/b/c: x}, name", "SLO203", "a/b/c"),
    "annotation of a long prefix": Broken(
        SERVICE, "{name", f"{{annotations: {{? {'a.' * 127}/c : x}}, name", "SLO203", "a." * 127
    ),
    "annotation without a name": Broken(SERVICE, "{name", "{annotations: {a.b/: x}, name", "SLO203", "a.b/"),
    "unknown field": Broken(SERVICE, "spec: {", "spec: {owner: me, ", "SLO201", "owner", "fields here: description"),
    # 2.3
    "long description": Broken(SERVICE, "Orders", LONG, "SLO203", LONG, "at most 1050"),
    "no spec of a DataSource": Broken(SOURCE, f"spec: {{type: Prometheus, {DETAILS}}}", "", "SLO202", "apiVersion"),
    "no type of a DataSource": Broken(SOURCE, "type: Prometheus, ", "", "SLO202", "{connectionDetails"),
    "no connectionDetails": Broken(SOURCE, f", {DETAILS}", "", "SLO202", "{type"),
    # 2.4
    "no metric": Broken(
        RAW, "ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: share}}}}", "", "SLO202", "{}"
    ),
    "two metrics": Broken(
        RAW,
        "spec: {ratio",
        "spec: {thresholdMetric: {metricSource: {spec: {query: x}}}, ratio",
        "SLO203",
        "{thresholdMetric",
    ),
    "no total": Broken(
        SLO, "        total: {metricSource: {type: Prometheus, spec: {query: orders_total}}}\n", "", "SLO202", "counter"
    ),
    "no good or bad": Broken(SLO, f"        {INLINE_BAD}\n", "", "SLO202", "counter", "good: {metricSource"),
    "good and bad": Broken(SLI, "    good:", "    bad: {metricSource: {spec: {query: x}}}\n    good:", "SLO203", "bad"),
    "raw and total": Broken(RAW, "rawType", "total: {metricSource: {spec: {query: x}}}, rawType", "SLO203", "{total"),
    "raw without rawType": Broken(RAW, "rawType: success, ", "", "SLO202", "{raw:", "rawType: success"),
    "unknown rawType": Broken(RAW, "success", "succes", "SLO203", "succes", "did you mean success?"),
    "counter: yes": Broken(SLO, "counter: true", "counter: yes", "SLO203", "yes", "write true or false"),
    "counter in quotes": Broken(SLO, "counter: true", "counter: 'true'", "SLO203", "'true'", "without quotes"),
    "counter of another case": Broken(
        SLO, "counter: true", "Counter: true", "SLO201", "Counter", "did you mean counter?"
    ),
    "no metricSource": Broken(
        SLI,
        "good: {metricSource: {metricSourceRef: main, spec: {query: orders_good_total}}}",
        "good: {}",
        "SLO202",
        "{}",
    ),
    "metricSource without spec": Broken(
        SLI, ", spec: {query: orders_good_total}", "", "SLO202", "{metricSourceRef: main}}"
    ),
    "empty metricSource.spec": Broken(SLI, "{query: orders_good_total}", "{}", "SLO203", "{}", "at least 1"),
    "metricSource.spec that is a list": Broken(SLI, "{query: orders_good_total}", "[orders]", "SLO203", "[orders]"),
    # 2.5
    "no spec of an SLO": Broken(COMPOSITE, COMPOSITE[COMPOSITE.index("spec:") :], "", "SLO202", "apiVersion"),
    "no service": Broken(COMPOSITE, "  service: checkout\n", "", "SLO202", "budgetingMethod"),
    "empty service": Broken(COMPOSITE, "service: checkout", "service: ''", "SLO203", "''"),
    "no indicator": Broken(
        SLO, SLO[SLO.index("  indicator:") : SLO.index("  budgeting")], "", "SLO202", "description", "indicator: {"
    ),
    "indicator and indicatorRef": Broken(SLO, "  indicator:", "  indicatorRef: twice\n  indicator:", "SLO203", "twice"),
    "indicators on both levels": Broken(SLO, "target: 0.937", "target: 0.937, indicatorRef: twice", "SLO203", "twice"),
    "composite with a part without indicator": Broken(COMPOSITE, ", indicatorRef: two", "", "SLO202", "{targetPercent"),
    "composite with two indicators in a part": Broken(
        COMPOSITE,
        ", indicatorRef: two",
        ", indicatorRef: two, indicator: {metadata: {name: x}, spec: {thresholdMetric: {metricSource: {spec: {q: x}}}}}",
        "SLO203",
        "two,",
    ),
    "composite of no weight": Broken(
        COMPOSITE, "compositeWeight: 3", "compositeWeight: 0", "SLO203", "0}", "compositeWeight: 1"
    ),
    "no budgetingMethod": Broken(COMPOSITE, "  budgetingMethod: RatioTimeslices\n", "", "SLO202", "service"),
    "budgetingMethod of another case": Broken(
        BOUND, "Timeslices", "TimeSlices", "SLO203", "TimeSlices", "did you mean Timeslices?"
    ),
    "two windows": Broken(
        SLO, "    - {duration", "    - {duration: 3d, isRolling: true}\n    - {duration", "SLO203", "- {duration: 3d"
    ),
    "no window in the list": Broken(SLO, "\n    - {duration: 26d, isRolling: true}", " []", "SLO203", "[]"),
    "window without a duration": Broken(SLO, "duration: 26d, ", "", "SLO202", "{isRolling"),
    "window that does not say it rolls": Broken(SLO, ", isRolling: true", "", "SLO202", "{duration", "isRolling: true"),
    "calendar of a rolling window": Broken(
        SLO,
        "isRolling: true",
        "isRolling: true, calendar: {startTime: 2027-01-01 00:00:00, timeZone: UTC}",
        "SLO203",
        "{startTime",
    ),
    **{
        f"duration {text!r}": Broken(SLO, "26d", text, "SLO203", f"{text}, isRolling")
        for text in ("0d", "+1d", "007d", "28 d", "-1d", "1d2h", "1.5h", "28D", "1y", "1s", "1mm", "d", "'28'", "2_8d")
    },
    "startTime with a T": Broken(
        SLO, "isRolling: true", "calendar: {startTime: '2027-01-01T00:00:00', timeZone: UTC}", "SLO203", "'2027"
    ),
    "startTime on no calendar": Broken(
        SLO, "isRolling: true", "calendar: {startTime: 2027-02-30 00:00:00, timeZone: UTC}", "SLO203", "2027"
    ),
    "no startTime": Broken(SLO, "isRolling: true", "calendar: {timeZone: UTC}", "SLO202", "{timeZone"),
    "no timeZone": Broken(SLO, "isRolling: true", "calendar: {startTime: 2027-01-01 00:00:00}", "SLO202", "{startTime"),
    **{
        f"time zone {zone!r}": Broken(
            SLO,
            "isRolling: true",
            f"calendar: {{startTime: 2027-01-01 00:00:00, timeZone: {zone}}}",
            "SLO203",
            f"{zone}}}",
        )
        for zone in ("Local", "''", "Europe/Atlantis", "../UTC", "/UTC", "Europe")
    },
    "no objectives": Broken(SLO, "\n    - {displayName: most, target: 0.937}", " []", "SLO203", "[]"),
    "no target": Broken(SLO, ", target: 0.937", "", "SLO202", "{displayName", "target: 0.999"),
    "two targets": Broken(SLO, "target: 0.937", "target: 0.937, targetPercent: 93.7", "SLO203", "93.7"),
    **{
        f"target {text}": Broken(SLO, "0.937", text, "SLO203", f"{text}}}\n  alert")
        for text in (
            "1",
            "1.5",
            "-0.1",
            "'0.9'",
            ".nan",
            ".inf",
            "NaN",
            "-.Inf",
            "0.9.9",
            "099",
            "1e-999",
            "95%",
            "true",
        )
    },
    "targetPercent 100": Broken(COMPOSITE, "93.7", "100", "SLO203", "100"),
    "a slice without a target": Broken(BOUND, "timeSliceTarget: 0.83, ", "", "SLO202", "{displayName"),
    "a slice without a window": Broken(BOUND, ", timeSliceWindow: 3m", "", "SLO202", "{displayName"),
    "a ratio slice without a window": Broken(
        COMPOSITE, "timeSliceWindow: 7m, indicatorRef: two", "indicatorRef: two", "SLO202", "{targetPercent"
    ),
    "timeSliceTarget 0": Broken(BOUND, "0.83", "0", "SLO203", "0, timeSliceWindow"),
    "timeSliceTarget over 1": Broken(BOUND, "0.83", "1.01", "SLO203", "1.01"),
    "timeSliceWindow of no unit in quotes": Broken(BOUND, "3m", "'3'", "SLO203", "'3'"),
    "a bound without op": Broken(BOUND, "op: lt, ", "", "SLO202", "{displayName", "op: lte"),
    "a bound of another op": Broken(BOUND, "op: lt,", "op: less,", "SLO203", "less"),
    "a bound without value": Broken(BOUND, "value: 11, ", "", "SLO202", "{displayName", "value: 500"),
    "value in quotes": Broken(BOUND, "value: 11", "value: '11'", "SLO203", "'11'"),
    "a policy as a bare name": Broken(SLO, "alertPolicyRef: loud", "loud", "SLO203", "loud", "alertPolicyRef: loud"),
    "a policy of neither form": Broken(SLO, "alertPolicyRef: loud", "{}", "SLO202", "{}", "alertPolicyRef"),
    "a policy of both forms": Broken(
        SLO, "alertPolicyRef: loud", "{alertPolicyRef: loud, kind: AlertPolicy}", "SLO203", "{alertPolicyRef"
    ),
    "an inline policy without kind": Broken(
        SLO, "kind: AlertPolicy\n      metadata", "metadata", "SLO202", "metadata: {name: quiet}", "kind: AlertPolicy"
    ),
    "an inline policy of another kind": Broken(
        SLO, "kind: AlertPolicy\n", "kind: AlertCondition\n", "SLO203", "AlertCondition"
    ),
    "an inline policy with an apiVersion": Broken(
        SLO,
        "- kind: AlertPolicy",
        "- apiVersion: openslo/v1\n      kind: AlertPolicy",
        "SLO201",
        "apiVersion: openslo/v1\n      kind",
    ),
    "an inline policy without spec": Broken(
        SLO, SLO[SLO.index("\n      spec:\n        alertWhen") :], "\n", "SLO202", "kind: AlertPolicy", "spec: {"
    ),
    # 2.6
    "two conditions": Broken(
        SLO, "[{conditionRef: slow}]", "[{conditionRef: slow}, {conditionRef: fast}]", "SLO203", "[{conditionRef"
    ),
    "no condition": Broken(SLO, "[{conditionRef: slow}]", "[]", "SLO203", "[]"),
    "no conditions": Broken(SLO, "        conditions: [{conditionRef: slow}]\n", "", "SLO202", "alertWhenBreaching"),
    "no notification target": Broken(SLO, "[{targetRef: chat}]", "[]", "SLO203", "[]"),
    "an inline condition of another kind": Broken(
        POLICY, "kind: AlertCondition", "kind: Condition", "SLO203", "Condition\n"
    ),
    "a target of both forms": Broken(
        POLICY, "targetRef: chat", "{targetRef: chat, metadata: {name: x}}", "SLO203", "{targetRef"
    ),
    "a target without kind": Broken(
        POLICY, "kind: AlertNotificationTarget\n      metadata", "metadata", "SLO202", "metadata: {name: phone}"
    ),
    "a target without target": Broken(TARGET, "target: phone, ", "", "SLO202", "{description"),
    "an empty target": Broken(TARGET, "target: phone", "target: ''", "SLO203", "''"),
    # 2.7
    "no severity": Broken(CONDITION, "  severity: page\n", "", "SLO202", "condition:"),
    "no condition in a condition": Broken(CONDITION, f"  {CONDITION_LINE}\n", "", "SLO202", "severity"),
    "a condition of another kind": Broken(
        CONDITION, "burnrate", "burnRate", "SLO203", "burnRate", "did you mean burnrate?"
    ),
    "no op": Broken(CONDITION, "op: gt, ", "", "SLO202", "{kind: burnrate"),
    "another op": Broken(CONDITION, "op: gt", "op: '>'", "SLO203", "'>'"),
    "no threshold": Broken(CONDITION, "threshold: 3.5, ", "", "SLO202", "{kind: burnrate"),
    "threshold in quotes": Broken(CONDITION, "3.5", "'3.5'", "SLO203", "'3.5'"),
    "no lookbackWindow": Broken(CONDITION, "lookbackWindow: 7h, ", "", "SLO202", "{kind: burnrate"),
    "lookbackWindow in seconds": Broken(CONDITION, "7h", "90s", "SLO203", "90s"),
    "alertAfter of no time": Broken(CONDITION, "11m", "0m", "SLO203", "0m"),
    # 2.8 and what else is taken with a word
    "op beside a ratio": Broken(
        SLO, "target: 0.937", "target: 0.937, op: foo", "SLO203", "op: foo", "remove op", Severity.WARNING
    ),
    "value beside a ratio": Broken(
        SLO, "target: 0.937", "target: 0.937, value: 3", "SLO203", "value: 3", "remove value", Severity.WARNING
    ),
    "a condition without kind": Broken(
        CONDITION, "kind: burnrate, ", "", "SLO202", "{op", "kind: burnrate", Severity.WARNING
    ),
    "a slice in minutes": Broken(BOUND, "3m", "3", "SLO203", "3}", "timeSliceWindow: 3m", Severity.WARNING),
    "a rolling month": Broken(SLO, "26d", "1M", "SLO203", "1M", "duration: 30d, or 28d", Severity.WARNING),
    "a rolling quarter": Broken(SLO, "26d", "1Q", "SLO203", "1Q", "duration: 90d", Severity.WARNING),
    "a name that is no DNS label": Broken(
        SERVICE, "checkout-service", "Check_Out", "SLO601", "Check_Out", "name: check-out"
    ),
    "a name that is too long": Broken(SERVICE, "checkout-service", "x" * 64, "SLO601", "x" * 64, f"name: {'x' * 63}"),
    "an inline name that is no DNS label": Broken(
        SLO, "name: quiet", "name: Quiet!", "SLO601", "Quiet!", "name: quiet"
    ),
    "a service that is no DNS label": Broken(
        SLO, "service: checkout", "service: My Service!", "SLO601", "My Service!", "service: my-service"
    ),
    "rawType without raw": Broken(
        SLO, "counter: true", "rawType: success", "SLO203", "rawType", "remove rawType", Severity.WARNING
    ),
    "a policy that never alerts": Broken(
        POLICY,
        "alertWhenBreaching: true",
        "alertWhenBreaching: false",
        "SLO501",
        "description: Wakes",
        "alertWhenBreaching: true",
        Severity.WARNING,
    ),
    "alertWhenResolved": Broken(
        POLICY,
        "alertWhenNoData: false",
        "alertWhenResolved: true",
        "SLO206",
        "alertWhenResolved",
        "send_resolved",
        Severity.INFO,
    ),
    "an alert that fires when all is well": Broken(
        CONDITION, "op: gt", "op: lte", "SLO206", "lte", "op: gt", Severity.WARNING
    ),
    "compositeWeight of no composite": Broken(
        SLO,
        "target: 0.937",
        "target: 0.937, compositeWeight: -3",
        "SLO203",
        "compositeWeight",
        "remove",
        Severity.WARNING,
    ),
    "timeSliceTarget of no slices": Broken(
        SLO,
        "target: 0.937",
        "target: 0.937, timeSliceTarget: 7",
        "SLO203",
        "timeSliceTarget",
        "remove",
        Severity.WARNING,
    ),
    "a reserved annotation": Broken(
        SERVICE, "{name", "{annotations: {openslo.com/x: z}, name", "SLO203", "openslo.com/x", "your own", Severity.INFO
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_rule_is_told_once_at_its_place(case: Broken) -> None:
    assert case.base.count(case.old) == 1, f"{case.old!r} occurs {case.base.count(case.old)} times"
    text = case.base.replace(case.old, case.new)
    document, found = read(text)
    assert [(d.code.name, d.severity, d.span.line, d.span.column) for d in found] == [
        (case.code, case.severity, *place(text, case.at))
    ], found
    assert case.hint in found[0].hint
    read_all_the_same = case.severity is not Severity.ERROR or found[0].compile_only
    assert (document is not None) is read_all_the_same
    assert found[0].compile_only is (case.code == "SLO601")


# A valid document, what to replace in it, and by what: near misses of the rules above.
ACCEPTED = {
    "an empty spec of a Service": (SERVICE, "spec: {description: Orders}", "spec: {}"),
    "no spec of a Service": (SERVICE, "spec: {description: Orders}", ""),
    "a description of 1050 characters": (SERVICE, "Orders", "é" * 1050),
    "a field without a value": (SERVICE, "Orders", ""),
    "connectionDetails of nothing": (SOURCE, "[{url: http://example.com}]", ""),
    "connectionDetails of an empty mapping": (SOURCE, "[{url: http://example.com}]", "{}"),
    "a type of another case": (SOURCE, "Prometheus", "prometheus"),
    "a label without text": (SERVICE, "{name", "{labels: {team: ''}, name"),
    "a label with a list": (SERVICE, "{name", "{labels: {team: [a, 'true', '7']}, name"),
    "a label with an empty list": (SERVICE, "{name", "{labels: {team: []}, name"),
    "a label key of one letter": (SERVICE, "{name", "{labels: {T: a}, name"),
    "a label value with a slash": (SERVICE, "{name", "{labels: {T: a/b c}, name"),
    "an annotation with a prefix of one label": (SERVICE, "{name", "{annotations: {acme/Folder: a}, name"),
    "an annotation with a long prefix": (SERVICE, "{name", f"{{annotations: {{{'a.' * 100}a/x: b}}, name"),
    "an annotation that looks like a time": (SERVICE, "{name", "{annotations: {acme/at: 2027-01-01 12:30:00}, name"),
    "a name in quotes": (SERVICE, "checkout-service", '"123"'),
    "a name of 63 characters": (SERVICE, "checkout-service", "x" * 63),
    "a target of 0": (SLO, "0.937", "0"),
    "a target in percent": (SLO, "target: 0.937", "targetPercent: 99.95"),
    "a target with an exponent": (SLO, "0.937", "9.37e-1"),
    "counter: True": (SLO, "counter: true", "counter: True"),
    "no timeWindow": (SLO, "  timeWindow:\n    - {duration: 26d, isRolling: true}\n", ""),
    "alertPolicies without a value": (SLO, SLO[SLO.index("alertPolicies:") :], "alertPolicies:\n"),
    "a calendar window": (
        SLO,
        "isRolling: true",
        "isRolling: false, calendar: {startTime: 2027-01-01 12:30:00, timeZone: America/New_York}",
    ),
    "a calendar month": (
        SLO,
        "26d, isRolling: true",
        "1M, calendar: {startTime: '2027-01-01 12:30:00', timeZone: UTC}",
    ),
    "a timeSliceTarget of 1": (BOUND, "0.83", "1"),
    "a value under 0": (BOUND, "value: 11", "value: -1.5"),
    "several objectives on a bound": (
        BOUND,
        "    - {displayName",
        "    - {target: 0.5, op: gt, value: 0, timeSliceTarget: 0.5, timeSliceWindow: 1h}\n    - {displayName",
    ),
    "op of another word beside an indicatorRef": (
        COMPOSITE.replace(", indicatorRef: one, compositeWeight: 3", "").replace(", indicatorRef: two", ""),
        "  service: checkout\n",
        "  service: checkout\n  indicatorRef: one\n",
    ),
    "a threshold of 0": (CONDITION, "3.5", "0"),
    "a threshold under 0": (CONDITION, "3.5", "-2"),
    "no alertAfter": (CONDITION, ", alertAfter: 11m", ""),
}


@pytest.mark.parametrize(("base", "old", "new"), ACCEPTED.values(), ids=ACCEPTED)
def test_near_miss_is_read_without_a_word(base: str, old: str, new: str) -> None:
    assert base.count(old) == 1, f"{old!r} occurs {base.count(old)} times"
    document, found = read(base.replace(old, new))
    assert not found
    assert document is not None


def test_all_faults_are_told_in_one_run() -> None:
    text = SLO.replace("0.937", "1").replace("counter: true", "counter: yes").replace("26d", "26")
    text = text.replace("service: checkout", "sevice: checkout").replace("name: quiet", "name: 5")
    document, found = read(text)
    assert document is None
    assert sorted((d.code.name, d.span.line) for d in found) == [
        ("SLO201", 6),
        ("SLO202", 5),
        ("SLO203", 11),
        ("SLO203", 16),
        ("SLO203", 18),
        ("SLO203", 22),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7m", 420), ("3h", 10800), ("26d", 2246400), ("2w", 1209600), ("1M", 2592000), ("1Q", 7776000), ("1Y", 31536000)],
)
def test_duration_is_converted_as_the_sdk_does(text: str, seconds: int) -> None:
    document, _ = read(CONDITION.replace("7h", text))
    assert isinstance(document, AlertCondition)
    assert document.spec.condition.lookback_window.length.seconds == seconds
    assert str(document.spec.condition.lookback_window) == text


def test_labels_of_several_values_are_joined() -> None:
    document, _ = read(SLO.replace("{name: checkout-slo}", "{name: x, labels: {team: [a, b], env: prod, none: []}}"))
    assert isinstance(document, OpenSLO)
    assert dict(document.metadata.joined_labels) == {"team": "a,b", "env": "prod"}
    assert document.metadata.labels["env"] == ["prod"]


def test_slice_in_minutes_is_a_shorthand() -> None:
    document, _ = read(BOUND.replace("3m", "17"))
    assert isinstance(document, OpenSLO)
    assert document.spec.objectives[0].time_slice_window == Shorthand(17, "m", bare=True)


def test_connection_details_are_in_no_text_of_the_document() -> None:
    document, _ = read(SOURCE.replace("url: http://example.com", "password: hunter2"))
    assert document is not None
    assert "hunter2" not in f"{document!r} {document}"


def test_metadata_of_the_other_kinds_is_not_openslo_s() -> None:
    from slo_compiler.documents.inference_slo import InferenceSLO

    assert InferenceSLO.model_fields["metadata"].annotation is not Metadata


def test_a_field_is_read_only_by_the_name_that_documents_give_it() -> None:
    _, found = read(SLO.replace("{displayName: most", "{display_name: most"))
    assert [(d.code.name, d.span.line, d.hint) for d in found] == [("SLO201", 18, "did you mean displayName?")]
