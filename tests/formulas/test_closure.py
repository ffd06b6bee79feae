"""Published arithmetic, to the digits published: if one of these moves, a formula has changed its meaning."""

import pytest

from service.domain.language_model_library import known_model
from service.formulas.architecture import kv_cache_bytes
from service.formulas.flops import accelerator_hours, six_n_d
from service.formulas.training import energy_kwh, gpu_hours

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
