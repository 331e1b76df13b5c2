"""Every formula of the compiler as a pure function of exact decimals; the parameters come from the catalog.

Times are in seconds, ITL in seconds per output token, ratios from 0 to 1, lengths in tokens. Products, sums and
differences are exact within the 28 digits of the decimal context; a power with a broken exponent is right to the last
of these digits. Nothing rounds on the way: `round_latency` rounds once, at the end.

Sources, by the titles that the docstrings cite:

- *SLO Template Value Determination Analysis*
- *Mapping LLM Use Cases to Traffic Profiles and Experience-Driven SLOs*
- *TTFT and ITL article*: an untitled article that begins "You shipped a chat product"
- *SLOs for inference serving*
- *Alerting on SLOs*, chapter 5 of The Site Reliability Workbook, https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol

_MILLISECOND = Decimal("0.001")


class FactorStep(Protocol):
    """A factor that holds for arguments below a bound (exclusive); the last step has no bound."""

    @property
    def below(self) -> Decimal | None:
        """The bound."""

    @property
    def value(self) -> Decimal:
        """The factor."""


# ---- latencies from tokens ----


def scale_ttft(ttft_seconds: Decimal, prompt_tokens: int, *, base_prompt_tokens: int, alpha: Decimal) -> Decimal:
    """TTFT for a prompt of another length: `ttft * (prompt / base) ** alpha`.

    Args:
        ttft_seconds: TTFT at the base length.
        prompt_tokens: the length to scale to.
        base_prompt_tokens: the length for which `ttft_seconds` holds: the catalog's base for a class, the use case's
            own profile for a use case.
        alpha: the catalog's exponent; under 1 TTFT grows slower than the prompt.

    Raises:
        ValueError: an argument is not above zero.

    Source: *SLO Template Value Determination Analysis*, Enhanced Formulas Summary, 1.
    """
    _require_positive(ttft_seconds=ttft_seconds, prompt_tokens=prompt_tokens, base_prompt_tokens=base_prompt_tokens)
    _require_positive(alpha=alpha)
    return ttft_seconds * (Decimal(prompt_tokens) / Decimal(base_prompt_tokens)) ** alpha


def itl_from_throughput(tokens_per_second: Decimal, *, concurrency: Decimal) -> Decimal:
    """ITL of each of several streams that share a throughput: `concurrency / tokens_per_second`.

    Args:
        tokens_per_second: output tokens of all streams together.
        concurrency: streams at once, on average. The source knows one stream only, which its own measurements
            contradict: 10.87 ms per token at 558.54 tokens/s are 6.1 streams.

    Raises:
        ValueError: an argument is not above zero.

    Source: *SLO Template Value Determination Analysis*, Enhanced Formulas Summary, 2, for one stream; for several by
    Little's law, as in the *TTFT and ITL article*, Little's Law applied to LLM queues.
    """
    _require_positive(tokens_per_second=tokens_per_second, concurrency=concurrency)
    return concurrency / tokens_per_second


def scale_itl_for_gpus(itl_seconds: Decimal, gpu_count: int, *, exponent: Decimal) -> Decimal:
    """ITL of a model that is split over several GPUs: `itl * (1 / gpus) ** exponent`.

    Args:
        itl_seconds: ITL on one GPU.
        gpu_count: GPUs that serve one replica.
        exponent: the catalog's exponent; under 1 each further GPU helps less.

    Raises:
        ValueError: an argument is not above zero.

    Source: *SLO Template Value Determination Analysis*, Enhanced Formulas Summary, 4.
    """
    _require_positive(itl_seconds=itl_seconds, gpu_count=gpu_count, exponent=exponent)
    return itl_seconds * (1 / Decimal(gpu_count)) ** exponent


# ---- factors on latencies ----


def hardware_factor(tier: str, factors: Mapping[str, Decimal]) -> Decimal:
    """The factor of a hardware tier on TTFT, ITL and E2E.

    Args:
        tier: name of the tier.
        factors: the catalog's factor of each tier; under 1 tightens.

    Raises:
        ValueError: there is no such tier; the message names those that there are.

    Source: *SLO Template Value Determination Analysis*, Recommended Approach, 3.
    """
    try:
        return factors[tier]
    except KeyError:
        raise ValueError(f"no hardware tier {tier!r}; known are {', '.join(factors)}") from None


def model_size_factor(parameters_billion: Decimal, steps: Sequence[FactorStep]) -> Decimal:
    """The factor of a model's size on TTFT, ITL and E2E.

    Args:
        parameters_billion: parameters in billions, all of them for a mixture of experts.
        steps: the catalog's steps by billions of parameters.

    Raises:
        ValueError: the size is not above zero.

    Source: *SLO Template Value Determination Analysis*, Recommended Approach, 4.
    """
    _require_positive(parameters_billion=parameters_billion)
    return _step(parameters_billion, steps)


def load_factor(utilization: Decimal, steps: Sequence[FactorStep]) -> Decimal:
    """The factor of the expected load on TTFT, ITL and E2E.

    Args:
        utilization: expected requests/s over the requests/s that can be served; over 1 is overload.
        steps: the catalog's steps by utilization.

    Raises:
        ValueError: the utilization is below zero.

    Source: *SLO Template Value Determination Analysis*, Recommended Approach, 5.
    """
    if utilization < 0:
        raise ValueError(f"utilization is {utilization}, below zero")
    return _step(utilization, steps)


def e2e_overhead(output_tokens: int, steps: Sequence[FactorStep]) -> Decimal:
    """The overhead multiplier of E2E, which grows with the output.

    Args:
        output_tokens: length of the output.
        steps: the catalog's steps by output tokens.

    Raises:
        ValueError: the length is not above zero.

    Source: *SLO Template Value Determination Analysis*, Enhanced Formulas Summary, 3.
    """
    _require_positive(output_tokens=output_tokens)
    return _step(Decimal(output_tokens), steps)


def _step(argument: Decimal, steps: Sequence[FactorStep]) -> Decimal:
    for step in steps:
        if step.below is None or argument < step.below:
            return step.value
    raise ValueError(f"no step covers {argument}")


# ---- end to end ----


def e2e(ttft_seconds: Decimal, itl_seconds: Decimal, output_tokens: int, *, overhead: Decimal) -> Decimal:
    """E2E of a whole response: `(ttft + output * itl) * overhead`.

    The source counts one ITL for each output token, although the first one is in TTFT already; one ITL too many is
    within the overhead.

    Args:
        ttft_seconds: time to first token.
        itl_seconds: time per output token.
        output_tokens: length of the output.
        overhead: multiplier for network, queueing and variance (`e2e_overhead`); 1 for the pure sum.

    Raises:
        ValueError: an argument is not above zero.

    Source: *SLO Template Value Determination Analysis*, Enhanced Formulas Summary, 3. Its section End-to-End Latency
    puts the multiplier on the tokens alone; code, summary and pipeline put it on the sum, as here.
    """
    _require_positive(ttft_seconds=ttft_seconds, itl_seconds=itl_seconds, output_tokens=output_tokens)
    _require_positive(overhead=overhead)
    return (ttft_seconds + output_tokens * itl_seconds) * overhead


def mean_itl_needed(e2e_seconds: Decimal, ttft_seconds: Decimal, output_tokens: int) -> Decimal:
    """The mean ITL that keeps an E2E promise whose TTFT takes all of its own: `(e2e - ttft) / output`.

    Args:
        e2e_seconds: the promised E2E.
        ttft_seconds: the promised TTFT.
        output_tokens: length of the output.

    Raises:
        ValueError: E2E leaves nothing after TTFT, or an argument is not above zero.

    Source: `e2e` without overhead, solved for ITL.
    """
    _require_positive(e2e_seconds=e2e_seconds, ttft_seconds=ttft_seconds, output_tokens=output_tokens)
    if e2e_seconds <= ttft_seconds:
        raise ValueError(f"E2E of {e2e_seconds}s leaves nothing after TTFT of {ttft_seconds}s")
    return (e2e_seconds - ttft_seconds) / output_tokens


# ---- the latency budget ----


class LatencyBudget(NamedTuple):
    """The parts of a TTFT promise, in seconds: those inside the engine's own measurement and those outside it."""

    seen_seconds: Decimal
    unseen_seconds: Decimal

    @property
    def total_seconds(self) -> Decimal:
        """All parts together."""
        return self.seen_seconds + self.unseen_seconds


def sum_latency_budget(components: Mapping[str, Decimal], seen_by_engine: Collection[str]) -> LatencyBudget:
    """Sums the parts of a latency budget.

    Args:
        components: seconds by name of the part.
        seen_by_engine: names of the parts that the engine's own TTFT includes; the rest comes off its threshold.

    Raises:
        ValueError: a part is below zero.

    Source: *TTFT and ITL article*, Decomposing the Latency Budget. Its formula of three terms (network, queue,
    prefill) leaves out 50 ms of the six that it budgets; all parts count here.
    """
    for name, seconds in components.items():
        if seconds < 0:
            raise ValueError(f"{name} is {seconds}s, below zero")
    seen = sum((seconds for name, seconds in components.items() if name in seen_by_engine), Decimal(0))
    return LatencyBudget(seen, sum(components.values(), Decimal(0)) - seen)


def engine_threshold(promised_seconds: Decimal, unseen_seconds: Decimal) -> Decimal:
    """What the engine must keep of a promise made to users: the promise less what the engine cannot see.

    Args:
        promised_seconds: the threshold that users are promised.
        unseen_seconds: the parts outside the engine's measurement.

    Raises:
        ValueError: nothing is left.

    Source: *TTFT and ITL article*, Decomposing the Latency Budget.
    """
    if promised_seconds <= unseen_seconds:
        raise ValueError(f"of {promised_seconds}s nothing is left after {unseen_seconds}s outside the engine")
    return promised_seconds - unseen_seconds


# ---- error budgets and burn rates ----


def error_budget(target: Decimal) -> Decimal:
    """The share of events that may be bad: `1 - target`.

    Raises:
        ValueError: the target is not between 0 and 1, both excluded: at 1 no burn rate exists.

    Source: *SLOs for inference serving*, Why it matters.
    """
    if not 0 < target < 1:
        raise ValueError(f"target {target} is not between 0 and 1")
    return 1 - target


def firing_error_ratio(factor: Decimal, budget: Decimal) -> Decimal:
    """The error ratio above which an alert fires: `factor * budget`. At 1 or more it never can.

    Args:
        factor: the burn rate of the alert.
        budget: error budget, a ratio.

    Raises:
        ValueError: an argument is not above zero.

    Source: *SLOs for inference serving*, 3 (`14.4 * 0.01`); *Alerting on SLOs*, 4: Alert on Burn Rate.
    """
    _require_positive(factor=factor, budget=budget)
    return factor * budget


def detection_seconds(
    long_window_seconds: Decimal, *, factor: Decimal, budget: Decimal, error_ratio: Decimal
) -> Decimal | None:
    """How long a constant error ratio that begins now burns until the alert fires: `L * f * b / e`.

    Args:
        long_window_seconds: L, the long window.
        factor: f, the burn rate of the alert.
        budget: b, the error budget.
        error_ratio: e, bad events over all.

    Returns:
        Seconds, under L; None where the alert never fires, since e is not above f * b.

    Raises:
        ValueError: a window, factor or budget is not above zero, or the error ratio is not within 0 to 1.

    Source: *Alerting on SLOs*, 4: Alert on Burn Rate (detection time).
    """
    share = _share_of_window(long_window_seconds, factor, budget, error_ratio)
    return None if share is None else long_window_seconds * share


def reset_seconds(
    short_window_seconds: Decimal, *, factor: Decimal, budget: Decimal, error_ratio: Decimal
) -> Decimal | None:
    """How long the alert still fires after the errors have stopped: `S * (1 - f * b / e)`.

    The mean of the short window falls from e in proportion to the time since, and reaches f * b after that long.

    Args:
        short_window_seconds: S, the short window.
        factor: f, the burn rate of the alert.
        budget: b, the error budget.
        error_ratio: e, the error ratio before.

    Returns:
        Seconds, under S; None where the alert never fired, since e is not above f * b.

    Raises:
        ValueError: a window, factor or budget is not above zero, or the error ratio is not within 0 to 1.

    Source: derived from *Alerting on SLOs*, 6: Multiwindow, Multi-Burn-Rate Alerts.
    """
    share = _share_of_window(short_window_seconds, factor, budget, error_ratio)
    return None if share is None else short_window_seconds * (1 - share)


def _share_of_window(window_seconds: Decimal, factor: Decimal, budget: Decimal, error_ratio: Decimal) -> Decimal | None:
    _require_positive(window_seconds=window_seconds)
    if not 0 <= error_ratio <= 1:
        raise ValueError(f"error ratio {error_ratio} is not within 0 to 1")
    firing = firing_error_ratio(factor, budget)
    return firing / error_ratio if error_ratio > firing else None


def budget_spent_at_detection(long_window_seconds: Decimal, *, factor: Decimal, period_seconds: Decimal) -> Decimal:
    """The share of the period's error budget that is gone when the alert fires: `L * f / period`.

    Whatever the error ratio: more errors are found sooner. Over 1 the budget is gone before the alert.

    Args:
        long_window_seconds: L, the long window.
        factor: f, the burn rate of the alert.
        period_seconds: the period of the SLO.

    Raises:
        ValueError: an argument is not above zero.

    Source: *Alerting on SLOs*, 4: Alert on Burn Rate (error budget consumed).
    """
    _require_positive(long_window_seconds=long_window_seconds, factor=factor, period_seconds=period_seconds)
    return long_window_seconds * factor / period_seconds


def factor_for_budget_share(share: Decimal, *, period_seconds: Decimal, long_window_seconds: Decimal) -> Decimal:
    """The burn rate that spends a share of the budget within the long window: `max(1, share * period / L)`.

    Under 1 the alert would fire on a budget that lasts, so 1 is the least.

    Args:
        share: the share of the period's budget that may be gone when the alert fires, a ratio.
        period_seconds: the period of the SLO.
        long_window_seconds: L, the long window.

    Raises:
        ValueError: an argument is not above zero.

    Source: *Alerting on SLOs*, 5: Multiple Burn Rate Alerts, solved for the burn rate.
    """
    _require_positive(share=share, period_seconds=period_seconds, long_window_seconds=long_window_seconds)
    return max(Decimal(1), share * period_seconds / long_window_seconds)


def exhaustion_seconds(burn_rate: Decimal, *, period_seconds: Decimal) -> Decimal:
    """How long a full budget lasts at a constant burn rate: `period / burn_rate`.

    Args:
        burn_rate: error ratio over error budget.
        period_seconds: the period of the SLO.

    Raises:
        ValueError: an argument is not above zero.

    Source: *Alerting on SLOs*, 4: Alert on Burn Rate; *TTFT and ITL article*, Burn rate math.
    """
    _require_positive(burn_rate=burn_rate, period_seconds=period_seconds)
    return period_seconds / burn_rate


# ---- rounding ----


def round_latency(seconds: Decimal) -> Decimal:
    """A computed latency as a promise: the nearest whole millisecond, halves up, and at least one millisecond.

    Engines' bucket boundaries and people's promises are whole milliseconds. To be called once, after the last formula:
    truncating at each step, as the source's code does, makes 8 ms of 8.53 ms.

    Raises:
        ValueError: the latency is not above zero, or not finite.

    Source: *SLO Template Value Determination Analysis*, Recommended Approach, 2 to 5, whose `int()` it replaces.
    """
    _require_positive(seconds=seconds)
    return max(_MILLISECOND, seconds.quantize(_MILLISECOND, rounding=ROUND_HALF_UP))


def _require_positive(**arguments: Decimal | int) -> None:
    for name, value in arguments.items():
        if not Decimal(value).is_finite() or value <= 0:
            raise ValueError(f"{name} is {value}, not above zero")
