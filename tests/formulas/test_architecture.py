"""Architectures that were published with their parameter counts, and what follows from them."""

import numpy as np
import pytest

from service.domain.language_model import Experts, LanguageModel, LatentAttention
from service.formulas.architecture import kv_cache_bytes, parameters
from service.formulas.flops import accelerator_hours, forward_flops_per_token, six_n_d, training_flops

LLAMA_70B = LanguageModel(
    name="Llama 3.3 70B",  # its config.json
    layers=80,
    hidden_size=8192,
    heads=64,
    kv_heads=8,
    head_size=128,
    ffn_size=28672,
    vocabulary=128256,
)
MIXTRAL = LanguageModel(
    name="Mixtral 8x7B",  # its config.json
    layers=32,
    hidden_size=4096,
    heads=32,
    kv_heads=8,
    head_size=128,
    ffn_size=14336,
    vocabulary=32000,
    experts=Experts(total=8, active=2, ffn_size=14336),
)
QWEN3_235B = LanguageModel(
    name="Qwen3 235B-A22B",  # the text part of its config.json
    layers=94,
    hidden_size=4096,
    heads=64,
    kv_heads=4,
    head_size=128,
    ffn_size=12288,
    vocabulary=151936,
    experts=Experts(total=128, active=8, ffn_size=1536),
)
KIMI_K2 = LanguageModel(
    name="Kimi K2",  # its config.json
    layers=61,
    hidden_size=7168,
    heads=64,
    kv_heads=64,
    head_size=128,
    ffn_size=18432,
    vocabulary=163840,
    experts=Experts(total=384, active=8, ffn_size=2048, shared=1, dense_layers=1),
    latent_attention=LatentAttention(
        kv_rank=512, query_rank=1536, rope_head_size=64, nope_head_size=128, value_head_size=128
    ),
)


@pytest.mark.parametrize(
    ("llm", "total", "active"),
    [
        (LLAMA_70B, 70.6e9, 70.6e9),
        (MIXTRAL, 46.7e9, 12.9e9),
        (QWEN3_235B, 235e9, 22e9),
        (KIMI_K2, 1.026e12, 32.6e9),
    ],
    ids=lambda value: value.name if isinstance(value, LanguageModel) else None,
)
def test_parameters_follow_from_the_configuration(llm: LanguageModel, total: float, active: float) -> None:
    count = parameters(llm)
    assert count.total == pytest.approx(total, rel=0.01)
    assert count.active == pytest.approx(active, rel=0.02)


@pytest.mark.parametrize(
    ("llm", "published"),
    [(LLAMA_70B, 327_680), (QWEN3_235B, 192_512), (KIMI_K2, 70_272)],
    ids=["Llama 70B", "Qwen3 235B", "Kimi K2"],
)
def test_the_cache_of_one_token_in_bf16(llm: LanguageModel, published: int) -> None:
    assert kv_cache_bytes(llm, tokens=1, bytes_per_element=2) == published


def test_a_windowed_layer_keeps_no_more_than_its_window() -> None:
    half = LanguageModel(
        name="half windowed",
        layers=36,
        hidden_size=2880,
        heads=64,
        kv_heads=8,
        head_size=64,
        ffn_size=2880,
        vocabulary=201088,
        window=128,
        windowed_layers=18,
    )
    assert kv_cache_bytes(half, tokens=128, bytes_per_element=2) == 128 * 73_728
    assert kv_cache_bytes(half, tokens=1128, bytes_per_element=2) == 128 * 73_728 + 1000 * 36_864


def test_a_tied_head_is_counted_once_and_multiplied_all_the_same() -> None:
    tied, untied = (
        parameters(
            LanguageModel(
                name="small",
                layers=2,
                hidden_size=64,
                heads=4,
                kv_heads=4,
                head_size=16,
                ffn_size=256,
                vocabulary=1000,
                tied_embeddings=tied,
            )
        )
        for tied in (True, False)
    )
    assert untied.total - tied.total == 64_000
    assert untied.multiplied == tied.multiplied


def test_llama_405b_took_six_n_d_of_its_paper() -> None:
    """Llama 3 paper, arXiv:2407.21783: 3.8e25 FLOPs for 405B parameters and 15.6T tokens."""
    assert six_n_d(active_parameters=405e9, tokens=15.6e12) == pytest.approx(3.8e25, rel=0.005)


def test_training_is_linear_in_tokens_and_grows_with_the_sequence() -> None:
    short, long = (training_flops(LLAMA_70B, tokens=1e12, sequence=s) for s in (4096, 32768))
    assert training_flops(LLAMA_70B, tokens=2e12, sequence=4096) == pytest.approx(2 * short)
    assert long > short > six_n_d(active_parameters=parameters(LLAMA_70B).multiplied, tokens=1e12)
    whole = training_flops(LLAMA_70B, tokens=1e12, sequence=4096, causal=False)
    assert whole - short == pytest.approx(12 / 2 * 1e12 * 80 * 4096 * 64 * 128)


def test_arrays_and_numbers_agree() -> None:
    contexts = np.array([1.0, 1000.0, 8192.0])
    many = forward_flops_per_token(LLAMA_70B, context=contexts)
    assert many.tolist() == [forward_flops_per_token(LLAMA_70B, context=float(one)) for one in contexts]
    hours = accelerator_hours(flops=1e24, peak_flops=np.array([312e12, 989e12]), utilisation=0.4)
    assert hours[0] == accelerator_hours(flops=1e24, peak_flops=312e12, utilisation=0.4)
