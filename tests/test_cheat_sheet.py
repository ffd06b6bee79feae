"""docs/cheat-sheet.md: every figure on it is published, with its page, or computed here from what is."""

import re
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.domain.language_model_library import known_model
from service.domain.prediction import Prediction
from service.estimating.accuracy.facts import published_facts
from service.estimating.accuracy.report import PREDICTED
from service.formulas.architecture import kv_cache_bytes, parameters
from service.formulas.flops import accelerator_hours
from service.formulas.serving import Replica, largest_batch
from service.formulas.training import energy_kwh
from service.usecases.predictions import predict_inference, predict_training
from service.usecases.scenario_files import read_prediction_spec
from service.usecases.validation import validate_published

PAGE: Final = (Path(__file__).parents[1] / "docs" / "cheat-sheet.md").read_text(encoding="utf-8")
SPECS: Final = dict(re.findall(r"```yaml (\S+)\n(.*?)```", PAGE, flags=re.DOTALL))
SHOWN: Final = re.findall(r"^\$ costplan (.*)\n(.*)$", PAGE, flags=re.MULTILINE)
PUBLISHED: Final = dict(
    re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| [^|]+ \| \[[^|]+\]\(https://[^|]+\), \d{4}[^|]* \|$", PAGE, re.MULTILINE)
)
NAMES: Final = re.compile(
    r"DeepSeek 67B|Llama 2 70B|LLaMA-2 \"65B\"|LLaMA 65B|\"65B\"|7B, 13B, 34B and 70B|7B, 13B, 33B and 65B"
    r"|Llama 3\.1-405B|Gemini 1\.0 Ultra|GPT-3 175B \(davinci\)|OPT-175B"
    r"|Gopher \(280B\)|CO2|10\^23|section \d[\d.]*|table \d+|arXiv:\S+"
)
NUMBER: Final = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
RUNS: Final = (
    "Grok-3",
    "Llama 3.1-405B",
    "Gemini 1.0 Ultra",
    "GPT-3 175B (davinci)",
    "OPT-175B",
    "Gopher (280B)",
    "GLaM",
)


def published(name: str) -> float:
    """A figure of the table of published ones, in its unit there."""
    return float(PUBLISHED[name].split()[0].replace(",", ""))


def predicted(name: str) -> Prediction:
    kind = "training" if "hours" in name else "inference"
    spec = read_prediction_spec(kind, SPECS[name])
    return predict_training(spec) if kind == "training" else predict_inference(spec)  # type: ignore[arg-type]


def hours() -> dict[str, str]:
    """Of a trillion tokens, V2 against 67B: as published, taken apart, and from architecture alone."""
    v2, dense = published("v2-hours"), published("67b-hours")
    made = {name: predicted(f"deepseek-{name}-hours.yaml") for name in ("v2", "67b")}
    found = {"saving": share(1 - v2 / dense)}
    flops, used = {}, {}
    for name, counted in (("v2", v2), ("67b", dense)):
        flops[name] = made[name].steps[0].value
        used[name] = accelerator_hours(flops=flops[name], peak_flops=989e12, utilisation=1) / (counted * 1000)
        one = made[name].figures[0]
        assert one.low is not None
        assert one.high is not None
        assert one.low < counted * 1000 < one.high
        ends = (one.central, one.low, one.high)
        found |= {
            f"{name}-{end}": f"{value / 1000:.0f}" for end, value in zip(("central", "low", "high"), ends, strict=True)
        }
        found |= {f"{name}-flops": f"{flops[name] / 1e23:.2f}", f"{name}-used": share(used[name])}
    central = {name: one.figures[0].central for name, one in made.items()}
    fewer, worse = 1 - flops["v2"] / flops["67b"], used["67b"] / used["v2"]
    assert 1 - (1 - fewer) * worse == pytest.approx(1 - v2 / dense)
    return found | {
        "fewer-flops": share(fewer),
        "each-costs": f"{worse:.2f}",
        "predicted-saving": share(1 - central["v2"] / central["67b"]),
        "v2-total": f"{v2 * published('v2-tokens') * 1000:,.0f}",
        "67b-total": f"{dense * published('67b-tokens') * 1000:,.0f}",
        "total-ratio": f"{v2 * published('v2-tokens') / dense / published('67b-tokens'):.2f}",
    }


def cache() -> dict[str, str]:
    """Of a token, from the ranks of latent attention and the precision it is kept in."""
    v2, dense = known_model("deepseek-v2").llm, known_model("deepseek-67b").llm
    assert v2.latent_attention is not None

    v2_bytes, dense_bytes = published("v2-bits") / 8, published("67b-bits") / 8

    def kept(llm: str, width: float) -> float:
        return float(kv_cache_bytes({"v2": v2, "67b": dense}[llm], tokens=1, bytes_per_element=width))

    return {
        "rank": str(v2.latent_attention.kv_rank),
        "rope": str(v2.latent_attention.rope_head_size),
        "v2-layers": str(v2.layers),
        "67b-layers": str(dense.layers),
        "67b-kv-heads": str(dense.kv_heads),
        "67b-head-size": str(dense.head_size),
        "v2-bytes": f"{kept('v2', v2_bytes):,.0f}",
        "67b-bytes": f"{kept('67b', dense_bytes):,.0f}",
        "cache-saving": share(1 - kept("v2", v2_bytes) / kept("67b", dense_bytes)),
        "cache-saving-alike": share(1 - kept("v2", dense_bytes) / kept("67b", dense_bytes)),
    }


def throughput() -> dict[str, str]:
    """Of a node of eight, each model as it was deployed."""
    made = {name: predicted(f"deepseek-{name}-serving.yaml").figures[1] for name in ("v2", "67b")}
    ratio = made["v2"].central / made["67b"].central
    assert ratio > 2
    rooms = {
        "deepseek-v2": room("deepseek-v2", weight=1, cache=published("v2-bits") / 8, spread=True),
        "deepseek-67b": room("deepseek-67b", weight=2, cache=published("67b-bits") / 8, spread=False),
    }
    return {
        "v2-speed": f"{made['v2'].central:,.0f}",
        "67b-speed": f"{made['67b'].central:,.0f}",
        "speed-ratio": f"{ratio:.1f}",
        "67b-published-speed": f"{published('v2-speed') / published('v2-speedup'):,.0f}",
        "v2-room": f"{rooms['deepseek-v2']:.1f}",
        "67b-room": f"{rooms['deepseek-67b']:.1f}",
        "room-ratio": f"{rooms['deepseek-v2'] / rooms['deepseek-67b']:.0f}",
    }


def room(llm: str, *, weight: float, cache: float, spread: bool) -> float:
    """Millions of tokens the caches of eight H800 hold; `spread`: every accelerator keeps its own sequences."""
    one = Replica(
        llm=known_model(llm).llm,
        accelerators=8,
        bandwidth=3.35e12,
        peak_flops=989e12,
        link_bandwidth=200e9,
        weight_bytes=weight,
        kv_bytes=cache,
    )
    held = float(largest_batch(one, memory=80e9, context=1000))
    return held * 1000 * (8 if spread else 1) / 1e6


def llama() -> dict[str, str]:
    """What there is of each size, and the energy and carbon of the one that was meant."""
    kwh = energy_kwh(power_per_gpu_kw=published("a100-power") / 1000, gpus=1, hours=published("llama-2-hours"))
    return {
        "llama-2": f"{parameters(known_model('llama-2-70b').llm).total / 1e9:.2f}",
        "llama-1": f"{parameters(known_model('llama-65b').llm).total / 1e9:.2f}",
        "llama-2-mwh": f"{kwh / 1000:,.0f}",
        "llama-2-tonnes": f"{kwh * published('meta-facility') * published('meta-carbon') / 1000:.2f}",
    }


def a_day() -> dict[str, str]:
    """What 700,000 USD a day would be in electricity, and in accelerators."""
    price = published("electricity")
    energy = published("chatgpt-day") / price
    fleet = published("chatgpt-day") / 24 / published("rent")
    drawn = energy_kwh(
        power_per_gpu_kw=published("a100-power") / 1000,
        gpus=fleet,
        hours=24,
        utilisation=published("load"),
        server_factor=published("a100-server"),
        pue=published("facility"),
    )
    return {
        "gwh": f"{energy / 1e6:.1f}",
        "mw": f"{energy / 24 / 1000:.0f}",
        "fleet": f"{fleet:,.0f}",
        "fleet-mw": f"{drawn / 24 / 1000:.1f}",
        "fleet-power-cost": f"{drawn * price:,.0f}",
        "fleet-power-share": share(drawn * price / published("chatgpt-day")),
    }


def bills() -> dict[str, str]:
    """What the runs cost at the rent DeepSeek assumes."""
    v2 = published("v2-hours") * published("v2-tokens") * 1000 * published("rent")
    return {
        "v2-bill": f"{v2 / 1e6:.2f}",
        "v3-bill": f"{published('v3-hours') * 1000 * published('rent') / 1e6:.3f}",
        "gpt-4-over-v2": f"{published('gpt-4') * 1e6 / v2:.0f}",
    }


def frontier() -> list[str]:
    """A line for each known run: what Epoch's method gives from what the chips were bought for, and the cloud."""
    rows = {row["model"]: row for row in published_facts("epoch")[0]}
    made = {one.name: one for one in validate_published("epoch").outcomes if one.quantity == "USD"}
    lines = []
    for name in RUNS:
        row, cost = rows[name], made[name].by_method[PREDICTED]
        assert cost == pytest.approx(made[name].measured, rel=0.06)
        cloud, chip_hours = float(row["cloud_cost_usd"]), float(row["chip_hours"])
        told = [float(row["hardware_acquisition_usd"]), cost, made[name].measured, cloud]
        cells = [f"{float(row['chips']):,.0f}", f"{chip_hours / 1e6:.2f}", *(f"{one / 1e6:,.2f}" for one in told)]
        lines.append(f"| {name} | {' | '.join(cells)} | {cloud / chip_hours:.2f} | {cloud / cost:.1f} |")
    return lines


def computed() -> dict[str, str]:
    return hours() | cache() | throughput() | llama() | a_day() | bills()


def share(value: float) -> str:
    return f"{100 * value:.1f}"


def test_every_figure_of_the_page_is_published_or_computed() -> None:
    known = {*computed().values(), *(value.split()[0] for value in PUBLISHED.values())}
    for line in frontier():
        assert line in PAGE
        known |= {cell.strip() for cell in line.split("|")}
    prose = re.sub(r"```.*?```|\(https?://[^)]*\)|\d{4}-\d\d(-\d\d)?|, \d{4}(?= \|)", " ", PAGE, flags=re.DOTALL)
    found = NUMBER.findall(NAMES.sub(" ", prose))
    assert len(found) > 80
    assert {one for one in found if one not in known} == set()


def test_every_computed_figure_is_on_the_page() -> None:
    for name, value in computed().items():
        assert re.search(rf"(?<![\d.,]){re.escape(value)}(?![\d])", PAGE), name


def test_what_the_mission_quotes_comes_out() -> None:
    made = computed()
    assert made["saving"] == "42.5"
    assert made["cache-saving"] == "93.3"
    assert float(made["speed-ratio"]) > 1
    assert made["v3-bill"] == "5.576"
    assert made["llama-2-tonnes"] == "291.42"


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_every_command_prints_what_the_page_shows(command: str, output: str) -> None:
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip() == output


def test_the_page_has_its_scenarios_and_its_sources() -> None:
    assert len(SPECS) == 4
    assert len(SHOWN) >= 4
    assert len(PUBLISHED) >= 14
