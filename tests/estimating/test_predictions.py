"""What a training run is predicted to take: sure of itself only as far as it should be."""

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Invalid
from service.estimating.predictions import (
    Anchor,
    PowerDraw,
    TrainingCase,
    benchmark_utilisation,
    calibration,
    measured_utilisation,
    predict_memory,
    predict_training,
)
from service.formulas.memory import Parallelism, Recompute
from service.formulas.utilisation import TrainingHardware, shape_of, usual_shape
from tests.formulas.test_architecture import KIMI_K2, LLAMA_70B

A100 = TrainingHardware(
    peak_flops=312e12,
    peak_flops_16bit=312e12,
    bandwidth=2.04e12,
    memory=80e9,
    link_bandwidth=300e9,
    generation="ampere",
)
LLAMA_2_70B = TrainingCase(
    shape=shape_of(LLAMA_70B),
    tokens=2e12,
    hardware=A100,
    accelerators=2048,
    sequence=4096,
    power=PowerDraw(full_load_kw=0.4, load=1, server_factor=1, carbon_kg_per_kwh=0.385),
)


def test_the_hours_of_llama_2_70b_lie_in_the_interval() -> None:
    """arXiv:2307.09288, table 2: 1,720,320 A100 hours, 291.42 t."""
    made = predict_training(LLAMA_2_70B)
    assert made.accelerator_hours.low < 1_720_320 < made.accelerator_hours.high
    assert made.carbon_kg is not None
    assert made.carbon_kg.low < 291_420 < made.carbon_kg.high


def test_every_number_follows_from_its_steps() -> None:
    made = predict_training(LLAMA_2_70B)
    steps = {one.name: one.value for one in made.steps}
    u = steps["benchmark utilisation"] * steps["calibration"] * steps["run factor"]
    assert made.utilisation.central == pytest.approx(u)
    assert made.accelerator_hours.central == pytest.approx(steps["FLOPs"] / (3600 * 312e12 * u))
    assert made.wall_hours.central == pytest.approx(made.accelerator_hours.central / 2048)
    assert made.energy_kwh is not None
    assert made.energy_kwh.central == pytest.approx(made.accelerator_hours.central * 0.4 * 1.1)


def test_without_a_power_draw_nothing_is_said_of_energy() -> None:
    made = predict_training(replace(LLAMA_2_70B, power=None))
    assert made.energy_kwh is None
    assert made.carbon_kg is None


def test_an_unknown_fleet_is_one_that_finishes_in_about_a_month() -> None:
    made = predict_training(replace(LLAMA_2_70B, accelerators=None))
    assert 10 * 24 < made.wall_hours.central < 90 * 24
    assert any("assumed" in one.because for one in made.steps)


def test_a_measured_utilisation_replaces_the_prior_and_narrows_the_interval() -> None:
    anchor = Anchor(case=LLAMA_2_70B, utilisation=0.5)
    plain, made = predict_training(LLAMA_2_70B), predict_training(LLAMA_2_70B, anchors=(anchor,))
    assert made.utilisation.central == pytest.approx(0.5 * 0.82)
    ratio = plain.utilisation.high / plain.utilisation.low
    assert made.utilisation.high / made.utilisation.low < ratio


def test_a_measured_run_is_repeated_exactly() -> None:
    anchor = Anchor(case=LLAMA_2_70B, utilisation=0.43, whole_run=True)
    assert predict_training(LLAMA_2_70B, anchors=(anchor,)).utilisation.central == pytest.approx(0.43)


def test_tokens_per_second_step_time_and_utilisation_say_the_same() -> None:
    speed = 312e12 * 0.5 / (6 * shape_of(LLAMA_70B).multiplied + 6 * 80 * 4096 * 8192)
    said = [
        Anchor(case=LLAMA_2_70B, utilisation=0.5),
        Anchor(case=LLAMA_2_70B, tokens_per_second=speed),
        Anchor(case=LLAMA_2_70B, step_seconds=4e6 / speed / 2048, tokens_per_step=4e6),
    ]
    factors = [calibration([one]) for one in said]
    assert factors == pytest.approx([factors[0]] * 3)
    assert factors[0] == pytest.approx(0.5 / benchmark_utilisation(LLAMA_2_70B))


def test_the_step_time_of_mt_nlg_is_the_utilisation_it_reports() -> None:
    """arXiv:2201.11990, section 2.4: batch 1920 of 2048 tokens in 60.1 s on 280 nodes of eight A100: 0.302."""
    case = replace(LLAMA_2_70B, shape=usual_shape(active_parameters=530e9), accelerators=2240, sequence=2048)
    anchor = Anchor(case=case, step_seconds=60.1, tokens_per_step=1920 * 2048)
    assert measured_utilisation(anchor) == pytest.approx(0.302, rel=0.01)


def test_the_measured_speed_of_tinyllama_gives_its_hours() -> None:
    """arXiv:2401.02385: 24K tokens a second on one A100; 3T tokens are 34.7K hours."""
    case = replace(LLAMA_2_70B, shape=usual_shape(active_parameters=1.1e9), tokens=3e12, accelerators=16, sequence=2048)
    anchor = Anchor(case=case, tokens_per_second=24_000, whole_run=True)
    assert predict_training(case, anchors=(anchor,)).accelerator_hours.central == pytest.approx(34_722, rel=1e-4)


def test_an_anchor_of_one_size_corrects_another() -> None:
    small = replace(LLAMA_2_70B, shape=usual_shape(active_parameters=7e9))
    anchor = Anchor(case=small, utilisation=0.9 * benchmark_utilisation(small))
    assert calibration([anchor]) == pytest.approx(0.9)


def test_several_anchors_count_by_their_geometric_mean() -> None:
    reached = benchmark_utilisation(LLAMA_2_70B)
    both = [Anchor(case=LLAMA_2_70B, utilisation=factor * reached) for factor in (0.5, 1.125)]
    assert calibration(both) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tokens": -1.0}, "tokens"),
        ({"tokens": nan}, "tokens"),
        ({"tokens": inf}, "tokens"),
        ({"accelerators": 0.0}, "accelerators"),
        ({"sequence": -5.0}, "sequence"),
        ({"hardware": replace(A100, generation="amper")}, "generation"),
    ],
)
def test_an_impossible_case_names_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        predict_training(replace(LLAMA_2_70B, **change))
    assert [one.field for one in caught.value.problems] == [field]


def test_an_unknown_generation_is_answered_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="ampere"):
        predict_training(replace(LLAMA_2_70B, hardware=replace(A100, generation="amper")))


@pytest.mark.parametrize(
    "anchor",
    [
        Anchor(case=LLAMA_2_70B),
        Anchor(case=LLAMA_2_70B, utilisation=1.2),
        Anchor(case=LLAMA_2_70B, utilisation=0.0),
        Anchor(case=LLAMA_2_70B, utilisation=0.4, tokens_per_second=400),
        Anchor(case=LLAMA_2_70B, tokens_per_second=1e6),
        Anchor(case=LLAMA_2_70B, step_seconds=10),
        Anchor(case=LLAMA_2_70B, step_seconds=0, tokens_per_step=4e6),
    ],
    ids=["nothing", "above 1", "nothing reached", "two", "beyond the peak", "no tokens", "no time"],
)
def test_an_impossible_anchor_is_refused(anchor: Anchor) -> None:
    with pytest.raises(Invalid, match="anchor"):
        predict_training(LLAMA_2_70B, anchors=(anchor,))


@given(factor=st.floats(1.001, 1000))
def test_hours_are_linear_in_tokens(factor: float) -> None:
    less, more = (predict_training(replace(LLAMA_2_70B, tokens=n)).accelerator_hours for n in (1e12, factor * 1e12))
    assert more.central == pytest.approx(factor * less.central)
    assert more.low == pytest.approx(factor * less.low)


@given(fleet=st.integers(8, 50_000))
def test_a_larger_fleet_takes_more_hours_and_less_time(fleet: int) -> None:
    one, two = (predict_training(replace(LLAMA_2_70B, accelerators=n)) for n in (fleet, 2 * fleet))
    # The memory of twice the machines may spare a little recomputation.
    assert two.accelerator_hours.central >= 0.99 * one.accelerator_hours.central
    assert two.wall_hours.central < one.wall_hours.central


def test_memory_says_whether_it_fits_and_what_would_help() -> None:
    layout = Parallelism(data=8, tensor=8, zero=3)
    made = predict_memory(LLAMA_70B, layout=layout, memory=80e9, sequence=8192)
    assert made.fits
    assert made.first_that_fits is Recompute.SELECTIVE
    tight = predict_memory(LLAMA_70B, layout=layout, memory=40e9, sequence=8192)
    assert not tight.fits
    assert tight.share > 1
    assert tight.first_that_fits is Recompute.FULL


def test_a_model_that_cannot_fit_says_so() -> None:
    made = predict_memory(KIMI_K2, layout=Parallelism(), memory=80e9, sequence=4096)
    assert not made.fits
    assert made.first_that_fits is None
