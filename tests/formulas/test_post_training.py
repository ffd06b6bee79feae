"""Fine-tuning, preferences and reinforcement learning, against published figures and one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.formulas.architecture import parameters
from service.formulas.memory import NF4_BYTES, Parallelism, Recompute, training_memory
from service.formulas.post_training import (
    ATTENTION,
    Adapted,
    adapter_flops,
    adapter_memory,
    adapter_parameters,
    fine_tuning_flops,
    preference_flops,
    reinforcement_flops,
    rollout_accelerator_hours,
)
from tests.formulas.test_architecture import LLAMA_70B, MIXTRAL


def test_an_adapter_of_everything_has_one_pair_for_every_matrix() -> None:
    per_layer = 2 * (8192 + 8192) + 2 * (8192 + 1024) + 3 * (8192 + 28672)
    assert adapter_parameters(LLAMA_70B, rank=16) == 16 * 80 * per_layer


def test_each_expert_gets_an_adapter_of_its_own() -> None:
    experts = adapter_parameters(MIXTRAL, rank=1, adapted=[Adapted.FEED_FORWARD])
    assert experts == 32 * 8 * 3 * (4096 + 14336)
    assert adapter_parameters(MIXTRAL, rank=1) == experts + adapter_parameters(MIXTRAL, rank=1, adapted=ATTENTION)


def test_an_adapter_takes_two_thirds_of_full_fine_tuning() -> None:
    asked = {"tokens": 1e9, "sequence": 2048}
    share = adapter_flops(LLAMA_70B, trained=adapter_parameters(LLAMA_70B, rank=8), **asked) / fine_tuning_flops(
        LLAMA_70B, **asked
    )
    assert share == pytest.approx(2 / 3, abs=0.01)


def test_qlora_brings_a_70b_model_onto_one_accelerator_of_48_gigabytes() -> None:
    trained = adapter_parameters(LLAMA_70B, rank=16, adapted=ATTENTION)
    asked = {"layout": Parallelism(), "trained": trained, "sequence": 512}
    assert adapter_memory(LLAMA_70B, weight_bytes=NF4_BYTES, **asked).total < 48e9
    assert adapter_memory(LLAMA_70B, weight_bytes=2, **asked).total > 140e9
    full = training_memory(LLAMA_70B, layout=Parallelism(), sequence=512, recompute=Recompute.FULL)
    assert full.total > 780e9


def test_preference_optimisation_passes_both_answers_and_the_reference_once() -> None:
    asked = {"pairs": 1000, "tokens_per_answer": 400, "prompt_tokens": 200}
    with_reference, without = (preference_flops(LLAMA_70B, reference=one, **asked) for one in (True, False))
    assert with_reference / without == pytest.approx(4 / 3)
    assert without == pytest.approx(2 * fine_tuning_flops(LLAMA_70B, tokens=600_000, sequence=600))
    assert preference_flops(LLAMA_70B, epochs=3, **asked) / with_reference == pytest.approx(10 / 4)


def test_rollouts_take_accelerators_times_hours() -> None:
    hours = rollout_accelerator_hours(prompts=3600, samples=2, answer_tokens=500, tokens_per_second=1000, straggling=1)
    assert hours == 1


def test_learning_from_rollouts_is_linear_in_samples_and_grows_with_every_model_beside() -> None:
    asked = {"prompts": 1e4, "prompt_tokens": 200, "answer_tokens": 1000}
    one, two = (reinforcement_flops(LLAMA_70B, samples=n, **asked) for n in (8, 16))
    assert two == 2 * one
    alone = reinforcement_flops(LLAMA_70B, samples=8, reference=False, **asked)
    scored = reinforcement_flops(LLAMA_70B, samples=8, scored_by=MIXTRAL, **asked)
    assert alone < one < scored < reinforcement_flops(LLAMA_70B, samples=8, critic=LLAMA_70B, **asked)


@given(tokens=st.floats(1, 1e15), factor=st.floats(1.01, 100))
def test_fine_tuning_is_linear_in_tokens(tokens: float, factor: float) -> None:
    less, more = (fine_tuning_flops(LLAMA_70B, tokens=n, sequence=4096) for n in (tokens, factor * tokens))
    assert more == pytest.approx(factor * less)
    assert less >= 6 * parameters(LLAMA_70B).multiplied * tokens


def test_arrays_and_numbers_agree() -> None:
    tokens = np.array([1e6, 1e9])
    many = adapter_flops(LLAMA_70B, tokens=tokens, sequence=4096, trained=1e7)
    each = [adapter_flops(LLAMA_70B, tokens=float(n), sequence=4096, trained=1e7) for n in tokens]
    assert many.tolist() == pytest.approx(each)
