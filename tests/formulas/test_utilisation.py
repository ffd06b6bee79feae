"""Predicted utilisation: the terms, and what must hold whatever the constants are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.formulas.flops import forward_flops_per_token
from service.formulas.training_efficiency import CONSTANTS, GENERATIONS, TrainingEfficiency
from service.formulas.utilisation import (
    TrainingHardware,
    counted_flops_per_token,
    interval,
    model_flops_utilisation,
    recomputed_share,
    run_factor,
    seconds_per_token,
    shape_of,
    usual_shape,
)
from tests.formulas.test_architecture import KIMI_K2, LLAMA_70B, MIXTRAL

A100 = TrainingHardware(
    peak_flops=312e12,
    peak_flops_16bit=312e12,
    bandwidth=2.04e12,
    memory=80e9,
    link_bandwidth=300e9,
    generation="ampere",
)
H100 = TrainingHardware(
    peak_flops=989e12, peak_flops_16bit=989e12, bandwidth=3.35e12, memory=80e9, link_bandwidth=450e9
)
H100_FP8 = TrainingHardware(
    peak_flops=1979e12, peak_flops_16bit=989e12, bandwidth=3.35e12, memory=80e9, link_bandwidth=450e9
)
SIZES = st.floats(1e8, 1e12)
FLEETS = st.integers(1, 100_000)
SEQUENCES = st.integers(512, 131_072)


def utilisation(shape, hardware, sequence=4096, accelerators=64) -> float:
    return float(model_flops_utilisation(shape, hardware, sequence=sequence, accelerators=accelerators))


def test_a_benchmark_nobody_fitted_is_met() -> None:
    """Megatron-LM, README of 2024: 41 % for 2B to 47–48 % for 462B on H100; its 462B ran on 6,144 of them."""
    assert utilisation(usual_shape(active_parameters=462e9), H100, accelerators=6144) == pytest.approx(0.47, rel=0.25)


def test_the_counted_flops_are_three_forward_passes() -> None:
    for llm in (LLAMA_70B, MIXTRAL, KIMI_K2):
        counted = counted_flops_per_token(shape_of(llm), sequence=4096)
        assert counted == pytest.approx(3 * forward_flops_per_token(llm, context=2048), rel=1e-6)


def test_the_full_square_counts_attention_twice() -> None:
    shape = shape_of(LLAMA_70B)
    half, full, none = (
        counted_flops_per_token(shape, sequence=s, causal=c) for s, c in ((8192, True), (8192, False), (0, True))
    )
    assert full - none == pytest.approx(2 * (half - none))


def test_a_faster_chip_and_a_narrower_format_reach_a_smaller_share() -> None:
    shape = usual_shape(active_parameters=30e9)
    assert utilisation(shape, A100) > utilisation(shape, H100) > utilisation(shape, H100_FP8)


def test_experts_reach_far_less_than_a_dense_model_of_their_active_size() -> None:
    dense = usual_shape(active_parameters=shape_of(KIMI_K2).multiplied)
    assert utilisation(shape_of(KIMI_K2), H100) < 0.7 * utilisation(dense, H100)


def test_what_does_not_fit_is_computed_again_and_what_fits_is_not() -> None:
    small, large = usual_shape(active_parameters=1e9), usual_shape(active_parameters=400e9)
    assert float(recomputed_share(small, H100, sequence=2048, accelerators=64)) == 0
    assert float(recomputed_share(large, H100, sequence=8192, accelerators=1024)) > 0.5


def test_a_whole_run_reaches_less_the_more_servers_it_takes() -> None:
    factors = run_factor(accelerators=np.array([1, 8, 64, 1024, 16384]))
    assert factors[0] == factors[1] == TrainingEfficiency().one_server
    assert np.all(np.diff(factors[1:]) < 0)


def test_every_fitted_constant_is_a_default_and_says_where_it_is_from() -> None:
    defaults = TrainingEfficiency()
    for one in CONSTANTS:
        assert getattr(defaults, one.name) == one.value
        assert one.rows >= 4
        assert one.source
        assert abs(np.log(one.value / one.expected)) < 3 * one.tolerance


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_generation_has_an_efficiency_below_one(generation: str) -> None:
    assert 0 < TrainingEfficiency().matmul(generation) < 1


@given(size=SIZES, fleet=FLEETS, sequence=SEQUENCES)
def test_utilisation_is_above_nothing_and_below_what_products_alone_reach(
    size: float, fleet: int, sequence: int
) -> None:
    u = utilisation(usual_shape(active_parameters=size), H100, sequence=sequence, accelerators=fleet)
    assert 0 < u < TrainingEfficiency().hopper


@given(size=SIZES, fleet=FLEETS)
def test_a_larger_model_never_takes_less_time_a_token(size: float, fleet: int) -> None:
    less, more = (
        float(seconds_per_token(usual_shape(active_parameters=n), H100, sequence=4096, accelerators=fleet))
        for n in (size, 1.5 * size)
    )
    assert more > less


@given(sequence=SEQUENCES)
def test_a_longer_sequence_never_takes_less_time_a_token(sequence: int) -> None:
    shape = shape_of(LLAMA_70B)
    short, long = (
        float(seconds_per_token(shape, H100, sequence=s, accelerators=64)) for s in (sequence, sequence + 512)
    )
    assert long > short


@given(scale=st.floats(0.1, 10))
def test_time_falls_as_everything_about_the_hardware_grows(scale: float) -> None:
    grown = TrainingHardware(
        peak_flops=scale * 989e12,
        peak_flops_16bit=scale * 989e12,
        bandwidth=scale * 3.35e12,
        memory=80e9,
        link_bandwidth=scale * 450e9,
    )
    shape = shape_of(KIMI_K2)
    before, after = (float(seconds_per_token(shape, h, sequence=4096, accelerators=256)) for h in (H100, grown))
    assert after == pytest.approx(before / scale)


@given(central=st.floats(1e-3, 1e9), spread=st.floats(0.01, 2))
def test_an_interval_is_a_factor_either_way(central: float, spread: float) -> None:
    band = interval(central, spread=spread)
    assert band.low < central < band.high
    assert band.low * band.high == pytest.approx(central**2)


def test_arrays_and_numbers_agree() -> None:
    fleets, shape = np.array([8.0, 512.0, 16384.0]), shape_of(MIXTRAL)
    many = model_flops_utilisation(shape, H100, sequence=4096, accelerators=fleets)
    each = [utilisation(shape, H100, accelerators=float(one)) for one in fleets]
    assert many.tolist() == pytest.approx(each, rel=1e-12)
