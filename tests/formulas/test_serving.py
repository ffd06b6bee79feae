"""The serving roofline against what was measured, and against common sense."""

import numpy as np
import pytest

from service.formulas.serving import (
    Replica,
    decode_seconds,
    decode_weight_bytes,
    distinct_experts,
    largest_batch,
    output_tokens_per_second,
    seconds_per_output_token,
)
from tests.formulas.test_architecture import KIMI_K2, LLAMA_70B

H200 = {"bandwidth": 4.8e12, "peak_flops": 1979e12, "link_bandwidth": 450e9}
ONE_H200 = Replica(llm=LLAMA_70B, accelerators=1, weight_bytes=1, kv_bytes=1, **H200)
EIGHT_H200 = Replica(llm=LLAMA_70B, accelerators=8, weight_bytes=1, kv_bytes=1, **H200)


def test_a_measured_point_is_met_without_having_been_fitted_alone() -> None:
    """InferenceX: Llama 3.1 70B, fp8, one H200, vLLM, 1024 in, 8192 out, 4 at once: 22.048 ms (2025-10-29)."""
    predicted = seconds_per_output_token(ONE_H200, batch=4, input_tokens=1024, output_tokens=8192)
    assert predicted == pytest.approx(22.048e-3, rel=0.25)


def test_a_step_is_never_faster_than_reading_the_weights_once() -> None:
    for batch in (1, 8, 64, 512):
        floor = decode_weight_bytes(EIGHT_H200, batch=batch) / H200["bandwidth"]
        assert decode_seconds(EIGHT_H200, batch=batch, context=1000) > floor


def test_more_sequences_at_once_yield_more_and_make_each_wait_longer() -> None:
    batches = np.array([1.0, 4.0, 16.0, 64.0, 256.0])
    asked = {"input_tokens": 1000, "output_tokens": 1000}
    yields = output_tokens_per_second(EIGHT_H200, batch=batches, **asked)
    waits = seconds_per_output_token(EIGHT_H200, batch=batches, **asked)
    assert np.all(np.diff(yields) > 0)
    assert np.all(np.diff(waits) > 0)


def test_a_batch_touches_more_experts_than_one_token_and_never_more_than_there_are() -> None:
    touched = distinct_experts(experts=384, active=8, tokens=np.array([1, 2, 64, 10_000]))
    assert touched[0] == pytest.approx(8)
    assert np.all(np.diff(touched) > 0)
    assert touched[-1] <= 384
    eight = Replica(llm=KIMI_K2, accelerators=8, weight_bytes=1, **H200)
    assert decode_weight_bytes(eight, batch=64) > 5 * decode_weight_bytes(eight, batch=1)


def test_a_model_that_does_not_fit_leaves_no_room_for_a_sequence() -> None:
    bf16 = Replica(llm=LLAMA_70B, accelerators=1, **H200)
    assert largest_batch(bf16, memory=80e9, context=4096) < 1
    assert largest_batch(ONE_H200, memory=141e9, context=4096) > 1


def test_a_latent_cache_is_kept_whole_by_every_accelerator() -> None:
    alone, eight = (
        largest_batch(
            Replica(llm=KIMI_K2, accelerators=n, weight_bytes=0, **H200), memory=141e9, context=4096, reserved=0
        )
        for n in (1, 8)
    )
    assert eight == pytest.approx(alone, rel=0.001)


def test_arrays_and_numbers_agree() -> None:
    batches = [1.0, 32.0]
    many = seconds_per_output_token(EIGHT_H200, batch=np.array(batches), input_tokens=500, output_tokens=500)
    each = [seconds_per_output_token(EIGHT_H200, batch=one, input_tokens=500, output_tokens=500) for one in batches]
    assert many.tolist() == pytest.approx([float(one) for one in each], rel=1e-12)
