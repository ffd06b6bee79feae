"""Formulas over a million rows at once, beside the same arithmetic written out in bare NumPy."""

import statistics
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from service.domain.language_model_library import known_model
from service.formulas.architecture import kv_cache_bytes, parameters
from service.formulas.flops import accelerator_hours, training_flops
from service.formulas.numbers import Number
from service.formulas.serving import Replica, decode_weight_bytes, seconds_per_output_token, traffic_bytes_per_token
from service.formulas.training import energy_kwh

ROWS: Final = 1_000_000
RUNS: Final = 7
LLAMA: Final = known_model("llama-3.1-70b").llm
EIGHT: Final = Replica(llm=LLAMA, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)


def report() -> None:
    """Evaluations a second of three formulas, each beside its floor; the two must agree."""
    rng = np.random.default_rng(0)
    tokens, used = rng.uniform(1e11, 2e13, ROWS), rng.uniform(0.1, 0.6, ROWS)
    batch, prompt, answer = (rng.integers(low, high, ROWS) * 1.0 for low, high in ((1, 256), (64, 8192), (64, 2048)))
    per_token = 6 * parameters(LLAMA).multiplied + 3 * 4 * 4096 * LLAMA.layers * LLAMA.heads * LLAMA.head_size
    compared(
        "accelerator-hours of training",
        lambda: accelerator_hours(
            flops=training_flops(LLAMA, tokens=tokens, sequence=8192), peak_flops=989e12, utilisation=used
        ),
        lambda: tokens * per_token / (3600 * 989e12 * used),
    )
    compared(
        "energy",
        lambda: energy_kwh(power_per_gpu_kw=0.7, gpus=8, hours=tokens, utilisation=used, server_factor=1.8, pue=1.1),
        lambda: 0.7 * 8 * tokens * used * 1.8 * 1.1,
    )
    compared(
        "time per output token",
        lambda: seconds_per_output_token(EIGHT, batch=batch, input_tokens=prompt, output_tokens=answer),
        written_out(batch, prompt, answer),
    )
    print()


def compared(name: str, formula: Callable[[], Number], bare: Callable[[], Number]) -> None:
    """One formula and its floor, a line. Raises AssertionError where they disagree."""
    assert np.allclose(formula(), bare(), rtol=1e-9)
    took, floor = median(formula), median(bare)
    print(f"formulas: {name:30} {ROWS / took:14,.0f} a second  floor {ROWS / floor:14,.0f}  ratio {floor / took:.2f}")


def written_out(batch: Number, prompt: Number, answer: Number) -> Callable[[], Number]:
    """The time per output token of this one replica, every constant folded into a number."""
    reached, many = EIGHT.efficiency, 8
    weights = float(decode_weight_bytes(EIGHT, batch=1)) / (reached.memory * EIGHT.bandwidth)
    cached = float(kv_cache_bytes(LLAMA, tokens=1, bytes_per_element=2)) / 8 / (reached.memory * EIGHT.bandwidth)
    product = 2 * float(parameters(LLAMA).multiplied) / many / EIGHT.peak_flops
    score = 4 * LLAMA.layers * LLAMA.heads * LLAMA.head_size / many / EIGHT.peak_flops
    traffic = float(traffic_bytes_per_token(EIGHT)) / many / EIGHT.bandwidth
    moved = 4 * LLAMA.layers * LLAMA.hidden_size * 2 * (many - 1) / many / (reached.link * EIGHT.link_bandwidth)
    fixed = LLAMA.layers * (reached.layer_seconds + 2 * reached.allreduce_seconds)
    each = traffic + moved

    def arithmetic() -> Number:
        context = prompt + answer / 2
        reading = weights + batch * context * cached
        working = batch * (product + score * context) / reached.compute
        read = prompt * ((product + score * prompt / 2) / reached.prefill + each)
        return np.maximum(reading, working) + batch * each + fixed + (batch - 1) / answer * read

    return arithmetic


def median(work: Callable[[], object]) -> float:
    """Median seconds of wall time."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    report()
