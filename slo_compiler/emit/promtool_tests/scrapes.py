"""`up` of two targets, one of which is scraped too rarely for a while: when scrapes lie, and what is missing of them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.notation import GAP, Slot, values
from slo_compiler.ir import Spec

# Slots of 5 s, so that scrapes of `up` can lie between the evaluations; of 1 s where they could not, or where 5 s are too
# coarse for the scrapes. The rest changes at whole minutes.
_SLOT, _FINE_SLOT = 5, 1
MINUTES = 63
# All targets are down from this minute on.
DOWN = 45
# One of two targets is scraped half as often from minute 4, too rarely from 8, and as it should be from 50.
_HALF, _SPARSE, _WHOLE = 4, 8, 50
# So many seconds of scrapes are counted; `up` itself is looked for as far back.
_WATCHED = 300


def slot_of(spec: Spec) -> int:
    """How long a slot is, in seconds: scrapes so many slots apart never lie on the edge of what an evaluation reads."""
    scrape, step = spec.steps.scrape, spec.steps.fast
    if scrape % _SLOT == 0 and _SLOT % math.gcd(int(scrape), step, _WATCHED):
        return _SLOT
    return _FINE_SLOT


def last_slot(slot: int) -> int:
    """The last slot of the test, where slots are so many seconds long."""
    return MINUTES * 60 // slot


class Scrapes(NamedTuple):
    """When targets are scraped: so many seconds apart, in slots of the test, beside evaluations so many seconds apart."""

    interval: float
    slot: int
    step: int

    def slots(self) -> list[int]:
        """The slots of all scrapes: none is where what an evaluation reads begins or ends, which servers read differently."""
        found = []
        for index in range(math.ceil(MINUTES * 60 / self.interval)):
            slot = 1 + round(index * self.interval / self.slot)
            slot += any((slot * self.slot + back) % self.step == 0 for back in (0, _WATCHED))
            found.append(slot)
        return [slot for slot in dict.fromkeys(found) if slot <= last_slot(self.slot)]


@lru_cache(maxsize=16)
def _up_slots(scrapes: Scrapes, *, second: bool) -> tuple[Slot, ...]:
    """`up` at every scrape between the evaluations; the second target misses scrapes for a while."""
    slots: list[Slot] = [GAP] * (last_slot(scrapes.slot) + 1)
    # An even number of scrapes that any stretch which is watched holds, so that each of them misses one more.
    often = min(20, int(_WATCHED / scrapes.interval) // 2 * 2)
    for count, slot in enumerate(scrapes.slots(), start=1):
        minute = slot * scrapes.slot / 60
        half = _HALF <= minute < _WHOLE and count % 2 == 0
        sparse = _SPARSE <= minute < _WHOLE and count % often == 1
        if not (second and (half or sparse)):
            slots[slot] = 0.0 if minute >= DOWN else 1.0
    return tuple(slots)


@lru_cache(maxsize=16)
def up_text(scrapes: Scrapes, *, second: bool) -> str:
    return values(_up_slots(scrapes, second=second))


def samples_of(scrapes: Scrapes, *, second: bool) -> list[model.Sample]:
    slots = _up_slots(scrapes, second=second)
    return [(float(slot * scrapes.slot), value) for slot, value in enumerate(slots) if not isinstance(value, str)]


@lru_cache(maxsize=16)
def scrapes_missing(scrapes: Scrapes, length: int) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Whether too few scrapes arrive at each evaluation, and how many do."""
    limit = round(0.75 * _WATCHED / scrapes.interval, 3)
    targets = [samples_of(scrapes, second=second) for second in (False, True)]
    counted = []
    for index in range(length):
        present = [
            count for samples in targets if (count := len(model.in_range(samples, index * scrapes.step, _WATCHED)))
        ]
        counted.append(sum(present) / len(present) if present else limit)
    return tuple(value < limit for value in counted), tuple(counted)
