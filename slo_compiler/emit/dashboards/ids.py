"""The numbers of panels: fixed by what a panel shows, so that links to one live on when objectives come and go.

What a spec has once is below a thousand. The n-th objective of an SLI has the n-th thousand, in it fifty numbers for each
SLI, in them one for each role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from slo_compiler.ir import Slo

SHARED = {
    "promise row": 1,
    "promise": 2,
    "objectives": 3,
    "budget row": 10,
    "budget over the period": 11,
    "breaches row": 20,
    "breaches": 21,
    "spent budget": 22,
    "alerts": 23,
    "saturation row": 30,
    "requests in the engine": 31,
    "waiting per replica": 32,
    "queue heatmap": 33,
    "KV cache": 34,
    "running heatmap": 35,
    "throughput row": 40,
    "requests": 41,
    "tokens": 42,
    "goodput": 43,
    "data row": 50,
    "SLIs with data": 51,
    "targets up": 52,
    "age of the rules": 53,
    "period recorded": 54,
    "share that can be judged": 55,
}
OVERVIEW = {
    "state row": 1,
    "SLOs": 2,
    "Within budget": 3,
    "Burning": 4,
    "Exhausted": 5,
    "No data": 6,
    "Alerts firing": 7,
    "table row": 10,
    "objectives": 11,
    "time row": 20,
    "states": 21,
    "least budget": 22,
    "class row": 30,
    "met by class": 31,
    "burn by class": 32,
    "burn by breach": 33,
}
OF_SLO = {
    "row": 0,
    "budget left": 1,
    "burn rate": 2,
    "bad events left": 3,
    "exhausted in": 4,
    "burn rates": 5,
    "quantiles": 6,
    "good share": 7,
    "heatmap": 8,
    "events": 9,
    "value": 10,
    "worst replica": 11,
    "groups": 12,
    "degradation": 13,
}
SLIS = {
    "ttft": 0,
    "itl": 1,
    "tpot": 2,
    "e2e": 3,
    "queue": 4,
    "availability": 5,
    "ratio": 6,
    "completion": 7,
    "throughput": 8,
    "job_completion": 9,
}
_BLOCK = 1000
_OF_ONE = 50


def bases(slos: Iterable[Slo]) -> Iterator[int]:
    """The first number of each objective."""
    seen: dict[str, int] = {}
    for slo in slos:
        seen[slo.sli] = seen.get(slo.sli, 0) + 1
        yield seen[slo.sli] * _BLOCK + SLIS[slo.sli] * _OF_ONE
