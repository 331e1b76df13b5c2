"""A simulated request, and what can be told of it at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Request:
    """One request; times are seconds of the simulation.

    Attributes:
        output_tokens: that its answer is meant to have; `cut` where these are the most that are allowed.
        prefill: how long its prompt takes, once it begins.
        fails_after: so many tokens it ends with an error; None where it does not.
        now: when the latest thing happened to it.
        tokens: that it has sent; of these `new` just now, each `gap` after the one before.
        over: whether it has ended, in whatever way.
    """

    number: int
    arrived: float
    prompt_tokens: int
    output_tokens: int
    cut: bool
    prefill: float
    fails_after: int | None
    now: float = 0.0
    started: float | None = None
    first_token: float | None = None
    tokens: int = 0
    new: int = 0
    gap: float = 0.0
    over: bool = False

    @property
    def end(self) -> int:
        """After so many tokens it ends."""
        return self.output_tokens if self.fails_after is None else self.fails_after

    @property
    def queue(self) -> float:
        """How long it waited before it began, or waits."""
        return (self.now if self.started is None else self.started) - self.arrived

    @property
    def ttft(self) -> float:
        """From its arrival to its first token."""
        return (self.now if self.first_token is None else self.first_token) - self.arrived

    @property
    def e2e(self) -> float:
        """From its arrival to the latest thing that happened to it."""
        return self.now - self.arrived

    @property
    def decode(self) -> float:
        """From its first token on."""
        return 0.0 if self.first_token is None else self.now - self.first_token


# The quantities that `builtin/exporter.yaml` names: times in seconds, and counts.
QUANTITIES: Mapping[str, Callable[[Request], float]] = {
    "one": lambda request: 1.0,
    "ttft": lambda request: request.ttft,
    "gap": lambda request: request.gap,
    "mean_gap": lambda request: request.decode / max(request.tokens - 1, 1),
    "time_per_token": lambda request: request.e2e / max(request.tokens, 1),
    "e2e": lambda request: request.e2e,
    "queue": lambda request: request.queue,
    "inference": lambda request: request.e2e - request.queue,
    "prefill": lambda request: request.ttft - request.queue,
    "decode": lambda request: request.decode,
    "prompt_tokens": lambda request: float(request.prompt_tokens),
    # As they come where tokens reach the metric, all at once where only the request's end does.
    "output_tokens": lambda request: float(request.new or request.tokens),
}
# What a gauge shows of a replica rather than of a request.
STATES = ("running", "waiting", "cache")
