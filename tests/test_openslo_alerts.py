"""OpenSLO's alert policies: each is a tier, in SLOs of OpenSLO and where an InferenceSLO names them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.documents.config import Config, Severities
from slo_compiler.ir import Spec, Tier
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.units import decimal_text

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: chat}
spec:
  service: assistant
  indicator:
    metadata: {name: answered}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'chat_total{job="chat",code="500"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'chat_total{job="chat"}'}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 26d, isRolling: true}]
  objectives: [{target: 0.987}]
  alertPolicies:
"""
POLICY = """\
    - kind: AlertPolicy
      metadata: {name: loud}
      spec:
        alertWhenBreaching: true
        conditions:
          - kind: AlertCondition
            metadata: {name: fast, annotations: {slo-compiler/short-window: 6m}}
            spec:
              severity: page
              condition: {kind: burnrate, op: gt, threshold: 7.5, lookbackWindow: 2h, alertAfter: 3m}
        notificationTargets:
          - kind: AlertNotificationTarget
            metadata: {name: phone}
            spec: {target: pagerduty}
"""
SHORT = ", annotations: {slo-compiler/short-window: 6m}"
INLINE = SLO + POLICY
INFERENCE = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: writer}
spec:
  service: assistant
  model: acme/writer
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm-chat}
  objectives:
    - {sli: availability, target: 98.7%, source: {bad: 'gw_total{job="gw",code=~"5.."}', total: 'gw_total{job="gw"}'}}
  alerting: {policy: [loud, quiet]}
"""
NAMED = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: %s}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: fast, annotations: {slo-compiler/short-window: 6m}}
      spec:
        severity: %s
        condition: {kind: burnrate, op: gt, threshold: %s, lookbackWindow: 2h}
  notificationTargets:
    - kind: AlertNotificationTarget
      metadata: {name: phone}
      spec: {target: pagerduty}
"""


def check(*texts: str, compiling: bool = True, config: Config | None = None) -> Checked:
    files = [load_bytes(text.encode(), f"file{number}.yaml") for number, text in enumerate(texts)]
    return check_loaded(files, Environment(config or Config()), compiling=compiling)


def serious(checked: Checked) -> list[Diagnostic]:
    return [d for d in checked.diagnostics if d.severity is not Severity.INFO]


def only_spec(*texts: str) -> Spec:
    checked = check(*texts)
    assert not serious(checked), checked.diagnostics
    (spec,) = checked.specs
    return spec


def only_tier(text: str) -> Tier:
    (tier,) = only_spec(text).slos[0].tiers
    return tier


def test_a_policy_is_a_tier() -> None:
    tier = only_tier(INLINE)
    assert (tier.name, tier.severity, tier.long.name, tier.short.name) == ("loud", "page", "2h", "6m")
    assert (decimal_text(tier.factor), str(tier.hold), tier.guard) == ("7.5", "3m", 0)
    assert tier.keep_firing_for.seconds == 0
    assert tier.labels == (("notification_target", "phone"),)


def test_gte_is_read_as_gt() -> None:
    assert only_tier(INLINE.replace("op: gt", "op: gte")) == only_tier(INLINE)


def test_without_policies_the_default_alerts() -> None:
    tiers = only_spec(SLO).slos[0].tiers
    assert [(tier.severity, tier.long.name, tier.short.name) for tier in tiers] == [
        ("page", "1h", "5m"),
        ("page", "6h", "30m"),
        ("ticket", "3d", "6h"),
    ]
    assert not any(tier.labels for tier in tiers)


@pytest.mark.parametrize(
    ("long", "short"),
    # A twelfth, a multiple of 30 s up to an hour and of 4 min above, and two of them at least.
    [("2m", "1m"), ("11m", "1m"), ("50m", "4m"), ("7h", "35m"), ("13h", "1h4m"), ("5d", "10h"), ("1w", "14h")],
)
def test_the_short_window_is_a_twelfth_of_the_long_one(long: str, short: str) -> None:
    checked = check(INLINE.replace(SHORT, "").replace("2h", long))
    assert not serious(checked)
    assert checked.specs[0].slos[0].tiers[0].short.name == short
    (found,) = [d for d in checked.diagnostics if d.code.name == "SLO508"]
    assert (found.span.line, found.span.column) == (26, 83)
    assert found.hint == f"annotations: {{slo-compiler/short-window: {short}}}"


def test_annotations_say_what_a_condition_has_no_field_for() -> None:
    own = ", slo-compiler/tier: 7x, slo-compiler/keep-firing-for: 11m, slo-compiler/min-bad-events: '13'}"
    tier = only_tier(INLINE.replace("short-window: 6m}", f"short-window: 6m{own}"))
    assert (tier.name, str(tier.keep_firing_for), tier.guard) == ("7x", "11m", 13)


def test_names_of_several_targets_are_one_label() -> None:
    more = """\
          - kind: AlertNotificationTarget
            metadata: {name: board}
            spec: {target: slack}
"""
    assert only_tier(INLINE + more).labels == (("notification_target", "phone,board"),)


@pytest.mark.parametrize(
    ("written", "severity", "alert", "label"),
    [
        ("page", "page", "SLOBurnRatePage", "critical"),
        ("critical", "page", "SLOBurnRatePage", "critical"),
        ("ticket", "ticket", "SLOBurnRateTicket", "warn"),
        ("warn", "ticket", "SLOBurnRateTicket", "warn"),
        ("info", "info", "SLOBurnRateTicket", "info"),
        ("'{{ high }}'", "{{ high }}", "SLOBurnRateTicket", '{{ "{{" }} high }}'),
    ],
)
def test_severity_is_one_that_is_configured_or_a_text(written: str, severity: str, alert: str, label: str) -> None:
    from slo_compiler.emit.alerts import burn_rate_alert

    config = Config(severities=Severities(page="critical", ticket="warn"))
    checked = check(INLINE.replace("severity: page", f"severity: {written}"), config=config)
    (spec,) = checked.specs
    (tier,) = spec.slos[0].tiers
    assert tier.severity == severity
    rule = burn_rate_alert(spec, spec.slos[0], tier)
    assert (rule["alert"], rule["labels"]["severity"]) == (alert, label)
    assert rule["labels"]["notification_target"] == "phone"


@pytest.mark.parametrize(("written", "watched"), [("true", True), ("false", False)])
def test_loss_of_data_alerts_where_a_policy_says_so(written: str, watched: bool) -> None:
    text = INLINE.replace("alertWhenBreaching: true", f"alertWhenBreaching: true\n        alertWhenNoData: {written}")
    assert bool(only_spec(text).sources) is watched
    assert only_spec(SLO).sources


def test_a_policy_that_does_not_alert_on_breaches_gives_no_tier_and_burn_rates_stay_recorded() -> None:
    text = INLINE.replace("alertWhenBreaching: true", "alertWhenBreaching: false\n        alertWhenNoData: true")
    slo = only_spec(text).slos[0]
    assert not slo.tiers
    assert [window.name for window in slo.windows] == ["5m", "30m", "1h", "6h", "3d"]


def test_policies_of_equal_names_and_windows_are_told_apart() -> None:
    tiers = only_spec(INLINE + POLICY.replace("7.5", "3") + POLICY.replace("7.5", "2")).slos[0].tiers
    assert [tier.name for tier in tiers] == ["loud", "loud-2h", "loud-2h-2"]


def test_a_policy_named_default_is_its_owner_s() -> None:
    (found,) = serious(check(INLINE.replace("name: loud", "name: default").replace("7.5", "80")))
    assert (found.code.name, found.severity) == ("SLO501", Severity.ERROR)


# What to replace in the SLO with its policy, and code, severity, line and column; the hint.
E, W = Severity.ERROR, Severity.WARNING
FAULTS = {
    "a burn rate that the budget cannot reach": ("7.5", "80", ("SLO501", E, E, 15, 25), "threshold: 69.2 or less"),
    "a window over half the period": ("2h", "14d", ("SLO503", E, E, 14, 27), "duration: 28d"),
    "an alert while all is well": ("op: gt", "op: lt", ("SLO206", E, W, 26, 47), "op: gt"),
    "a burn rate of 0": ("7.5", "0", ("SLO206", E, W, 26, 62), "threshold: 14.4"),
    "a burn rate under 0": ("7.5", "-2", ("SLO206", E, W, 26, 62), "threshold: 14.4"),
    "a burn rate of no limit": ("7.5", "1e200", ("SLO206", E, W, 26, 62), "threshold: 14.4"),
    "a window that is no multiple of its step": ("2h", "90m", ("SLO206", E, W, 26, 83), "lookbackWindow: 88m"),
    "a window of one evaluation": ("2h", "1m", ("SLO206", E, W, 26, 83), "lookbackWindow: 2m"),
    "a wait of centuries": ("alertAfter: 3m", "alertAfter: 842972Q", ("SLO206", E, W, 26, 99), "alertAfter: 15m"),
    "a short window that is no duration": ("window: 6m", "window: soon", ("SLO203", E, E, 23, 77), "short-window: 5m"),
    "a short window as long as the long one": ("window: 6m", "window: 2h", ("SLO203", E, E, 23, 77), "short-window: 10m"),
    "a short window that is no multiple": ("window: 6m", "window: 7s", ("SLO203", E, E, 23, 77), "multiples of their step"),
    "a number of events that is none": (
        "window: 6m",
        "window: 6m, slo-compiler/min-bad-events: few",
        ("SLO203", E, E, 23, 110),
        "min-bad-events: '3'",
    ),
    "a policy that never alerts": (
        "alertWhenBreaching: true",
        "alertWhenBreaching: false",
        ("SLO501", W, W, 20, 9),
        "alertWhenBreaching: true",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected", "hint"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_with_a_policy_is_told(
    old: str, new: str, expected: tuple[str, Severity, Severity, int, int], hint: str
) -> None:
    assert INLINE.count(old) == 1
    code, compiling, validating, line, column = expected
    for mode, severity in ((True, compiling), (False, validating)):
        found = serious(check(INLINE.replace(old, new), compiling=mode))
        assert [(d.code.name, d.severity, d.span.line, d.span.column) for d in found] == [
            (code, severity, line, column)
        ]
        assert hint in found[0].hint


def test_resolved_alerts_are_alertmanager_s() -> None:
    checked = check(
        INLINE.replace("alertWhenBreaching: true", "alertWhenBreaching: true\n        alertWhenResolved: true")
    )
    assert not serious(checked)
    (found,) = [d for d in checked.diagnostics if d.code.name == "SLO206"]
    assert (found.severity, found.span.line, found.span.column) == (Severity.INFO, 21, 9)
    assert len(checked.specs) == 1


def test_an_inverted_condition_that_nobody_uses_is_a_warning() -> None:
    text = NAMED % ("loud", "page", "7.5")
    (found,) = serious(check(text.replace("op: gt", "op: lte")))
    assert (found.code.name, found.severity, found.span.line, found.span.column) == ("SLO206", Severity.WARNING, 11, 41)


def test_an_inverted_condition_that_two_slos_use_is_told_once() -> None:
    used = SLO + "    - alertPolicyRef: loud\n"
    other = used.replace("name: chat}", "name: other}")
    (found,) = serious(check(used, other, (NAMED % ("loud", "page", "7.5")).replace("op: gt", "op: lte")))
    assert (found.severity, found.span.path, found.span.line) == (Severity.ERROR, "file2.yaml", 11)


def test_an_inference_slo_names_alert_policies() -> None:
    spec = only_spec(INFERENCE, NAMED % ("loud", "page", "7.5"), NAMED % ("quiet", "low", "2"))
    (slo,) = spec.slos
    assert [(tier.name, tier.severity, decimal_text(tier.factor), tier.labels) for tier in slo.tiers] == [
        ("loud", "page", "7.5", (("notification_target", "phone"),)),
        ("quiet", "low", "2", (("notification_target", "phone"),)),
    ]
    assert spec.sources


def test_an_inference_slo_of_another_mode_makes_tickets_of_them() -> None:
    text = INFERENCE.replace("{policy: [loud, quiet]}", "{policy: [loud], mode: ticket}")
    (tier,) = only_spec(text, NAMED % ("loud", "page", "7.5")).slos[0].tiers
    assert (tier.severity, str(tier.hold)) == ("ticket", "15m")


def test_an_alert_policy_that_an_inference_slo_misspells_is_told_at_its_name() -> None:
    (found,) = serious(check(INFERENCE, NAMED % ("loud", "page", "7.5"), NAMED % ("quit", "low", "2")))
    assert (found.code.name, found.span.line, found.span.column) == ("SLO204", 11, 29)
    assert found.hint == "did you mean quit?"


def test_a_tier_of_an_alert_policy_that_cannot_fire_is_an_error_of_an_inference_slo_too() -> None:
    (found,) = serious(check(INFERENCE, NAMED % ("loud", "page", "80"), NAMED % ("quiet", "low", "2")))
    assert (found.code.name, found.severity, found.span.line) == ("SLO501", Severity.ERROR, 10)


@pytest.mark.promtool
def test_rules_of_alert_policies_hold_in_promtool(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    specs.mkdir()
    texts = [
        INLINE
        + POLICY.replace("name: loud", "name: quiet").replace("7.5", "1.25").replace("severity: page", "severity: low"),
        INFERENCE,
        NAMED % ("loud", "page", "7.5"),
        NAMED % ("quiet", "low", "2"),
        (SLO + POLICY)
        .replace("name: chat}", "name: silent}")
        .replace("alertWhenBreaching: true", "alertWhenNoData: true"),
    ]
    for number, text in enumerate(texts):
        (specs / f"{number}.yaml").write_text(text, "utf-8")
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["compile", str(specs), "-o", str(out)])
    assert done.exit_code == 0, done.output
    proven = CliRunner().invoke(cli, ["test", str(out)])
    assert proven.exit_code == 0, proven.output
    rules = [
        rule
        for path in sorted((out / "rules").rglob("*.yaml"))
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
        for rule in group["rules"]
    ]
    tiers = [rule["labels"] for rule in rules if rule.get("alert", "").startswith("SLOBurnRate")]
    assert sorted((labels["slo"], labels["tier"], labels["severity"]) for labels in tiers) == [
        ("chat", "loud", "page"),
        ("chat", "quiet", "low"),
        ("writer-availability", "loud", "page"),
        ("writer-availability", "quiet", "low"),
    ]
