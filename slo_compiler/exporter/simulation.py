"""Requests that arrive, wait, are answered, fail, are left and get lost, on replicas that come and go; seeded."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from slo_compiler.documents.traffic_scenario import TrafficPhase, TrafficScenarioSpec
from slo_compiler.exporter.counters import Counters
from slo_compiler.exporter.layout import Layout
from slo_compiler.exporter.request import Request

# So many tokens are counted at once: that is as often as anybody scrapes, and costs a sixteenth.
_AT_ONCE = 16
# An answer ends at so many times the average.
_LONGEST = 2
# Tokens that a replica's cache holds for each request that may run.
_CACHE_PER_REQUEST = 4096

Log = Callable[[Mapping[str, object]], None]
Step = Callable[[Request], None]


@dataclass(slots=True, eq=False)
class Replica:
    """A place where processes run one after another, each with counters that begin at 0.

    Attributes:
        reachable: whether there is a process at all.
    """

    number: int
    layout: Layout
    counters: Counters
    process: int = 0
    reachable: bool = True
    running: dict[int, Request] = field(default_factory=dict)
    waiting: dict[int, Request] = field(default_factory=dict)


class Simulation:
    """The servers of a scenario; it stands still until it is told to go on.

    Args:
        layouts: of the release that runs first, and by index of the phase of those that it is upgraded to.
        log: told of everything that happens, with what it was in truth, whether or not it is counted.
    """

    def __init__(
        self,
        scenario: TrafficScenarioSpec,
        layouts: tuple[Layout, Mapping[int, Layout]],
        *,
        replicas: int,
        seed: int,
        log: Log | None = None,
    ) -> None:
        first, self._upgrades = layouts
        self._scenario = scenario
        self._random = random.Random(seed)
        self._log = log
        self.now = 0.0
        self.replicas: Sequence[Replica] = [Replica(number, first, Counters(first)) for number in range(replicas)]
        self._phase_number = -1  # over all rounds
        self._phase: TrafficPhase = scenario.phases[0]
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = 0
        self._requests = 0
        self._held: list[tuple[Step, Request]] = []
        self._begin_phase()

    def advance(self, until: float) -> None:
        """Lets happen what happens up to a moment, in seconds from the start."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, step = heapq.heappop(self._agenda)
            step()
        self.now = max(self.now, until)

    def page(self, number: int) -> str | None:
        """The metrics page of a replica; None where no process answers."""
        replica = self.replicas[number]
        if not replica.reachable:
            return None
        used = sum(request.prompt_tokens + request.tokens for request in replica.running.values())
        states = {
            "running": float(len(replica.running)),
            "waiting": float(len(replica.waiting)),
            "cache": min(1.0, used / (self._scenario.concurrency * _CACHE_PER_REQUEST)),
        }
        return replica.counters.page(states)

    # Time

    def _plan(self, seconds: float, step: Callable[[], None]) -> None:
        self._planned += 1
        heapq.heappush(self._agenda, (self.now + seconds, self._planned, step))

    def _work(self, seconds: float, step: Step, request: Request) -> None:
        """Plans what a server does for a request, which a stall holds up and the request's end cancels."""

        def when_it_is_time() -> None:
            if request.over:
                return
            if self._phase.stalled:
                self._held.append((step, request))
            else:
                step(request)

        self._plan(seconds, when_it_is_time)

    # Phases

    def _begin_phase(self) -> None:
        self._phase_number += 1
        own = self._phase_number
        index = own % len(self._scenario.phases)
        self._phase = phase = self._scenario.phases[index]
        self._tell("phase", phase=index)
        if phase.for_ is not None and (self._scenario.repeat or index + 1 < len(self._scenario.phases)):
            self._plan(float(phase.for_.seconds), self._begin_phase)
        for replica in self.replicas:
            if phase.unreachable:
                self._lose(replica)
                replica.reachable = False
            elif not replica.reachable:
                self._restart(replica)
            if phase.upgrade_to is not None and phase.for_ is not None:
                share = (replica.number + 0.5) / len(self.replicas)
                self._plan(float(phase.for_.seconds) * share, self._upgrade(replica, self._upgrades[index]))
            self._plan_churn(replica)
        if not phase.stalled:
            held, self._held = self._held, []
            for step, request in held:
                if not request.over:
                    step(request)
        self._plan_arrival()

    def _upgrade(self, replica: Replica, layout: Layout) -> Callable[[], None]:
        def upgrade() -> None:
            replica.layout = layout
            if replica.reachable:
                self._restart(replica)

        return upgrade

    def _plan_churn(self, replica: Replica) -> None:
        lifetime, own = self._phase.pod_lifetime, self._phase_number
        if lifetime is None or self._phase.unreachable:
            return

        def replaced() -> None:
            if own == self._phase_number:
                self._restart(replica)
                self._plan_churn(replica)

        self._plan(self._random.expovariate(1 / float(lifetime.seconds)), replaced)

    def _restart(self, replica: Replica) -> None:
        self._lose(replica)
        replica.process += 1
        replica.counters = Counters(replica.layout)
        replica.reachable = True
        self._tell("restarted", replica, version=replica.layout.version)

    def _lose(self, replica: Replica) -> None:
        """What a process was doing when it ended: nobody counts it."""
        for request in (*replica.running.values(), *replica.waiting.values()):
            request.over, request.now = True, self.now
            self._tell("lost", replica, request)
        replica.running.clear()
        replica.waiting.clear()

    # Requests

    def _plan_arrival(self) -> None:
        rate, own = self._phase.requests_per_second, self._phase_number
        if not rate:
            return

        def arrives() -> None:
            if own == self._phase_number:
                self._plan_arrival()
                self._arrive()

        self._plan(self._random.expovariate(rate), arrives)

    def _arrive(self) -> None:
        phase, chance = self._phase, self._random
        self._requests += 1
        most = _LONGEST * phase.output_tokens
        output = round(self._about(phase.output_tokens))
        prompt = max(1, round(self._about(phase.prompt_tokens)))
        prefill = self._about(prompt / phase.prefill_tokens_per_second)
        request = Request(self._requests, self.now, prompt, min(max(output, 1), most), output >= most, prefill, None)
        request.now = self.now
        outcome, leaves, when = chance.random(), chance.random() < float(phase.aborts), chance.random()
        rejected = outcome < float(phase.rejections)
        if not rejected and outcome < float(phase.rejections + phase.failures):
            request.fails_after = int(2 * max(0.0, when - 0.5) * request.output_tokens)  # half before the first token
        replica = min(
            (replica for replica in self.replicas if replica.reachable),
            key=lambda replica: len(replica.running) + len(replica.waiting),
            default=None,
        )
        if replica is None:
            self._tell("unreached", None, request)
            return
        self._happen("arrived", replica, request)
        if rejected:
            request.over = True
            self._happen("rejected", replica, request)
            return
        replica.waiting[request.number] = request
        if leaves:
            takes = prefill + request.output_tokens * float(phase.inter_token_latency.seconds)
            self._plan(when * takes, lambda: None if request.over else self._end("aborted", replica, request))
        self._start(replica)

    def _start(self, replica: Replica) -> None:
        while replica.waiting and len(replica.running) < self._scenario.concurrency:
            number, request = next(iter(replica.waiting.items()))
            del replica.waiting[number]
            replica.running[number] = request
            request.started = request.now = self.now
            self._work(request.prefill, lambda request: self._send_first(replica, request), request)

    def _send_first(self, replica: Replica, request: Request) -> None:
        if request.end == 0:
            self._end("failed", replica, request)
            return
        request.first_token, request.tokens, request.new = self.now, 1, 1
        self._happen("first_token", replica, request)
        self._send_more(replica, request)

    def _send_more(self, replica: Replica, request: Request) -> None:
        """Plans the next tokens, or ends the request that has none left."""
        count = min(_AT_ONCE, request.end - request.tokens)
        if count <= 0:
            self._end("finished" if request.fails_after is None else "failed", replica, request)
            return
        gap = self._about(float(self._phase.inter_token_latency.seconds))
        last = self.now

        def send(request: Request) -> None:
            held = self.now - last - (count - 1) * gap
            if held > 1.5 * gap:  # a stall: the first of them waited for it, the others follow at their pace
                self._send(replica, request, 1, held)
                self._send(replica, request, count - 1, gap)
            else:
                self._send(replica, request, count, gap)
            self._send_more(replica, request)

        self._work(count * gap, send, request)

    def _send(self, replica: Replica, request: Request, count: int, gap: float) -> None:
        if count:
            request.tokens += count
            request.new, request.gap = count, gap
            self._happen("token", replica, request)

    def _end(self, how: str, replica: Replica, request: Request) -> None:
        request.over, request.new = True, 0
        replica.running.pop(request.number, None)
        replica.waiting.pop(request.number, None)
        self._happen("cut" if how == "finished" and request.cut else how, replica, request)
        self._start(replica)

    def _happen(self, moment: str, replica: Replica, request: Request) -> None:
        request.now = self.now
        replica.counters.count(moment, request)
        self._tell(moment, replica, request)

    def _about(self, mean: float) -> float:
        """A length or a time around a mean; one number is drawn whatever the spread."""
        sigma = self._phase.spread
        return mean * math.exp(sigma * self._random.gauss(0, 1) - sigma * sigma / 2)

    def _tell(self, event: str, replica: Replica | None = None, request: Request | None = None, **more: object) -> None:
        if self._log is None:
            return
        told: dict[str, object] = {"event": event, "time": self.now}
        if replica is not None:
            told.update(replica=replica.number, process=replica.process)
        if request is not None:
            told.update(request=request.number, promptTokens=request.prompt_tokens, tokens=request.tokens)
            told.update(queue=request.queue, e2e=request.e2e)
            if request.first_token is not None:
                told["ttft"] = request.ttft
            if event == "token":
                told.update(new=request.new, gap=request.gap)
        self._log({**told, **more})
