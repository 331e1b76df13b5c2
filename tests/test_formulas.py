"""The formulas against every worked example of their sources, and against what must hold for any arguments.

Where a source prints a wrong number, the case holds the right one and says what was printed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler import formulas
from slo_compiler.shipped_catalog import load_builtin_catalog

ADJUSTMENTS = load_builtin_catalog().adjustments
ALPHA = ADJUSTMENTS.prompt_length.alpha.value
BASE_PROMPT_TOKENS = ADJUSTMENTS.prompt_length.base_prompt_tokens.value
GPU_EXPONENT = ADJUSTMENTS.gpu_count.exponent.value
HARDWARE = {name: tier.factor.value for name, tier in ADJUSTMENTS.hardware.tiers.items()}
OVERHEAD_STEPS = ADJUSTMENTS.e2e.overhead_steps

HOUR = Decimal(3600)
DAY = 24 * HOUR


def ms(number: str | int) -> Decimal:
    """Seconds of so many milliseconds."""
    return Decimal(number) / 1000


def rounded(value: Decimal, places: int) -> Decimal:
    return round(value, places)


# ---- strategies ----

latencies = st.decimals(min_value="0.001", max_value="100", places=4)
tokens = st.integers(min_value=1, max_value=1_000_000)
ratios = st.decimals(min_value="0.0001", max_value="0.9999", places=4)
factors = st.decimals(min_value=1, max_value=100, places=2)
windows = st.integers(min_value=60, max_value=10**7).map(Decimal)


# ---- TTFT and prompt length ----


@pytest.mark.parametrize(
    ("ttft", "base", "prompt", "expected"),
    [
        pytest.param("150", 512, 512, "150", id="the base length changes nothing"),
        pytest.param("300", 512, 4096, "1583.41", id="an interactive base at 4096 tokens"),
        # With 8 ** 0.8 cut to 5.28 this comes out as 3168.
        pytest.param("600", 512, 4096, "3166.82", id="600 ms that are for 4096 tokens already, scaled once too often"),
        pytest.param("600", 4096, 4096, "600", id="a use case at its own profile keeps its number"),
        pytest.param("600", 4096, 512, "113.68", id="a use case below its own profile gets tighter"),
        # The TTFT and ITL article prints "roughly 2.5x" here, an alpha of 0.66 instead of 0.8.
        pytest.param("280", 512, 2048, "848.80", id="four times the prompt costs 3.03 times"),
        # The TTFT and ITL article prints 4 to 6 times.
        pytest.param("100", 256, 4096, "918.96", id="sixteen times the prompt costs 9.19 times"),
    ],
)
def test_ttft_scales_with_the_prompt(ttft: str, base: int, prompt: int, expected: str) -> None:
    scaled = formulas.scale_ttft(ms(ttft), prompt, base_prompt_tokens=base, alpha=ALPHA)
    assert rounded(scaled * 1000, 2) == Decimal(expected)


@given(latencies, tokens, tokens)
def test_a_longer_prompt_never_has_a_shorter_ttft(ttft: Decimal, one: int, other: int) -> None:
    shorter, longer = (
        formulas.scale_ttft(ttft, prompt, base_prompt_tokens=BASE_PROMPT_TOKENS, alpha=ALPHA)
        for prompt in sorted((one, other))
    )
    assert shorter <= longer


@given(latencies, tokens, tokens)
def test_scaling_there_and_back_gives_the_ttft_again(ttft: Decimal, here: int, there: int) -> None:
    scaled = formulas.scale_ttft(ttft, there, base_prompt_tokens=here, alpha=ALPHA)
    back = formulas.scale_ttft(scaled, here, base_prompt_tokens=there, alpha=ALPHA)
    assert rounded(back, 20) == ttft


# ---- ITL and throughput ----


@pytest.mark.parametrize(
    ("tokens_per_second", "concurrency", "expected_ms"),
    [
        pytest.param("95", "1", "10.53", id="Mixtral 8x7B at 95 tokens per second (its table cuts this to 10.5)"),
        pytest.param("200", "1", "5.00", id="the second example at 200 tokens per second"),
        pytest.param("20", "1", "50.00", id="faster than reading speed at 20 tokens per second"),
        # Printed beside these throughputs as if for one stream, which would be 1.79, 1.09 and 0.67 ms.
        pytest.param("558.54", "6.07", "10.87", id="Llama2-7B on one L4 is 6.07 streams"),
        pytest.param("915.48", "6.52", "7.12", id="Mistral-7B on one L4 is 6.52 streams"),
        pytest.param("1489.99", "3.83", "2.57", id="Llama2-7B on four L4 is 3.83 streams"),
        pytest.param("558.54", "1", "1.79", id="Llama2-7B on one L4 as one stream is not the printed 10.87"),
    ],
)
def test_itl_follows_from_throughput(tokens_per_second: str, concurrency: str, expected_ms: str) -> None:
    itl = formulas.itl_from_throughput(Decimal(tokens_per_second), concurrency=Decimal(concurrency))
    assert rounded(itl * 1000, 2) == Decimal(expected_ms)


@given(latencies, st.integers(min_value=1, max_value=512).map(Decimal))
def test_throughput_is_the_inverse_of_itl(itl: Decimal, concurrency: Decimal) -> None:
    assert rounded(formulas.itl_from_throughput(concurrency / itl, concurrency=concurrency), 15) == itl


@pytest.mark.parametrize(
    ("itl", "gpus", "expected_ms"),
    [
        pytest.param("10.87", 1, "10.87", id="one GPU changes nothing"),
        # Measured 2.57 ms, 4.2 times faster, and summed up in the same text as "3-4x"; the formula gives 2.6 times.
        pytest.param("10.87", 4, "4.12", id="four L4 by the formula are slower than measured"),
        pytest.param("25", 4, "9.47", id="a conversational base on four GPUs"),
    ],
)
def test_itl_falls_with_gpus(itl: str, gpus: int, expected_ms: str) -> None:
    assert rounded(formulas.scale_itl_for_gpus(ms(itl), gpus, exponent=GPU_EXPONENT) * 1000, 2) == Decimal(expected_ms)


@given(latencies, st.integers(min_value=1, max_value=63))
def test_a_further_gpu_helps_but_less_than_its_share(itl: Decimal, gpus: int) -> None:
    before, after = (formulas.scale_itl_for_gpus(itl, count, exponent=GPU_EXPONENT) for count in (gpus, gpus + 1))
    assert before * gpus / (gpus + 1) < after < before


# ---- factors ----


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        pytest.param("premium", "0.9", id="premium hardware tightens"),
        pytest.param("standard", "1", id="standard hardware changes nothing"),
        pytest.param("cost-optimized", "1.2", id="cost-optimized hardware relaxes"),
    ],
)
def test_hardware_factor(tier: str, expected: str) -> None:
    assert formulas.hardware_factor(tier, HARDWARE) == Decimal(expected)


def test_unknown_hardware_tier_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'gold'; known are premium, standard, cost-optimized"):
        formulas.hardware_factor("gold", HARDWARE)


@pytest.mark.parametrize(
    ("billions", "expected"),
    [
        pytest.param("7", "0.9", id="7B is small"),
        pytest.param("9.99", "0.9", id="just under 10B is small"),
        pytest.param("10", "1", id="10B is medium"),
        pytest.param("49.9", "1", id="just under 50B is medium"),
        pytest.param("70", "1.1", id="70B is large"),
        pytest.param("100", "1.2", id="100B is very large"),
        pytest.param("671", "1.2", id="671B is very large"),
    ],
)
def test_model_size_factor(billions: str, expected: str) -> None:
    assert formulas.model_size_factor(Decimal(billions), ADJUSTMENTS.model_size.steps) == Decimal(expected)


@pytest.mark.parametrize(
    ("utilization", "expected"),
    [
        pytest.param("0", "1", id="no load"),
        pytest.param("0.49", "1", id="just under half load is low"),
        pytest.param("0.5", "1.1", id="half load, also taken for an unknown capacity, is moderate"),
        pytest.param("0.79", "1.1", id="just under 80% is moderate"),
        pytest.param("0.8", "1.2", id="80% is high"),
        pytest.param("1.7", "1.2", id="overload is high"),
    ],
)
def test_load_factor(utilization: str, expected: str) -> None:
    assert formulas.load_factor(Decimal(utilization), ADJUSTMENTS.load.steps) == Decimal(expected)


@pytest.mark.parametrize(
    ("output_tokens", "expected"),
    [
        # The pipeline of the source gives 1.05 here.
        pytest.param(99, "1", id="99 tokens are short"),
        pytest.param(100, "1.1", id="100 tokens are medium"),
        # The pipeline and the medium-term code of the source give 1.15 here, its prose 1.1.
        pytest.param(500, "1.1", id="500 tokens are medium"),
        pytest.param(501, "1.15", id="501 tokens are long"),
    ],
)
def test_e2e_overhead(output_tokens: int, expected: str) -> None:
    assert formulas.e2e_overhead(output_tokens, OVERHEAD_STEPS) == Decimal(expected)


@given(tokens, tokens)
def test_a_longer_output_never_has_a_smaller_overhead(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert formulas.e2e_overhead(shorter, OVERHEAD_STEPS) <= formulas.e2e_overhead(longer, OVERHEAD_STEPS)


def test_steps_that_end_too_early_are_refused() -> None:
    with pytest.raises(ValueError, match="no step covers 80"):
        formulas.model_size_factor(Decimal(80), ADJUSTMENTS.model_size.steps[:2])


# ---- end to end ----


@pytest.mark.parametrize(
    ("ttft", "itl", "output", "pure_ms", "template_ms", "ratio"),
    [
        pytest.param(100, 20, 256, 5220, 5000, "0.96", id="code completion"),
        pytest.param(150, 25, 256, 6550, 7000, "1.07", id="chatbot"),
        pytest.param(300, 30, 256, 7980, 8000, "1.00", id="code generation"),
        pytest.param(400, 35, 256, 9360, 10000, "1.07", id="translation"),
        pytest.param(500, 35, 256, 9460, 12000, "1.27", id="content generation"),
        pytest.param(600, 30, 512, 15960, 18000, "1.13", id="short summarization"),
        pytest.param(1000, 40, 1536, 62440, 60000, "0.96", id="long document"),
        # Printed 1.13, which 80,000 / 71,120 = 1.1249 is not.
        pytest.param(2000, 45, 1536, 71120, 80000, "1.12", id="research and legal"),
    ],
)
def test_verification_table_of_e2e(
    ttft: int, itl: int, output: int, pure_ms: int, template_ms: int, ratio: str
) -> None:
    # "Template E2E values are 10-27% higher" fails for five of the eight rows: 0.96, 1.07, 1.00, 1.07 and 0.96.
    pure = formulas.e2e(ms(ttft), ms(itl), output, overhead=Decimal(1))
    assert pure == ms(pure_ms)
    assert rounded(ms(template_ms) / pure, 2) == Decimal(ratio)


def test_mixtral_benchmark_answers_in_fewer_tokens_than_assumed() -> None:
    ttft, itl, reported = ms(600), ms("10.53"), ms(2660)
    calculated = formulas.e2e(ttft, itl, 256, overhead=Decimal(1))
    # Printed as 3,295 in one place, which truncates, and as 3,296 in another.
    assert calculated == ms("3295.68")
    assert formulas.round_latency(calculated) == ms(3296)
    assert rounded(reported / calculated, 2) == Decimal("0.81")
    assert rounded((reported - ttft) / itl, 0) == 196


def test_a_stream_of_500_tokens_at_40_ms_takes_20_seconds() -> None:
    without_ttft = formulas.e2e(ms(1), ms(40), 500, overhead=Decimal(1)) - ms(1)
    assert without_ttft == 20


class PipelineCase(NamedTuple):
    """Arguments of the source's pipeline, and its three targets before any rounding, in milliseconds."""

    ttft: int
    itl: int
    prompt: int
    output: int
    tier: str
    gpus: int
    expected: tuple[str, str, str]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            PipelineCase(150, 25, 512, 256, "standard", 1, ("150.00", "25.00", "7205.00")),
            id="conversational at the base length",
        ),
        pytest.param(
            PipelineCase(300, 30, 4096, 512, "standard", 1, ("1583.41", "30.00", "19484.92")),
            id="interactive with a long prompt",
        ),
        # The source truncates this ITL to 8 ms.
        pytest.param(
            PipelineCase(150, 25, 512, 256, "premium", 4, ("135.00", "8.53", "2549.40")),
            id="conversational on four premium GPUs keeps 8.53 ms",
        ),
        pytest.param(
            PipelineCase(600, 35, 10240, 1536, "cost-optimized", 1, ("7909.64", "42.00", "83284.88")),
            id="deferred on cost-optimized hardware",
        ),
        # The pipeline of the source takes 1.05 here and prints 1155 ms.
        pytest.param(
            PipelineCase(100, 20, 512, 50, "standard", 1, ("100.00", "20.00", "1100.00")),
            id="instant with a short output has no overhead",
        ),
        # The pipeline of the source takes 1.15 here and prints 17595 ms.
        pytest.param(
            PipelineCase(300, 30, 512, 500, "standard", 1, ("300.00", "30.00", "16830.00")),
            id="exactly 500 tokens are a medium output",
        ),
    ],
)
def test_complete_pipeline(case: PipelineCase) -> None:
    ttft = formulas.scale_ttft(ms(case.ttft), case.prompt, base_prompt_tokens=BASE_PROMPT_TOKENS, alpha=ALPHA)
    itl = formulas.scale_itl_for_gpus(ms(case.itl), case.gpus, exponent=GPU_EXPONENT)
    e2e = formulas.e2e(ttft, itl, case.output, overhead=formulas.e2e_overhead(case.output, OVERHEAD_STEPS))
    factor = formulas.hardware_factor(case.tier, HARDWARE)
    assert tuple(rounded(latency * factor * 1000, 2) for latency in (ttft, itl, e2e)) == tuple(
        map(Decimal, case.expected)
    )


@pytest.mark.parametrize(
    ("e2e", "ttft", "output", "expected_ms"),
    [
        pytest.param(25000, 300, 1024, "24.12", id="25 s for 1024 tokens of code need 24.1 ms"),
        pytest.param(5000, 100, 256, "19.14", id="5 s of code completion need 19.1 ms"),
        pytest.param(35000, 400, 1024, "33.79", id="35 s of translation need 33.8 ms"),
        pytest.param(60000, 1000, 1536, "38.41", id="60 s for a long document need 38.4 ms"),
    ],
)
def test_mean_itl_needed(e2e: int, ttft: int, output: int, expected_ms: str) -> None:
    assert rounded(formulas.mean_itl_needed(ms(e2e), ms(ttft), output) * 1000, 2) == Decimal(expected_ms)


@given(latencies, latencies, tokens)
def test_the_pure_e2e_needs_exactly_its_own_itl(ttft: Decimal, itl: Decimal, output: int) -> None:
    whole = formulas.e2e(ttft, itl, output, overhead=Decimal(1))
    assert formulas.mean_itl_needed(whole, ttft, output) == itl


def test_e2e_at_ttft_needs_no_possible_itl() -> None:
    with pytest.raises(ValueError, match="leaves nothing after TTFT"):
        formulas.mean_itl_needed(ms(300), ms(300), 256)


# ---- the latency budget ----

DECOMPOSITION = {
    "network": ms(20),
    "queue": ms(50),
    "prefill": ms(280),
    "tokenization": ms(10),
    "gateway": ms(15),
    "safety": ms(25),
}


def test_decomposition_of_400_ms_leaves_340_to_the_engine() -> None:
    budget = formulas.sum_latency_budget(DECOMPOSITION, seen_by_engine={"queue", "prefill", "tokenization"})
    assert (budget.seen_seconds, budget.unseen_seconds, budget.total_seconds) == (ms(340), ms(60), ms(400))
    assert formulas.engine_threshold(ms(400), budget.unseen_seconds) == ms(340)


def test_definition_of_ttft_by_three_terms_leaves_out_50_ms_of_the_decomposition() -> None:
    # Printed: TTFT = network + queue + prefill.
    three_terms = {name: DECOMPOSITION[name] for name in ("network", "queue", "prefill")}
    assert formulas.sum_latency_budget(three_terms, seen_by_engine=()).total_seconds == ms(350)


@given(
    st.dictionaries(st.sampled_from(sorted(DECOMPOSITION)), latencies), st.sets(st.sampled_from(sorted(DECOMPOSITION)))
)
def test_every_part_is_either_seen_or_unseen(components: dict[str, Decimal], seen: set[str]) -> None:
    budget = formulas.sum_latency_budget(components, seen)
    swapped = formulas.sum_latency_budget(components, set(components) - seen)
    assert budget.total_seconds == sum(components.values(), Decimal(0))
    assert (budget.seen_seconds, budget.unseen_seconds) == (swapped.unseen_seconds, swapped.seen_seconds)


def test_a_budget_that_eats_the_whole_promise_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is left"):
        formulas.engine_threshold(ms(60), ms(60))


def test_a_negative_part_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"gateway is -0\.015s"):
        formulas.sum_latency_budget({"gateway": ms(-15)}, seen_by_engine=())


# ---- error budgets and burn rates ----


@pytest.mark.parametrize(
    ("factor", "target", "fires_above"),
    [
        pytest.param("14.4", "0.99", "0.144", id="fast burn of a 99% TTFT objective"),
        pytest.param("6", "0.99", "0.06", id="slow burn of a 99% TTFT objective"),
        # 1 - 0.072: the good ratio 0.928 of the printed alert expression.
        pytest.param("14.4", "0.995", "0.072", id="fast burn of a 99.5% objective is a good ratio under 0.928"),
        pytest.param("14.4", "0.93", "1.008", id="14.4 times of a 93% objective can never fire"),
    ],
)
def test_error_ratio_above_which_an_alert_fires(factor: str, target: str, fires_above: str) -> None:
    assert formulas.firing_error_ratio(Decimal(factor), formulas.error_budget(Decimal(target))) == Decimal(fires_above)


@pytest.mark.parametrize(
    ("period_days", "expected_hours"),
    [
        pytest.param(7, "11.67", id="a week's budget lasts under 12 hours, as printed"),
        pytest.param(28, "46.67", id="a 28-day budget lasts four times as long"),
        pytest.param(30, "50.00", id="a 30-day budget lasts 50 hours"),
    ],
)
def test_budget_at_burn_rate_14_4(period_days: int, expected_hours: str) -> None:
    # "At 14.4x the budget is exhausting 36x faster than target" is printed too; it is 14.4 times faster.
    lasts = formulas.exhaustion_seconds(Decimal("14.4"), period_seconds=period_days * DAY)
    assert rounded(lasts / HOUR, 2) == Decimal(expected_hours)
    assert rounded(period_days * DAY / lasts, 10) == Decimal("14.4")


@pytest.mark.parametrize(
    ("factor", "window_hours", "percent_of_30d", "percent_of_28d"),
    [
        pytest.param("14.4", 1, "2.00", "2.14", id="14.4 over an hour"),
        pytest.param("6", 6, "5.00", "5.36", id="6 over six hours"),
        pytest.param("1", 72, "10.00", "10.71", id="1 over three days, a factor that its source leaves unprinted"),
    ],
)
def test_budget_spent_at_detection(factor: str, window_hours: int, percent_of_30d: str, percent_of_28d: str) -> None:
    for days, percent in ((30, percent_of_30d), (28, percent_of_28d)):
        window, period = window_hours * HOUR, days * DAY
        spent = formulas.budget_spent_at_detection(window, factor=Decimal(factor), period_seconds=period)
        assert rounded(spent * 100, 2) == Decimal(percent)
        derived = formulas.factor_for_budget_share(spent, period_seconds=period, long_window_seconds=window)
        assert rounded(derived, 20) == Decimal(factor)


@pytest.mark.parametrize(
    ("share", "days", "window_hours", "expected"),
    [
        pytest.param("0.0214", 7, 1, "3.5952", id="a week lowers the fast factor"),
        pytest.param("0.0536", 7, 6, "1.5008", id="a week lowers the slow factor"),
        pytest.param("0.1071", 7, 72, "1", id="a factor under 1 is raised to 1"),
        pytest.param("0.0214", 1, 1, "1", id="so is that of a single day"),
    ],
)
def test_factor_of_a_short_period(share: str, days: int, window_hours: int, expected: str) -> None:
    factor = formulas.factor_for_budget_share(
        Decimal(share), period_seconds=days * DAY, long_window_seconds=window_hours * HOUR
    )
    assert factor == Decimal(expected)


@pytest.mark.parametrize(
    ("factor", "long_minutes", "short_minutes", "target", "error_ratio", "detection", "reset"),
    [
        pytest.param("14.4", 60, 5, "0.999", "1", "51.84", "295.68", id="total failure of 99.9% pages within a minute"),
        pytest.param("14.4", 60, 5, "0.99", "0.288", "1800", "150", id="twice the firing ratio takes half the window"),
        pytest.param("14.4", 60, 5, "0.95", "1", "2592", "84", id="total failure of 95% takes 43 minutes"),
        pytest.param("10", 30, 5, "0.95", "1", "900", "150", id="the outage tier of 95% takes 15 minutes"),
        pytest.param("14.4", 60, 5, "0.99", "0.144", None, None, id="the firing ratio itself never fires"),
        pytest.param("14.4", 60, 5, "0.99", "0", None, None, id="no error never fires"),
        pytest.param("14.4", 60, 5, "0.93", "1", None, None, id="a tier that needs more than all events never fires"),
    ],
)
def test_detection_and_reset(
    factor: str,
    long_minutes: int,
    short_minutes: int,
    target: str,
    error_ratio: str,
    detection: str | None,
    reset: str | None,
) -> None:
    budget = formulas.error_budget(Decimal(target))
    detected = formulas.detection_seconds(
        Decimal(60 * long_minutes), factor=Decimal(factor), budget=budget, error_ratio=Decimal(error_ratio)
    )
    ended = formulas.reset_seconds(
        Decimal(60 * short_minutes), factor=Decimal(factor), budget=budget, error_ratio=Decimal(error_ratio)
    )
    assert (detected, ended) == (detection and Decimal(detection), reset and Decimal(reset))


@given(windows, factors, ratios, ratios)
def test_an_alert_fires_and_ends_within_its_windows(
    window: Decimal, factor: Decimal, target: Decimal, error_ratio: Decimal
) -> None:
    budget = formulas.error_budget(target)
    detection = formulas.detection_seconds(window, factor=factor, budget=budget, error_ratio=error_ratio)
    reset = formulas.reset_seconds(window, factor=factor, budget=budget, error_ratio=error_ratio)
    if error_ratio <= formulas.firing_error_ratio(factor, budget):
        assert detection is None
        assert reset is None
    else:
        assert detection is not None
        assert reset is not None
        assert 0 < detection < window
        assert rounded(detection + reset, 15) == window


@given(windows, factors, ratios, ratios, st.integers(min_value=1, max_value=365))
def test_the_budget_spent_does_not_depend_on_the_error_ratio(
    window: Decimal, factor: Decimal, target: Decimal, error_ratio: Decimal, days: int
) -> None:
    budget = formulas.error_budget(target)
    detection = formulas.detection_seconds(window, factor=factor, budget=budget, error_ratio=error_ratio)
    if detection is not None:
        spent = formulas.budget_spent_at_detection(window, factor=factor, period_seconds=days * DAY)
        assert rounded(detection * error_ratio / budget / (days * DAY), 12) == rounded(spent, 12)


@given(factors, windows)
def test_burning_until_exhaustion_spends_the_budget_exactly(burn_rate: Decimal, period: Decimal) -> None:
    lasts = formulas.exhaustion_seconds(burn_rate, period_seconds=period)
    assert rounded(formulas.budget_spent_at_detection(lasts, factor=burn_rate, period_seconds=period), 20) == 1


@pytest.mark.parametrize("target", ["0", "1", "1.5", "-0.1"])
def test_a_target_without_a_budget_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        formulas.error_budget(Decimal(target))


# ---- rounding ----


@pytest.mark.parametrize(
    ("milliseconds", "expected_ms"),
    [
        pytest.param("8.53", 9, id="8.53 ms is 9 ms, where truncation makes 8"),
        pytest.param("1583.41", 1583, id="the fraction of a longer latency goes"),
        pytest.param("2.5", 3, id="a half goes up"),
        pytest.param("3.5", 4, id="every half goes up"),
        pytest.param("0.2", 1, id="nothing rounds to zero"),
        pytest.param("150", 150, id="a whole millisecond stays"),
    ],
)
def test_round_latency(milliseconds: str, expected_ms: int) -> None:
    assert formulas.round_latency(ms(milliseconds)) == ms(expected_ms)


@given(st.decimals(min_value="0.0005", max_value="10000", places=7))
def test_rounding_twice_is_rounding_once_and_moves_at_most_half_a_millisecond(seconds: Decimal) -> None:
    once = formulas.round_latency(seconds)
    assert formulas.round_latency(once) == once
    assert abs(once - seconds) <= ms("0.5")


# ---- arguments that make no sense ----

ZERO = Decimal(0)
ONE = Decimal(1)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        pytest.param(
            lambda: formulas.scale_ttft(ONE, 0, base_prompt_tokens=1, alpha=ONE), "prompt_tokens", id="an empty prompt"
        ),
        pytest.param(
            lambda: formulas.itl_from_throughput(ZERO, concurrency=ONE), "tokens_per_second", id="no throughput"
        ),
        pytest.param(lambda: formulas.scale_itl_for_gpus(ONE, 0, exponent=ONE), "gpu_count", id="no GPU"),
        pytest.param(lambda: formulas.e2e(ONE, ONE, 0, overhead=ONE), "output_tokens", id="no output"),
        pytest.param(lambda: formulas.firing_error_ratio(ONE, ZERO), "budget", id="no error budget"),
        pytest.param(lambda: formulas.exhaustion_seconds(ZERO, period_seconds=ONE), "burn_rate", id="no burn"),
        pytest.param(lambda: formulas.round_latency(Decimal("NaN")), "seconds", id="a latency that is no number"),
        pytest.param(lambda: formulas.round_latency(ZERO), "seconds", id="a latency of zero"),
    ],
)
def test_an_impossible_argument_is_named(call: object, name: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=rf"^{name} is .*, not above zero"):
        call()


def test_a_negative_utilization_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        formulas.load_factor(Decimal(-1), ADJUSTMENTS.load.steps)


def test_an_error_ratio_over_one_is_refused() -> None:
    with pytest.raises(ValueError, match="not within 0 to 1"):
        formulas.detection_seconds(HOUR, factor=ONE, budget=Decimal("0.1"), error_ratio=Decimal(2))
