"""What training keeps in memory, against published figures and common sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.formulas.memory import (
    Parallelism,
    Recompute,
    States,
    activation_bytes,
    activation_bytes_per_token,
    logit_bytes,
    share_of_memory,
    training_memory,
)
from tests.formulas.test_architecture import KIMI_K2, LLAMA_70B, MIXTRAL

POWERS = st.sampled_from([1, 2, 4, 8])


def states(use) -> float:
    return use.weights + use.gradients + use.optimizer


def test_mixed_precision_adam_keeps_sixteen_bytes_a_parameter_and_eighteen_with_wide_gradients() -> None:
    alone = Parallelism(zero=0)
    plain = training_memory(LLAMA_70B, layout=alone, sequence=4096)
    wide = training_memory(LLAMA_70B, layout=alone, sequence=4096, states=States(gradient=4))
    assert states(plain) == 16 * 70_553_706_496
    assert states(wide) == 18 * 70_553_706_496


@pytest.mark.parametrize(("zero", "bytes_per_parameter"), [(0, 16), (1, 4 + 12 / 8), (2, 2 + 14 / 8), (3, 16 / 8)])
def test_each_zero_stage_shards_one_state_more(zero: int, bytes_per_parameter: float) -> None:
    use = training_memory(LLAMA_70B, layout=Parallelism(data=8, zero=zero), sequence=4096)
    assert states(use) == pytest.approx(bytes_per_parameter * 70_553_706_496)


def test_tensor_ranks_divide_the_states_and_the_activations() -> None:
    one, eight = (training_memory(LLAMA_70B, layout=Parallelism(tensor=t), sequence=4096) for t in (1, 8))
    assert states(one) == pytest.approx(8 * states(eight))
    assert one.activations == pytest.approx(8 * eight.activations)
    whole = Parallelism(tensor=8, sequence_parallel=False)
    assert activation_bytes(LLAMA_70B, layout=whole, sequence=4096) > eight.activations


def test_expert_ranks_divide_only_the_experts() -> None:
    one, eight = (
        training_memory(MIXTRAL, layout=Parallelism(data=8, expert=e, zero=0), sequence=4096).weights for e in (1, 8)
    )
    experts = 2 * 32 * 8 * 3 * 4096 * 14336
    assert one - eight == pytest.approx(experts * 7 / 8)


def test_the_optimizer_of_experts_is_sharded_over_the_ranks_that_hold_the_same_ones() -> None:
    spread, piled = (
        training_memory(MIXTRAL, layout=Parallelism(data=8, expert=e, zero=1), sequence=4096).optimizer for e in (1, 8)
    )
    assert spread == pytest.approx(piled)


def test_the_first_stage_of_a_pipeline_keeps_a_micro_batch_for_every_stage() -> None:
    layout = Parallelism(pipeline=4)
    first = training_memory(LLAMA_70B, layout=layout, sequence=4096)
    alone = training_memory(LLAMA_70B, layout=Parallelism(), sequence=4096)
    assert first.activations == pytest.approx(alone.activations)
    assert first.logits == 0
    assert states(first) < states(alone) / 3


def test_recomputing_more_keeps_less() -> None:
    kept = [activation_bytes(LLAMA_70B, layout=Parallelism(), sequence=8192, recompute=one) for one in Recompute]
    assert kept[0] > kept[1] > kept[2] > 0


def test_logits_of_a_long_sequence_take_sixteen_gigabytes() -> None:
    assert logit_bytes(LLAMA_70B, layout=Parallelism(), sequence=32768) / 2**30 == pytest.approx(15.66, abs=0.01)


def test_a_latent_cache_is_expanded_in_training() -> None:
    assert activation_bytes_per_token(KIMI_K2, sequence=4096, recompute=Recompute.SELECTIVE) > 64 * 2 * 2 * (192 + 128)


def test_a_run_that_needs_all_of_it_does_not_fit() -> None:
    assert share_of_memory(needed=80e9, memory=80e9) > 1


@given(sequence=st.integers(1, 2**17), tensor=POWERS, data=POWERS, zero=st.integers(0, 3))
def test_more_tokens_never_take_less(sequence: int, tensor: int, data: int, zero: int) -> None:
    layout = Parallelism(tensor=tensor, data=data, zero=zero)
    short, long = (training_memory(LLAMA_70B, layout=layout, sequence=s).total for s in (sequence, 2 * sequence))
    assert 0 < short < long


@given(batch=st.integers(1, 64))
def test_activations_are_linear_in_the_micro_batch(batch: int) -> None:
    one, many = (activation_bytes(LLAMA_70B, layout=Parallelism(), sequence=4096, micro_batch=b) for b in (1, batch))
    assert many == pytest.approx(batch * one)


def test_arrays_and_numbers_agree() -> None:
    sequences = np.array([1024.0, 8192.0, 131072.0])
    layout = Parallelism(tensor=8, pipeline=4, data=2)
    many = training_memory(LLAMA_70B, layout=layout, sequence=sequences)
    each = [training_memory(LLAMA_70B, layout=layout, sequence=float(one)).total for one in sequences]
    assert np.asarray(many.total).tolist() == pytest.approx(each, rel=1e-12)
