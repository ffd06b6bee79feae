"""Published arithmetic, to the digits published: if one of these moves, a formula has changed its meaning."""

import pytest

from service.domain.language_model_library import known_model
from service.estimating.serving_calibration import SPREAD
from service.formulas.architecture import kv_cache_bytes, parameters
from service.formulas.flops import accelerator_hours, six_n_d
from service.formulas.goodput import goodput, hours_between_failures, young_interval
from service.formulas.inference import token_cost_per_query
from service.formulas.memory import Parallelism, logit_bytes
from service.formulas.token_prices import api_cost_per_query
from service.formulas.training import energy_kwh, gpu_hours
from service.formulas.training_efficiency import Spreads
from service.formulas.utilisation import interval

HOURS_PER_DAY = 24


def test_the_fleet_of_a_day_at_deepseek() -> None:
    """DeepSeek, inference system overview, 2025-02: 226.75 nodes of eight H800, 87,072 USD at 2 USD an hour."""
    nodes = 608e9 / 86400 / 73_700 + 168e9 / 86400 / 14_800
    assert nodes == pytest.approx(226.9, abs=0.05)
    assert 2 * gpu_hours(gpus=226.75 * 8, hours=HOURS_PER_DAY) == pytest.approx(87_072)


def test_the_bill_of_deepseek_v3() -> None:
    """arXiv:2412.19437, table 1: 180K hours a trillion tokens are 3.7 days on 2048 H800, 2,788K are 5.576M USD."""
    assert gpu_hours(gpus=2048, hours=3.7 * HOURS_PER_DAY) == pytest.approx(180_000, rel=0.012)
    assert 2 * gpu_hours(gpus=2048, hours=(14.8 * 180_000 + 119_000 + 5_000) / 2048) == pytest.approx(5_576_000)


def test_the_cache_of_deepseek_v2_is_93_3_percent_smaller_than_that_of_deepseek_67b() -> None:
    """arXiv:2405.04434, abstract; V2 was deployed with 6 bits an element, 67B with 16."""
    v2 = kv_cache_bytes(known_model("deepseek-v2").llm, tokens=1, bytes_per_element=6 / 8)
    dense = kv_cache_bytes(known_model("deepseek-67b").llm, tokens=1, bytes_per_element=2)
    assert 1 - v2 / dense == pytest.approx(0.933, abs=0.0025)


def test_the_flops_of_llama_405b() -> None:
    """arXiv:2407.21783: 3.8e25 FLOPs for 15.6T tokens."""
    assert f"{six_n_d(active_parameters=405.85e9, tokens=15.6e12):.3g}" == "3.8e+25"


def test_the_energy_and_carbon_of_llama_65b() -> None:
    """arXiv:2302.13971, table 15: 449 MWh and 173 t at 400 W, PUE 1.1 and 0.385 kg/kWh."""
    kwh = energy_kwh(power_per_gpu_kw=0.4, gpus=1, hours=1_022_362, pue=1.1)
    assert kwh / 1000 == pytest.approx(449.8, abs=0.05)
    assert 0.385 * kwh / 1000 == pytest.approx(173.2, abs=0.05)


def test_the_energy_of_bloom() -> None:
    """arXiv:2211.02001: 1,082,990 A100 hours at 400 W are 433.2 MWh."""
    assert energy_kwh(power_per_gpu_kw=0.4, gpus=1, hours=1_082_990) / 1000 == pytest.approx(433.2, abs=0.05)


def test_the_energy_of_gpt_3() -> None:
    """arXiv:2104.10350, table 4: 1,287 MWh from 10,000 V100 of 330 W for 14.8 days, PUE 1.1."""
    kwh = energy_kwh(power_per_gpu_kw=0.33, gpus=10_000, hours=14.8 * HOURS_PER_DAY, pue=1.1)
    assert kwh / 1000 == pytest.approx(1_289, abs=0.5)
    assert kwh / 1000 == pytest.approx(1_287, rel=0.002)


def test_the_bill_of_mpt_7b() -> None:
    """MosaicML, 2023-05-05: 440 A100 for 9.5 days, about 200K USD at 2 USD an hour."""
    assert 2 * gpu_hours(gpus=440, hours=9.5 * HOURS_PER_DAY) == 200_640


def test_the_hours_of_llama_65b_at_the_utilisation_they_imply() -> None:
    hours = accelerator_hours(
        flops=six_n_d(active_parameters=65.2e9, tokens=1.4e12), peak_flops=312e12, utilisation=0.4769
    )
    assert hours == pytest.approx(1_022_362, rel=2e-4)


def test_the_theoretical_revenue_of_that_day() -> None:
    """The same page: 608B input tokens, 342B of them cached, 168B output; 562,027 USD at R1's prices, 0.11 and 0.52."""
    paid = api_cost_per_query(
        input_tokens=(608 - 342) * 1e9,
        input_price=0.55,
        cached_tokens=342e9,
        cached_price=0.14,
        output_tokens=168e9,
        output_price=2.19,
    )
    assert paid == pytest.approx(562_027, rel=3e-4)
    cost = 2 * gpu_hours(gpus=226.75 * 8, hours=HOURS_PER_DAY)
    assert cost / 168_000 == pytest.approx(0.52, abs=0.005)
    assert cost / 776_000 == pytest.approx(0.11, abs=0.005)
    plain = token_cost_per_query(
        input_tokens_per_query=266e9, input_token_price=0.55, output_tokens_per_query=168e9, output_token_price=2.19
    )
    assert paid - plain == pytest.approx(342_000 * 0.14)


def test_the_bill_of_deepseek_r1() -> None:
    """DeepSeek-R1, appendix: 512 H800 for 198 h and for 80 h, 5K h of data; 147K hours, 294K USD at 2 USD."""
    zero, full = (gpu_hours(gpus=512, hours=hours) for hours in (198, 80))
    assert (zero, full) == (101_376, 40_960)
    assert 2 * (zero + full + 5_000) == pytest.approx(294_000, rel=0.003)


@pytest.mark.parametrize(
    ("hours", "kilowatts", "pue", "mwh", "within"),
    [
        (320_256, 0.28, 1, 89.67, 1e-4),
        (3_768_320, 0.283, 1, 1066, 1e-3),
        (8_404_992, 0.3785, 1.08, 3436, 1e-3),
        (809_472, 0.4, 1.1, 356, 1e-3),
        (1_105_920, 0.4, 1, 442, 1e-3),
        (1_720_320, 0.4, 1, 688, 1e-3),
    ],
    ids=["StarCoder", "Gopher", "PaLM", "OPT", "GLM-130B", "Llama 2 70B"],
)
def test_published_energy_is_hours_times_power(
    hours: float, kilowatts: float, pue: float, mwh: float, within: float
) -> None:
    """arXiv:2305.06161, 2112.11446 table A27, 2204.02311 appendix B, 2302.13971 table 15, 2210.02414, 2307.09288."""
    assert energy_kwh(power_per_gpu_kw=kilowatts, gpus=1, hours=hours, pue=pue) / 1000 == pytest.approx(mwh, rel=within)


@pytest.mark.parametrize(
    ("hours", "kilowatts", "tonnes", "within"),
    [
        (1_720_320, 0.4, 291.42, 1e-5),
        (809_472, 0.4, 137, 0.01),
        (6_400_000, 0.7, 1900, 0.005),
        (1_300_000, 0.7, 390, 0.02),
    ],
    ids=["Llama 2 70B", "OPT", "Llama 3 70B", "Llama 3 8B"],
)
def test_meta_counts_carbon_with_a_facility_of_1_1_and_385_grams(
    hours: float, kilowatts: float, tonnes: float, within: float
) -> None:
    """arXiv:2307.09288 table 2, arXiv:2302.13971 table 15, and the Llama 3 model card, which rounds to two figures."""
    kwh = energy_kwh(power_per_gpu_kw=kilowatts, gpus=1, hours=hours, pue=1.1)
    assert 0.385 * kwh / 1000 == pytest.approx(tonnes, rel=within)


def test_the_waste_of_a_cluster_that_fails_every_three_hours() -> None:
    """arXiv:2407.21783, section 3.3.4: 419 unexpected interruptions of 16,384 H100 in 54 days."""
    assert pytest.approx(50_700, rel=1e-3) == 54 * HOURS_PER_DAY * 16_384 / 419
    failures = float(hours_between_failures(accelerators=16_384))
    assert failures == pytest.approx(3.1, abs=0.05)
    pause = float(young_interval(checkpoint_hours=1 / 60, failure_hours=failures))
    assert 60 * pause == pytest.approx(19, abs=0.5)
    working = goodput(checkpoint_hours=1 / 60, interval_hours=pause, failure_hours=failures, restart_hours=0)
    assert float(working) == pytest.approx(0.9, abs=0.005)


def test_the_memory_everybody_forgets() -> None:
    """Logits in 32 bits of a sequence of 32K over a vocabulary of 128K: 15.7 GiB."""
    kept = logit_bytes(known_model("llama-3.1-8b").llm, layout=Parallelism(), sequence=32 * 1024)
    assert float(kept) / 2**30 == pytest.approx(15.7, abs=0.05)


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("llama-3.1-70b", 70.6, None),
        ("deepseek-v3", 670.9, 36.5),
        ("gpt-oss-120b", 116.8, 5.1),
        ("kimi-k2.5", 1026, None),
        ("qwen3-235b-a22b", 235.0, None),
    ],
)
def test_parameters_follow_from_the_published_configurations(name: str, total: float, active: float | None) -> None:
    """Billions; a token's without the input embedding."""
    found = parameters(known_model(name).llm)
    assert float(found.total) / 1e9 == pytest.approx(total, rel=1e-3)
    if active is not None:
        assert float(found.multiplied) / 1e9 == pytest.approx(active, rel=0.02)


def test_an_interval_of_four_times_out_of_five_is_1_28_standard_deviations() -> None:
    for spread in (Spreads().run, Spreads().benchmark, SPREAD):
        band = interval(1.0, spread=spread)
        assert float(band.high) == pytest.approx(2.718281828 ** (1.2816 * spread), rel=1e-4)
        assert float(band.low * band.high) == pytest.approx(1)
