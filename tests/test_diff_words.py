"""What a reviewer reads for each kind of change, how renames are found, and why something moved."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from slo_compiler.diff.change import Change
from slo_compiler.diff.compare import difference
from slo_compiler.diff.report import render_text, to_markdown
from slo_compiler.diff.sides import Side, side_of_specs
from slo_compiler.documents.config import Config
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.write.manifest import sha256

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat, labels: {team: talk}}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {namespace: prod}
  experienceClass: conversational
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives:
    - {sli: ttft, threshold: 300ms, target: 99%}
  alerting: {queueWaitingPerReplica: 24}
"""
RATIO = "    - {sli: ratio, name: grounded, target: 99%, good: 'good_total{a=\"x\"}', total: 'all_total{a=\"x\"}'}\n"
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: lag}
spec:
  service: search
  indicator:
    metadata: {name: lag}
    spec:
      thresholdMetric:
        metricSource: {type: Prometheus, spec: {query: 'max(index_lag_seconds{app="x"})'}}
  budgetingMethod: Timeslices
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{op: lte, value: 900, target: 0.97, timeSliceTarget: 1, timeSliceWindow: 2m}]
"""


def side(text: str, path: str = "specs/chat.yaml", **facts: str) -> Side:
    checked = check_loaded([load_bytes(text.encode(), path)], Environment())
    assert not checked.failed, checked.diagnostics
    return side_of_specs(checked.specs, "1.2.3", {path: sha256(text.encode())}, facts)


def changes(old: str, new: str) -> tuple[Change, ...]:
    return difference(side(old), side(new)).changes


def edited(*pairs: tuple[str, str], text: str = SPEC) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def texts(old: str, new: str) -> list[str]:
    return [change.text for change in changes(old, new)]


FROM_NOW_ON = "(from now on: what is recorded stays as it was judged)"
AT_ONCE = "(retroactive: attainment of the last 28d is judged by the new target at once)"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            ("target: 99%", "target: 99.9%"),
            ("target: 99%", "target: 99.5%"),
            [
                f"target 99.9% -> 99.5%, looser: budget 40 -> 201 minutes of total failure in 28d {AT_ONCE}",
                "alerts 14.4x over 1.44%, 6x over 0.6%, 1x over 0.1% -> 14.4x over 7.2%, 6x over 3%, 1x over 0.5%, looser: "
                "pages at an error ratio over 7.2% (was 1.44%) in 1h; a total failure is found after 4m19.2s (was 51.84s)",
            ],
            id="a looser target",
        ),
        pytest.param(
            ("300ms", "300ms"),
            ("300ms", "400ms"),
            ["threshold 300ms -> 400ms, looser: measured at 500ms as before, no event is judged otherwise"],
            id="a looser promise that is measured at the same edge",
        ),
        pytest.param(
            ("300ms", "300ms"),
            ("300ms", "250ms"),
            [f"threshold 300ms -> 250ms, tighter: measured at 250ms (was 500ms) {FROM_NOW_ON}"],
            id="a tighter promise that is measured at another edge",
        ),
        pytest.param(
            ("  objectives", "  objectives"),
            ("  objectives", "  bucketPolicy: floor\n  objectives"),
            [f"measured 500ms -> 250ms, tighter: promised are 300ms as before {FROM_NOW_ON}"],
            id="another edge for the same promise",
        ),
        pytest.param(
            ("28d", "28d"),
            ("28d", "56d"),
            [
                "period 28d -> 56d, looser: budget 403 -> 806 minutes of total failure "
                "(retroactive: the new period is filled as far back as its events are recorded)"
            ],
            id="a longer period",
        ),
        pytest.param(
            ("namespace: prod", "namespace: prod"),
            ("namespace: prod", "namespace: live"),
            [f'selector namespace="prod" -> namespace="live": counts other events {FROM_NOW_ON}'],
            id="another selector",
        ),
        pytest.param(
            ("24}", "24, mode: ticket}"),
            ("24}", "24}"),
            ["mode ticket -> page, tighter: somebody is paged"],
            id="somebody is paged",
        ),
        pytest.param(
            ("24}", "24}"),
            ("24}", "24, mode: none}"),
            ["mode page -> none, looser: there are no alerts"],
            id="nobody is told",
        ),
        pytest.param(
            ("24}", "24}"),
            ("24}", "24, minBadEvents: 11}"),
            [
                "alert 14.4x with more than 3 bad events -> with more than 11 bad events, looser",
                "alert 6x with more than 4 bad events -> with more than 11 bad events, looser",
            ],
            id="a guard of bad events",
        ),
        pytest.param(
            ("24}", "24}"),
            ("24}", "24, worstReplica: true}"),
            [
                "added alert on the worst replica over 6% and more than 10 bad in 30m by label instance, for 30m, tighter",
            ],
            id="the worst replica is watched",
        ),
        pytest.param(
            ("24}", "24}"),
            ("24}", "24, degradation: true}"),
            [
                "added level at which a gateway reduces its load over 1% and more than 3 beyond 600ms "
                "(measured at 750ms) in 30s, tighter"
            ],
            id="a level for gateways",
        ),
        pytest.param(
            (": 24}", ": 24}"),
            (": 24}", ": 12}"),
            ["early warning on the queue over 24 waiting per replica -> over 12 waiting per replica, tighter"],
            id="an earlier warning",
        ),
        pytest.param(
            ("24}", "24}"),
            ("24}", "24, expectIdle: true}"),
            ["expectIdle false -> true, looser: no traffic and no targets raise no alert"],
            id="idle is normal",
        ),
        pytest.param(
            ("team: talk", "team: talk"),
            ("team: talk", "team: voice"),
            [
                "label team talk -> voice: routes and silences of its alerts may go by it",
                "team talk -> voice",
            ],
            id="another team",
        ),
        pytest.param(
            ("  objectives", "  objectives"),
            ("  objectives", "  waivers: [{code: SLO301, reason: agreed, until: 2027-03-01}]\n  objectives"),
            ["added waiver SLO301 until 2027-03-01 (agreed), looser"],
            id="a waiver",
        ),
        pytest.param(
            ("  objectives", "  waivers: [{code: SLO301, reason: agreed, until: 2027-03-01}]\n  objectives"),
            ("  objectives", "  waivers: [{code: SLO301, reason: agreed, until: 2027-02-01}]\n  objectives"),
            ["waiver SLO301 until 2027-03-01 (agreed) -> until 2027-02-01 (agreed), tighter"],
            id="a shorter waiver",
        ),
        pytest.param(
            ("  objectives", "  objectives"),
            (
                "  objectives",
                "  budgetAdjustments: [{from: 2027-03-01T10:00:00Z, to: 2027-03-01T12:30:00Z, reason: region lost}]\n"
                "  objectives",
            ),
            [
                "added adjustment 2027-03-01T10:00:00Z to 2027-03-01T12:30:00Z (region lost), looser: "
                "(retroactive: its events leave the period's sums)"
            ],
            id="an incident that does not count",
        ),
        pytest.param(
            ("  objectives", "  exemptions: [{kind: cold-start, for: 3m, maxPerPeriod: 2h}]\n  objectives"),
            ("  objectives", "  exemptions: [{kind: cold-start, for: 3m, maxPerPeriod: 1h}]\n  objectives"),
            [f"exemption cold-start: each replica's first 3m, 2h at most -> 1h at most, tighter: {FROM_NOW_ON}"],
            id="less is exempt",
        ),
        pytest.param(
            ("24}\n", "24}\n"),
            ("24}\n", "24}\n  autoscaling: {target: chat, maxReplicas: 7, triggers: [queue-depth]}\n"),
            ["added autoscaling Deployment/chat in prod, 1 to 7 replicas by queue-depth 24"],
            id="a workload that follows",
        ),
        pytest.param(
            ("spec:", "spec:"),
            ("spec:", "spec:\n  description: For customers"),
            ["description none -> For customers"],
            id="a description",
        ),
        pytest.param(
            ("24}", "24}"),
            ("24}", "24}\n  traffic: {requestsPerHour: 1800}"),
            ["expected traffic none -> 1800 requests/h"],
            id="an expected traffic",
        ),
    ],
)
def test_words(old: tuple[str, str], new: tuple[str, str], expected: list[str]) -> None:
    assert texts(edited(old), edited(new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("value: 900", "value: 600", [f"bound <= 900 -> <= 600, tighter: {FROM_NOW_ON}"]),
        ("op: lte, value: 900", "op: gte, value: 900", [f"bound <= 900 -> >= 900: {FROM_NOW_ON}"]),
        ("'max(", "'min(", None),
    ],
    ids=["a lower bound", "another comparison", "another query"],
)
def test_words_of_openslo(old: str, new: str, expected: list[str] | None) -> None:
    found = texts(OPENSLO, edited((old, new), text=OPENSLO))
    if expected is None:
        expected = [
            'value read from max(index_lag_seconds{app="x"}) -> min(index_lag_seconds{app="x"}): '
            f"counts other events {FROM_NOW_ON}"
        ]
    assert found == expected


def test_an_slo_that_comes_says_what_it_promises_and_what_it_may_cost() -> None:
    assert texts(SPEC, edited(("  alerting", f"{RATIO}  alerting"))) == [
        "added SLO chat-grounded, tighter: 99% of events: good events; budget 403 minutes in 28d"
    ]
    (gone,) = changes(edited(("  alerting", f"{RATIO}  alerting")), SPEC)
    assert (gone.kind.value, gone.slo_id, gone.direction.value) == ("removed", "assistant/chat-grounded", "looser")
    assert gone.budget is not None and gone.budget.new is None


def test_a_promise_with_reset_on_change_begins_a_history() -> None:
    old = edited(("  objectives", "  resetOnChange: true\n  objectives"))
    new = edited(("99%", "99.5%"), text=old)
    found = changes(old, new)
    assert [change.field for change in found] == ["identity", "target", "alerts"]
    assert "resetOnChange: the promise changed, its history, budget and silences begin anew" in found[0].text
    assert [change.effect.value for change in found if change.effect is not None] == ["afresh", "afresh"]
    assert "retroactive" not in render_text(found)
    assert "resetOnChange was switched" in texts(SPEC, old)[0]


def pasted(text: str, annotation: str) -> str:
    """A spec with an annotation as the report says it."""
    head, name, rest = text.partition("metadata: {name: ")
    label, _, rest = rest.partition("\n")
    key, _, value = annotation.partition(": ")
    body = label.rstrip("}").partition(", labels")[0] if "labels" not in label else label[:-1]
    return f'{head}{name}{body}, annotations: {{{key}: "{value}"}}}}\n{rest}'


def test_a_budget_that_moves_a_little_is_shown_to_move() -> None:
    old = edited(("target: 99%", "target: 99.9%"))
    (target, _) = texts(old, edited(("99.9%", "99.899%"), text=old))
    assert target == ("target 99.9% -> 99.899%, looser: budget 40.3 -> 40.7 minutes of total failure in 28d " + AT_ONCE)


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [("page", "ticket", "looser"), ("ticket", "page", "tighter")],
)
def test_who_is_woken_is_told_whatever_severities_are_called(old: str, new: str, direction: str) -> None:
    policy = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: own}
spec: {tiers: [{factor: 13, longWindow: 1h, shortWindow: 5m, severity: SEVERITY}]}
"""
    environment = Environment(Config.model_validate({"severities": {"page": "critical", "ticket": "P3"}}))
    sides = []
    for severity in (old, new):
        spec = edited(("alerting: {", "alerting: {policy: own, "))
        text = f"{spec}---\n{policy.replace('SEVERITY', severity)}"
        checked = check_loaded([load_bytes(text.encode(), "specs/chat.yaml")], environment)
        assert not checked.failed, checked.diagnostics
        sides.append(side_of_specs(checked.specs, "1.2.3", {"specs/chat.yaml": sha256(text.encode())}, {}))
    (found,) = difference(*sides).changes
    assert (found.field, found.direction.value) == ("alert 13x", direction)


class TestRenames:
    @pytest.mark.parametrize(
        ("old", "edits"),
        [
            pytest.param(SPEC, [("name: chat,", "name: talk,")], id="a spec"),
            pytest.param(SPEC, [("service: assistant", "service: desk")], id="a service"),
            pytest.param(SPEC, [("name: chat,", "name: talk,"), ("300ms", "250ms")], id="a spec that also changes"),
            pytest.param(OPENSLO, [("name: lag}\nspec:\n  service", "name: age}\nspec:\n  service")], id="an OpenSLO"),
        ],
    )
    def test_the_line_to_paste_keeps_the_history(self, old: str, edits: list[tuple[str, str]]) -> None:
        new = edited(*edits, text=old)
        found = [change for change in changes(old, new) if change.kind.value == "renamed"]
        assert len(found) == 1 and found[0].paste.startswith("slo-compiler/id: ")
        assert found[0].text.endswith(found[0].paste)
        assert not [change for change in changes(old, new) if change.kind.value in ("added", "removed")]
        kept = changes(old, pasted(new, found[0].paste))
        assert [change.note for change in kept if change.kind.value == "renamed"] == [
            "its identity stays, and with it its history"
        ]
        assert all(change.effect is None or change.effect.value != "afresh" for change in kept)

    def test_a_renamed_objective_is_told_to_keep_its_name(self) -> None:
        old = edited(("{sli: ttft,", "{sli: ttft, name: first,"))
        (found,) = changes(old, edited(("{sli: ttft,", "{sli: ttft, name: start,")))
        assert found.kind.value == "renamed"
        assert found.text.endswith("leave the end of its name as it was: first")

    def test_a_renamed_file_with_the_same_names_is_only_moved(self) -> None:
        found = difference(side(SPEC), side(SPEC, "specs/other/chat.yaml")).changes
        assert [change.text for change in found] == ["file specs/chat.yaml -> specs/other/chat.yaml"]

    def test_a_spec_that_moves_and_is_renamed_is_found_by_what_it_says(self) -> None:
        new = side(edited(("name: chat,", "name: talk,")), "specs/talk.yaml")
        assert [change.kind.value for change in difference(side(SPEC), new).changes] == ["changed", "renamed"]

    def test_what_says_something_else_elsewhere_is_no_rename(self) -> None:
        new = side(edited(("name: chat,", "name: talk,"), ("acme/chat", "acme/other")), "specs/talk.yaml")
        assert [change.kind.value for change in difference(side(SPEC), new).changes] == ["removed", "added"]

    @pytest.mark.parametrize(
        ("new", "kinds"),
        [
            (edited(("name: chat,", "name: talk,"), ("acme/chat", "acme/other")), ["removed", "added"]),
            (edited(("name: chat,", "name: talk,")), ["renamed"]),
            (edited(("name: chat,", "name: talk,"), ("300ms", "250ms")), ["renamed", "changed"]),
            (OPENSLO.replace("lag", "age"), ["removed", "added"]),
        ],
        ids=["of another model", "of the same model", "of the same model that also changes", "of another kind"],
    )
    def test_in_a_file_of_several_one_that_goes_beside_one_that_comes_is_a_rename_only_of_the_same(
        self, new: str, kinds: list[str]
    ) -> None:
        other = edited(("name: chat,", "name: write,"), ("acme/chat", "acme/write"))
        found = changes(f"{SPEC}---\n{other}", f"{other}---\n{new}")
        assert sorted(change.kind.value for change in found) == sorted(kinds)

    def test_in_a_file_of_several_objects_that_read_others_are_none(self) -> None:
        old = f"{OPENSLO}---\n{SPEC}"
        moved = OPENSLO.replace("{name: lag}\nspec:\n  service", "{name: age}\nspec:\n  service")
        assert [change.kind.value for change in changes(old, f"{moved}---\n{SPEC}")] == ["renamed"]
        other = moved.replace("index_lag_seconds", "index_age_seconds")
        assert [change.kind.value for change in changes(old, f"{other}---\n{SPEC}")] == ["added", "removed"]

    def test_the_rename_of_a_spec_is_told_once(self) -> None:
        two = edited(("  alerting", f"{RATIO}  alerting"))
        text = " ".join(render_text(changes(two, edited(("name: chat,", "name: talk,"), text=two))).split())
        assert "renamed assistant/chat -> assistant/talk (in 2 SLOs: talk-grounded, talk-ttft): its history" in text
        assert text.count("slo-compiler/id: assistant/chat") == 1


class TestCauses:
    """Why an SLO of the same text is another one: by what the manifests say of catalogs and compilers."""

    @staticmethod
    def moved(field: str, value: Any, **facts: str) -> Change:
        old = side(SPEC, catalog="a", engines="a", policies="a", configuration="a", code="a")
        new = replace(old, facts={**old.facts, **facts})
        document = old.documents[0]
        slos = [{**slo, field: value(slo[field])} for slo in document["slos"]]
        found = difference(old, replace(new, documents=({**document, "slos": slos},))).changes
        assert len(found) == 1, found
        return found[0]

    @pytest.mark.parametrize(
        ("field", "facts", "cause"),
        [
            ("measured", {"engines": "b"}, "engine"),
            ("measured", {"code": "b"}, "compiler"),
            ("measured", {"engines": "b", "code": "b"}, "engine"),
            ("measured", {"templates": "b"}, "compiler"),
            ("measured", {"configuration": "b"}, "configuration"),
            ("measured", {}, "configuration"),
        ],
        ids=str,
    )
    def test_measured(self, field: str, facts: dict[str, str], cause: str) -> None:
        found = self.moved(field, lambda seconds: seconds * 2, **facts)
        assert found.causes[0].value == cause
        assert f"moved by the {cause}, not by the spec" in found.text

    @pytest.mark.parametrize(
        ("facts", "cause"), [({"policies": "b"}, "policy"), ({"catalog": "b"}, "catalog"), ({"code": "b"}, "compiler")]
    )
    def test_tiers(self, facts: dict[str, str], cause: str) -> None:
        def slower(tiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [{**tiers[0], "for": 120}, *tiers[1:]]

        found = self.moved("tiers", slower, **facts)
        assert (found.causes[0].value, found.direction.value) == (cause, "looser")
        assert found.headline == "alert 14.4x for 0s -> for 2m"

    @pytest.mark.parametrize(
        ("origin", "cause"),
        [("use case chatbot, built-in catalog", "catalog"), ("the objective", "spec")],
        ids=["the same origin", "an origin of its own"],
    )
    def test_a_spec_that_changed_beside_the_catalog(self, origin: str, cause: str) -> None:
        """A number is the catalog's where both texts take it from there, else the spec's."""
        text = edited(
            ("experienceClass: conversational", "useCase: chatbot"), ("threshold: 300ms, target: 99%", "target: 99%")
        )
        old = side(text, catalog="a")
        new = side(edited(("metadata", "# changed\nmetadata"), text=text), catalog="b")
        (slo,) = new.documents[0]["slos"]
        provenance = [{**item, "origin": origin} if item["field"] == "promised" else item for item in slo["provenance"]]
        slo = {**slo, "promised": 0.2, "provenance": provenance}
        found = difference(old, replace(new, documents=({**new.documents[0], "slos": [slo]},))).changes
        assert [(change.field, change.causes[0].value) for change in found] == [("threshold", cause)]

    def test_a_version_of_the_compiler(self) -> None:
        old = side(SPEC)
        slo = {**old.documents[0]["slos"][0], "title": "time to the first token"}
        new = replace(old, compiler="1.3.0", documents=({**old.documents[0], "slos": [slo]},))
        (found,) = difference(old, new).changes
        assert found.causes[0].value == "compiler"


class TestReports:
    def test_a_long_comment_is_cut_before_hosts_refuse_it(self) -> None:
        found = difference(side(SPEC), side(edited(("99%", "98.5%"))))
        many = replace(
            found,
            changes=tuple(replace(found.changes[0], slo_id=f"a/{number}", was=str(number)) for number in range(900)),
        )
        text = to_markdown(many)
        assert 50_000 < len(text) < 65_536
        left = re.search(r"\.\.\. and ([0-9]+) more changes", text)
        assert left is not None and int(left[1]) + text.count("\n| a/") == 900

    def test_texts_of_specs_stay_text(self) -> None:
        hostile = edited(("spec:", 'spec:\n  description: "</details> | <!-- x --> \\e[31m `a` **b**"'))
        found = difference(side(SPEC), side(hostile))
        markdown, text = to_markdown(found), render_text(found.changes)
        assert re.search(r"(?<!\\)(</details>|<!-- x|`a|\*b)", markdown.removesuffix("</details>")) is None
        assert "\\</details\\> \\| \\<!-- x --\\>" in markdown
        assert "\x1b" not in markdown + text
