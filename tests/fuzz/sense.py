"""What makes drawn documents mean something: names that exist, fields that belong together, numbers that fit.

A schema does not say it, and without it nothing would get as far as the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from slo_compiler.documents.read import KINDS
from slo_compiler.slis import load_slis
from tests.fuzz.samples import Free

Data = dict[str, Any]


class Query(str):
    """PromQL with a value of a label in it, which may be exchanged for another text.

    Attributes:
        form: the query with `%s` where the quoted value stands.
        filler: the value.
    """

    form: str
    filler: str

    @classmethod
    def of(cls, form: str, filler: str) -> Query:
        made = cls(form.replace("%s", _quoted(filler)))
        made.form, made.filler = form, filler
        return made


class Pattern(str):
    """A regular expression that matches one text, which may be exchanged for another."""

    filler: str

    @classmethod
    def of(cls, filler: str) -> Pattern:
        made = cls(re.escape(filler))
        made.filler = filler
        return made


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


_APPS = ("chat", "gateway", "search")
_COUNTERS = tuple(
    (
        Query.of(f"{total}{{app=%s}}", app),
        Query.of(f'{total}{{app=%s,code=~"5.."}}', app),
        Query.of(f"good_{total}{{app=%s}}", app),
    )
    for total in ("gw_requests_total", "tool_calls_total")
    for app in _APPS
)
_RATES = "sum(rate(%s[{{.window}}]))"
_INCREASES = "sum(increase(%s[{{.window}}])) - sum(increase(stale_total{app=%%s}[{{.window}}]))"

TIMES = {"timeZone": ("Europe/Berlin", "UTC"), "startTime": ("2027-01-01 00:00:00",)}
# By the name of a field. What may be any text is `Free`, so that it can be exchanged for a hostile one.
POOLS: dict[str, tuple[Any, ...]] = {
    "service": ("assistant", "drafts", "search"),
    "model": (Free("acme/writer"), Free("meta-llama/Llama-3.1-70B")),
    "useCase": ("chatbot", "rag-chat", "translation", "voice-agent"),
    "experienceClass": ("conversational", "interactive", "deferred", "batch"),
    "sli": (
        "ttft",
        "itl",
        "e2e",
        "availability",
        "ratio",
        "completion",
        "throughput",
        "job_completion",
        "queue",
        "tpot",
    ),
    "target": ("95%", "99%", "99.9%", "97.25%"),
    "threshold": ("250ms", "500ms", "1s"),
    "rate": (500, 731),
    "slice": ("1m", "2m", "5m"),
    "policy": ("default", "sloth"),
    "code": ("SLO301", "SLO302", "SLO403", "SLO407"),
    "re": (Pattern.of("vllm-1"), Pattern.of("a"), "vllm-.*", "a|b", "[a-z]+"),
    "replicaLabel": ("instance", "pod"),
    "stage": ("production", "production", "preproduction", "dev"),
    "bucketPolicy": ("ceil", "ceil", "floor"),
    "minBadEvents": (3, 10),
    **TIMES,
    "cron": ("0 3 * * 0", "*/30 2-4 1,15 * 1-5"),
    "scrapeInterval": ("15s", "30s", "10s"),
    "retention": ("90d", "400d", "15d"),
    "period": ("28d", "30d", "7d"),
    "runbooks": (Free("https://runbooks.example.com"),),
    "dashboards": (Free("https://grafana.example.com/d"),),
}
_THRESHOLDS = {
    "ttft": ("250ms", "500ms", "1s", "150ms"),
    "itl": ("25ms", "50ms", "100ms"),
    "tpot": ("25ms", "50ms", "100ms"),
    "e2e": ("10s", "20s", "60s"),
    "queue": ("500ms", "1s"),
    "job_completion": ("4h", "90m"),
}
_PERIODS = ("28d", "30d", "7d", "90d")
_VERSIONS = ("0.11", "0.10.2", "0.9", "0.15.1", "0.11.0")
_GROUPS = ("model_name", "namespace", "cluster", "team")


def inference_slo(document: Data, random: Random) -> None:
    """An engine that is known, and objectives with the fields of their SLIs."""
    spec: Data = document["spec"]
    spec["engine"] = {"name": "vllm", **({"version": random.choice(_VERSIONS)} if random.random() < 0.9 else {})}
    _objectives(spec, random)
    for number, variant in enumerate(spec.get("variants", ())):
        variant["name"] = f"variant-{number}"
        _objectives(variant, random)
    for window in spec.get("timeWindow", ()):
        window.update(duration=random.choice(_PERIODS), isRolling=random.random() < 0.95)
    if isinstance(spec.get("alerting", {}).get("policy"), list):
        del spec["alerting"]["policy"]
    if "groupBy" in spec:
        spec["groupBy"]["labels"] = random.sample(
            _GROUPS, 1 if "allow" in spec["groupBy"] else random.choice((1, 1, 2))
        )
        if random.random() < 0.5:
            del spec["groupBy"]
    if "latencyBudget" in spec:
        spec["latencyBudget"] = dict.fromkeys(spec["latencyBudget"], "5ms")
    if "autoscaling" in spec:
        spec["autoscaling"].update(target="chat", minReplicas=2, maxReplicas=9, triggers=["burn-rate"])
        if random.random() < 0.8:
            del spec["autoscaling"]
    if "scraping" in spec:
        spec["scraping"] = {"select": "app=chat", "port": "metrics"}
        if random.random() < 0.8:
            del spec["scraping"]
    if random.random() < 0.7:
        spec.pop("adjust", None)
    load = spec.get("capacity", {}).get("load", {})
    if ("requestsPerSecond" in load) == ("requestsPerHour" in load) and load:
        load.update(requestsPerSecond=3.5)
        load.pop("requestsPerHour", None)
    _annotations(document["metadata"], random)


def _annotations(metadata: Data, random: Random) -> None:
    own = {
        "slo-compiler/runbook": "https://runbooks.example.com/chat",
        "slo-compiler/id": f"team-{random.randint(1, 99)}/chat",
        "slo-compiler/review-by": "2027-03-01",
        "example.com/owner": Free("somebody else"),
    }
    metadata.setdefault("annotations", {}).update({key: own[key] for key in own if random.random() < 0.15})


def _objectives(holder: Data, random: Random) -> None:
    holder["objectives"] = holder["objectives"][:3]
    slis = load_slis()
    special = frozenset(field for sli in slis.values() for field in sli.fields)
    taken: set[str] = set()
    for number, objective in enumerate(holder["objectives"]):
        sli = slis.get(objective["sli"])
        if sli is None:
            continue
        for field in special - set(sli.fields):
            objective.pop(field, None)
        if sli.name in _THRESHOLDS and (sli.name not in ("ttft", "itl") or random.random() < 0.8):
            objective["threshold"] = random.choice(_THRESHOLDS[sli.name])
        if objective["sli"] in taken or random.random() < 0.2:
            objective["name"] = f"{sli.name.replace('_', '-')}-{number}"
        taken.add(objective["sli"])
        objective.setdefault("target", random.choice(POOLS["target"]))
        _events(objective, sli.name, random)


def _events(objective: Data, sli: str, random: Random) -> None:
    total, bad, good = random.choice(_COUNTERS)
    part = {"bad": bad} if random.random() < 0.5 else {"good": good}
    if sli == "ratio":
        for field in ("good", "bad", "total"):
            objective.pop(field, None)
        objective.update(part, total=total)
    elif sli == "availability":
        engine = {"engine": "vllm", "selector": {"job": Free("vllm-chat")}}
        objective["source"] = engine if random.random() < 0.2 else {**part, "total": total}
    elif sli == "job_completion":
        age = {"pendingAge": Query.of("oldest_pending_seconds{app=%s}", "chat")} if random.random() < 0.5 else {}
        objective["source"] = {"due": total, "onTime": good, **age}
    elif sli == "throughput":
        objective.setdefault("rate", 500)


def open_slo(document: Data, random: Random) -> None:
    """An indicator that can be compiled, or a reference to one of the bundle."""
    spec = document["spec"]
    if random.random() < 0.15:
        return
    spec["budgetingMethod"] = (
        "Occurrences" if random.random() < 0.9 else random.choice(("Timeslices", "RatioTimeslices"))
    )
    spec.pop("indicator", None)
    spec.pop("indicatorRef", None)
    if random.random() < 0.7:
        spec["indicator"] = {"metadata": {"name": "good-ones"}, "spec": {"ratioMetric": _ratio(random)}}
    else:
        spec["indicatorRef"] = "sli-0"
    objective = {"displayName": Free("the promise"), "target": random.choice((0.95, 0.99, 0.999))}
    if spec["budgetingMethod"] != "Occurrences":
        objective.update(timeSliceTarget=0.95, timeSliceWindow="5m")
    spec["objectives"] = [objective]
    spec["timeWindow"] = [{"duration": random.choice(("28d", "4w", "7d")), "isRolling": True}]
    spec["alertPolicies"] = [{"alertPolicyRef": "alertpolicy-0"}] if random.random() < 0.15 else []
    if random.random() < 0.8:
        document["metadata"].pop("annotations", None)


def _ratio(random: Random) -> Data:
    total, bad, good = random.choice(_COUNTERS)
    name, part = ("bad", bad) if random.random() < 0.5 else ("good", good)
    draw = random.random()
    sides = {name: part, "total": total}
    if draw < 0.4:
        sides = {side: Query.of(_RATES % query.form, query.filler) for side, query in sides.items()}
    elif draw < 0.5:
        sides = {
            side: Query.of(_INCREASES % query.form.replace("%", "%"), query.filler) for side, query in sides.items()
        }
    metrics = {
        side: {"metricSource": {"type": "Prometheus", "spec": {"query": query}}} for side, query in sides.items()
    }
    return {**({"counter": True} if draw >= 0.5 else {}), **metrics}


def sli(document: Data, random: Random) -> None:
    """A ratio of events, as most are."""
    if random.random() < 0.8:
        document["spec"] = {"ratioMetric": _ratio(random)}


def alert_policy(document: Data, random: Random) -> None:
    """Parts that the bundle has."""
    document["spec"]["alertWhenBreaching"] = True
    if random.random() < 0.5:
        document["spec"]["conditions"] = [{"conditionRef": "alertcondition-0"}]
        document["spec"]["notificationTargets"] = [{"targetRef": "alertnotificationtarget-0"}]


def burn_rate_policy(document: Data, random: Random) -> None:
    """Windows in order, one threshold a tier, names that differ."""
    spec = document["spec"]
    spec["steps"] = random.choice(({}, {"fast": "30s", "slow": "4m"}, {"fast": "1m"}))
    spec.pop("factorsHoldFrom", None)
    spec["tiers"] = spec["tiers"][:4]
    windows = random.sample((("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h")), len(spec["tiers"]))
    for number, (tier, (long, short)) in enumerate(zip(spec["tiers"], windows, strict=True)):
        tier.update(
            longWindow=long, shortWindow=short, name=Free(f"tier {number}") if random.random() < 0.3 else f"t{number}"
        )
        for field in ("factor", "share", "errorRatio", "belowTarget", "fromTarget", "for", "keepFiringFor"):
            tier.pop(field, None)
        tier.update(
            random.choice(({"factor": 14.4}, {"factor": "6"}, {"share": "5%"}, {"errorRatio": "50%"}, {"factor": 2}))
        )
        tier.update(random.choice(({}, {"for": "2m"}, {"keepFiringFor": "10m"}, {"belowTarget": "98%"})))


def experience_catalog(document: Data, random: Random) -> None:
    """Sources that are declared, reasons where there are alternatives, steps that ascend."""
    spec = document["spec"]
    spec["sources"] = {"X": Free("a study"), "Y": Free("another one")}
    classes, profiles = spec.get("experienceClasses", {}), spec.get("trafficProfiles", {})
    for case in spec.get("useCases", {}).values():
        case["experienceClass"]["value"] = random.choice([*classes, "conversational"])
        case["trafficProfile"]["value"] = random.choice([*profiles, "p512_o256"])
    for part in _parts(spec):
        if "source" in part:
            part["source"] = random.choice("XY")
            if part.get("alternatives"):
                part.setdefault("reason", Free("it fits"))
        if "alsoIn" in part:
            part["alsoIn"] = ["X"]
        for name in ("steps", "overheadSteps"):
            for number, step in enumerate(part.get(name, ())):
                step.pop("below", None)
                if number < len(part[name]) - 1:
                    step["below"] = 10 * (number + 1)


def _parts(value: Any) -> list[Data]:
    if isinstance(value, dict):
        return [value, *(part for item in value.values() for part in _parts(item))]
    if isinstance(value, list):
        return [part for item in value for part in _parts(item)]
    return []


def engine(document: Data, random: Random) -> None:
    """Sets that are declared, versions that exist, types that fit what a metric counts."""
    spec = document["spec"]
    spec["versions"] = {"oldest": "0.9.0", "newest": "0.11.0", "known": ["0.9", "0.10", "0.11"]}
    spec["verifiedAt"] = ["0.11.0"]
    spec["labelSets"] = {"own": ["model_name", {"name": "engine", "versions": ">=0.10.0"}]}
    spec["bucketSets"] = {"fine": [{"versions": ">=0.9.0", "edges": ["0.1", "0.25", "0.5", "1", 10]}]}
    for name in ("availability", "generations", "bucketsConfigurable"):
        spec.pop(name, None)
    for metric in spec["metrics"]:
        histogram, gauge = metric["type"] == "histogram", metric["type"] == "gauge"
        metric.update(labels="own", versions=">=0.9.0", verifiedAt=["0.10.2"])
        for field, value, given in (("buckets", "fine", histogram), ("counts", "requests", not gauge)):
            metric.pop(field, None)
            if given:
                metric[field] = value


def metric_source(document: Data, random: Random) -> None:
    """A source that can be read."""
    document["spec"]["type"] = random.choice(("Prometheus", "prometheus", "Datadog"))


def config(document: Data, random: Random) -> None:
    """Native histograms come with a server that reads them; the rest stands alone."""
    server = document.get("prometheus", {})
    if "histograms" in server:
        server["version"] = "3.5"


SENSE: Mapping[str, Callable[[Data, Random], None]] = {
    "InferenceSLO": inference_slo,
    "SLO": open_slo,
    "SLI": sli,
    "AlertPolicy": alert_policy,
    "BurnRatePolicy": burn_rate_policy,
    "ExperienceCatalog": experience_catalog,
    "Engine": engine,
    "DataSource": metric_source,
    "Config": config,
}
DOCUMENTS = tuple(kind for _, kind in KINDS)
