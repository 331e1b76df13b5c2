"""Compiles one spec and asks the real promtool what its rules make of hand-drawn scrapes.

Nothing here knows the generated tests: series are drawn as functions of time, expectations are numbers of the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.documents.config import Config
from slo_compiler.emit import rules
from slo_compiler.emit.base import Context
from slo_compiler.external import promtool
from slo_compiler.ir import Spec
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment

MINUTE, HOUR, DAY = 60, 3600, 86400
SLOT = 5  # seconds between the slots of a drawn series
SCRAPE = 15
PHASE = 5  # scrapes lie between evaluations: on the edge of a range, Prometheus 2 and 3 differ

# What a counter stands at, or a gauge shows, at a second of the test; None is a target that does not expose it.
Course = Callable[[float], float | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with the group that evaluates it."""

    group: str
    interval: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it records, or how it alerts."""
        return str(self.body.get("record", self.body.get("alert")))

    @property
    def seconds(self) -> int:
        """How often it is evaluated, which is the length of the tiles that its group reads."""
        return int(self.interval[:-1]) * {"s": 1, "m": MINUTE}[self.interval[-1]]

    @property
    def level(self) -> str:
        """`fast`, `slow` or `engine`: what its group is called."""
        return self.group.rpartition(" ")[2]

    @property
    def owner(self) -> str:
        """The SLO, or the spec, that its group belongs to."""
        return self.group.rpartition(" ")[0]

    @property
    def expr(self) -> str:
        """Its PromQL."""
        return str(self.body["expr"])


@dataclass(slots=True)
class Compiled:
    """A spec that went through the compiler, with its rule file on disk where it has one."""

    folder: Path
    diagnostics: list[Diagnostic]
    spec: Spec | None = None
    rules: list[Rule] = field(default_factory=list)

    @property
    def rule_file(self) -> Path:
        """The file that promtool reads."""
        return self.folder / "rules.yaml"

    def codes(self) -> set[str]:
        """The codes of all findings."""
        return {diagnostic.code.name for diagnostic in self.diagnostics}

    def message(self, code: str) -> str:
        """The message of the first finding of a code."""
        return next(found.message for found in self.diagnostics if found.code.name == code)

    def only(self, name: str) -> Rule:
        """The one rule of a name."""
        (found,) = [rule for rule in self.rules if rule.name == name]
        return found

    def only_of(self, slo_id: str, name: str) -> Rule:
        """The one rule of a name and an SLO."""
        (found,) = [rule for rule in self.rules if rule.name == name and rule.body["labels"]["slo_id"] == slo_id]
        return found

    def records(self) -> list[Rule]:
        """The recording rules."""
        return [rule for rule in self.rules if "record" in rule.body]

    def tiers(self) -> set[str]:
        """The tiers that have an alert on a burn rate."""
        return {rule.body["labels"]["tier"] for rule in self.rules if rule.name.startswith("SLOBurnRate")}

    def check(self) -> promtool.Result:
        """`promtool check rules`."""
        return promtool.check_rules(promtool.find_promtool(), [self.rule_file])


def compile_text(folder: Path, text: str, **prometheus: Any) -> Compiled:
    """Compiles the text of one spec; `prometheus` is that part of the configuration.

    With an error, there are findings and no rules.
    """
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    config = Config.model_validate({"prometheus": prometheus})
    checked = check_files([str(path)], Environment(config))
    found = Compiled(folder, checked.diagnostics)
    if checked.failed:
        return found
    (found.spec,) = checked.specs
    (artifact,) = rules.emit(found.spec, Context())
    found.rule_file.write_text(artifact.text, encoding="utf-8")
    for group in yaml.safe_load(artifact.text)["groups"]:
        found.rules += [Rule(group["name"], group["interval"], body) for body in group["rules"]]
    return found


class Case:
    """One promtool unit test: scrapes in, assertions out.

    Args:
        step: seconds between evaluations; promtool ignores the groups' own intervals, so 30 proves the fast group and
            240 the slow one.
        slot: seconds between the values of a series.
    """

    def __init__(self, compiled: Compiled, length: int, *, step: int = 30, slot: int = SLOT) -> None:
        self._compiled = compiled
        self._length = length
        self._step = step
        self._slot = slot
        self._series: list[dict[str, str]] = []
        self._checks: list[dict[str, Any]] = []

    def scraped(self, series: str, course: Course, *, phase: int = PHASE, scrape: int = SCRAPE) -> None:
        """A series as a scraper sees it; where it disappears, a staleness marker is written."""
        slots = []
        present = False
        for time in range(0, self._length + self._slot, self._slot):
            if time % scrape != phase:  # between two scrapes
                slots.append("_")
                continue
            value = course(time)
            slots.append(repr(value) if value is not None else "stale" if present else "_")
            present = value is not None
        self._series.append({"series": series, "values": " ".join(slots)})

    def recorded(self, series: str, course: Course) -> None:
        """A series with a value in every slot, such as a tile."""
        values = [course(time) for time in range(0, self._length + self._slot, self._slot)]
        text = " ".join("_" if value is None else repr(value) for value in values)
        self._series.append({"series": series, "values": text})

    def drawn(self, series: str, values: str) -> None:
        """A series in promtool's own notation, a value to each slot."""
        self._series.append({"series": series, "values": values})

    def between(self, at: int, expr: str, low: float, high: float, *, count: int = 1) -> None:
        """So many series of the expression exist and all lie in [low, high]."""
        self._expect(at, f"count({expr})", count)
        self._expect(at, f"count((({expr}) >= {low!r}) <= {high!r})", count)

    def about(self, at: int, expr: str, value: float, within: float = 0.005) -> None:
        """The one series of the expression has a value, but for a share."""
        slack = max(abs(value) * within, 1e-9)
        self.between(at, expr, value - slack, value + slack)

    def nothing(self, at: int, expr: str) -> None:
        """The expression has no series, not even NaN."""
        self._checks.append({"expr": expr, "eval_time": f"{at}s", "exp_samples": []})

    def firing(self, at: int, alert: str, **labels: str) -> None:
        """The alert fires."""
        self._expect(at, f"count({_alerts(alert, 'firing', labels)})", 1)

    def pending(self, at: int, alert: str, **labels: str) -> None:
        """The alert waits for its `for`."""
        self._expect(at, f"count({_alerts(alert, 'pending', labels)})", 1)

    def silent(self, at: int, alert: str, **labels: str) -> None:
        """The alert does not fire, and did not since the test began."""
        self.nothing(at, f"count_over_time({_alerts(alert, 'firing', labels)}[{at + 1}s])")

    def fired(self, since: int, at: int, alert: str, **labels: str) -> None:
        """The alert fired at least once in (since, at]."""
        found = f"count_over_time({_alerts(alert, 'firing', labels)}[{at - since}s])"
        self._expect(at, f"count({found} > 0)", 1)

    def never_nan(self, at: int) -> None:
        """No recording rule has written NaN since the test began."""
        for name in sorted({rule.name for rule in self._compiled.records()}):
            self.nothing(at, f"count_over_time(({name} != {name})[{at}s:{self._step}s])")

    def run(self) -> promtool.Result:
        """What promtool says."""
        document = {
            "rule_files": [self._compiled.rule_file.name],
            "evaluation_interval": f"{self._step}s",
            # Else an alert may read what the other group recorded a whole step ago.
            "group_eval_order": list(dict.fromkeys(rule.group for rule in self._compiled.rules)),
            "tests": [
                {
                    "interval": f"{self._slot}s",
                    "input_series": self._series,
                    "promql_expr_test": self._checks,
                }
            ],
        }
        path = self._compiled.folder / "case.test.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return promtool.test_rules(promtool.find_promtool(), [path])

    def prove(self) -> None:
        """Every expectation holds."""
        result = self.run()
        assert result.ok, result.output

    def _expect(self, at: int, expr: str, value: float) -> None:
        sample = {"labels": "{}", "value": value}
        self._checks.append({"expr": expr, "eval_time": f"{at}s", "exp_samples": [sample]})


def _alerts(alert: str, state: str, labels: Mapping[str, str]) -> str:
    matchers = {"alertname": alert, "alertstate": state, **labels}
    return "ALERTS{" + ",".join(f'{key}="{value}"' for key, value in matchers.items()) + "}"


@dataclass(frozen=True, slots=True)
class Read:
    """A series that an expression reads: over a range, or as it stands now (0 seconds)."""

    metric: str
    seconds: float

    @property
    def recorded(self) -> bool:
        """Whether some rule writes it."""
        return self.metric.startswith("slo:")


def nodes(expr: str) -> Iterator[Any]:
    """Every node of the expression's tree."""
    yield from _walk(promql_parser.parse(expr))


def reads(expr: str) -> Iterator[Read]:
    """Every selector of the expression."""
    for node in nodes(expr):
        if isinstance(node, promql_parser.MatrixSelector):
            yield Read(_metric(node.vector_selector), node.range.total_seconds())
        elif isinstance(node, promql_parser.VectorSelector):
            yield Read(_metric(node), 0.0)


def unwrapped(node: Any) -> Any:
    """The node without parentheses around it."""
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def _metric(selector: Any) -> str:
    return str(selector.name)


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for name in ("expr", "lhs", "rhs", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from _walk(child)
    for child in getattr(node, "args", None) or ():
        yield from _walk(child)
