"""Validation over small tables: what is predicted, what is refused, and that nobody looks at the answer."""

from collections.abc import Callable, Sequence

import pytest

from service.estimating.accuracy.epoch import validate_epoch
from service.estimating.accuracy.hardware import number_format, part, training_hardware
from service.estimating.accuracy.report import (
    ANCHORED,
    ANCHORED_BY_ONE,
    LEFT_OUT,
    PREDICTED,
    Outcome,
    Row,
    ValidationReport,
    number,
    others_of,
    report,
    without_each_family,
)
from service.estimating.accuracy.serving import validate_serving
from service.estimating.accuracy.training import validate_training
from service.estimating.accuracy.utilisation import validate_utilisation

RUN = {
    "model": "Llama-2-70B",
    "phase": "pretrain",
    "arch": "dense",
    "params_total_b": "68.977",
    "params_active_b": "68.977",
    "tokens_b": "2000",
    "accelerator": "A100-80",
    "accel_count": "",
    "accel_hours": "1720320",
    "precision": "bf16",
    "tier": "A",
}
BENCHMARK = {
    "source": "NVIDIA-NeMo/Megatron-Bridge",
    "model": "LLAMA3_70B",
    "arch": "dense",
    "gpu": "H100",
    "n_gpu": "64",
    "precision": "FP8",
    "seq_len": "8192",
    "model_tflops_per_gpu": "731",
}
SERVED = {
    "source_group": "InferenceX",
    "model": "Llama-3.1-70B",
    "accelerator": "h200_sxm",
    "n_accel": "1",
    "precision": "fp8",
    "engine": "vllm",
    "scenario": "closed loop",
    "isl": "1024",
    "osl": "8192",
    "concurrency": "4",
    "output_tok_s_per_accel": "181",
    "tpot_ms": "22.048",
}
TRAINED = {
    "model": "Llama 3.1-405B",
    "hardware": "NVIDIA H100 SXM5 80GB",
    "chips": "16384",
    "chip_hours": "35094528",
    "training_flop": "3.8e25",
    "amortised_later_version_usd": "73415549",
    "hardware_acquisition_usd": "896044949",
}
TABLES = [
    (validate_training, RUN, ("accel_hours", "mfu_reported")),
    (validate_utilisation, BENCHMARK, ("model_tflops_per_gpu", "mfu_pct", "tok_s_per_gpu")),
    (validate_serving, SERVED, ("tpot_ms", "output_tok_s_per_accel", "ttft_ms")),
    (validate_epoch, TRAINED, ("amortised_later_version_usd", "mfu_in_db", "cloud_cost_usd")),
]
Validate = Callable[[Sequence[Row]], ValidationReport]


def predictions(made: ValidationReport) -> list[tuple[float, float, float]]:
    return [(one.by_method[PREDICTED], one.low, one.high) for one in made.outcomes]


@pytest.mark.parametrize(("validate", "row", "measured"), TABLES, ids=["training", "mfu", "inference", "epoch"])
def test_a_prediction_does_not_move_with_what_was_measured(
    validate: Validate, row: Row, measured: tuple[str, ...]
) -> None:
    other = {**row, **{column: str(3.3 * float(row.get(column) or 0.1)) for column in measured}}
    assert predictions(validate([row])) == predictions(validate([other]))


@pytest.mark.parametrize(("validate", "row", "measured"), TABLES, ids=["training", "mfu", "inference", "epoch"])
def test_an_empty_row_is_listed_and_not_guessed(validate: Validate, row: Row, measured: tuple[str, ...]) -> None:
    made = validate([dict.fromkeys(row, "")])
    assert made.outcomes == ()
    assert made.accuracy == ()
    assert all(one.reason for one in made.not_predicted)
    assert measured


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accel_hours": ""}, "accel_hours"),
        ({"tokens_b": "not stated"}, "tokens_b"),
        ({"tokens_b": "-15"}, "tokens_b"),
        ({"accelerator": "an abacus"}, "an abacus"),
        ({"model": "nobody-9", "params_active_b": ""}, "params_active_b"),
        ({"tier": "no", "notes": "an aggregate"}, "an aggregate"),
    ],
)
def test_a_run_that_lacks_something_says_what(change: dict[str, str], reason: str) -> None:
    (left,) = validate_training([RUN | change]).not_predicted
    assert reason in left.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"isl": "mixed"}, "isl"),
        ({"concurrency": ""}, "concurrency"),
        ({"concurrency": "-4"}, "concurrency"),
        ({"n_accel": "72"}, "wider"),
        ({"model": "nobody-9"}, "nobody-9"),
        ({"precision": "unary"}, "unary"),
    ],
)
def test_a_serving_row_that_lacks_something_says_what(change: dict[str, str], reason: str) -> None:
    (left,) = validate_serving([SERVED | change]).not_predicted
    assert reason in left.reason


def test_a_benchmark_of_an_unknown_hybrid_is_not_predicted() -> None:
    row = BENCHMARK | {"model": "Hybrid_9", "arch": "MoE/hybrid", "active_params_b": "3"}
    (left,) = validate_utilisation([row]).not_predicted
    assert "hybrid" in left.reason


def test_an_offline_row_is_served_with_as_many_as_fit() -> None:
    row = SERVED | {"concurrency": "", "scenario": "Offline", "tpot_ms": "", "output_tok_s_per_accel": "1500"}
    (one,) = validate_serving([row]).outcomes
    assert one.quantity == "tokens per second and accelerator"
    assert "as many as fit" in one.reasons[0]


def test_baselines_stand_beside_the_prediction_in_the_same_table() -> None:
    made = validate_training([RUN])
    methods = [one.method for one in made.accuracy if one.group == "pre-training"]
    assert methods == [PREDICTED, LEFT_OUT, "6 N D at 40 % of peak", "speed of light"]
    (one,) = made.outcomes
    assert one.by_method["6 N D at 40 % of peak"] == pytest.approx(2.5 * one.by_method["speed of light"])


def test_a_reported_utilisation_anchors_its_run() -> None:
    (one,) = validate_training([RUN | {"mfu_reported": "0.5"}]).outcomes
    assert "anchored by the run's own reported MFU" in one.by_method


def test_the_full_square_of_llm_foundry_is_counted_as_it_counts() -> None:
    causal, full = (
        validate_utilisation([BENCHMARK | {"source": source}]).outcomes[0].by_method[PREDICTED]
        for source in ("NVIDIA", "mosaicml/llm-foundry")
    )
    assert full > causal


def test_the_figures_of_a_group_are_medians_of_ratios() -> None:
    outcomes = [
        Outcome(
            name=str(ratio),
            family="one",
            groups=("all",),
            quantity="1",
            measured=1.0,
            by_method={PREDICTED: ratio, "naive": 4.0},
            low=ratio / 1.5,
            high=ratio * 1.5,
        )
        for ratio in (0.5, 0.9, 1.0, 1.2, 3.0)
    ]
    predicted, naive = report("table", outcomes, ()).accuracy
    assert predicted.median_error == pytest.approx(0.2)
    assert predicted.within_2x == pytest.approx(0.8)
    assert predicted.coverage == pytest.approx(0.6)
    assert predicted.bias == pytest.approx(1.0)
    assert (naive.median_error, naive.coverage) == (3.0, None)
    assert [one.name for one in report("table", outcomes, ()).worst][:2] == ["3.0", "0.5"]


def test_a_family_never_sees_itself() -> None:
    families = ["a", "a", "b", "c"]
    seen = without_each_family(
        families, fit=lambda chosen: set(chosen), predict=lambda index, kept: float(index in kept)
    )
    assert seen == [0.0] * 4


def test_an_anchor_is_another_row_of_the_same_setup() -> None:
    assert others_of([("a",), ("a",), ("b",), ("a",)]) == [[1, 3], [0, 3], [], [0, 1]]


def test_rows_of_one_setup_anchor_one_another() -> None:
    rows = [SERVED | {"concurrency": str(n), "tpot_ms": t} for n, t in ((4, "30"), (8, "33"), (16, "36"), (32, "41"))]
    for one in validate_serving(rows).outcomes:
        off = [abs(one.by_method[name] / one.measured - 1) for name in (PREDICTED, ANCHORED_BY_ONE, ANCHORED)]
        assert off[0] > max(off[1:])
        assert one.spreads[ANCHORED] < one.spreads[ANCHORED_BY_ONE]
    (alone,) = validate_serving([SERVED]).outcomes
    assert not {ANCHORED, ANCHORED_BY_ONE} & set(alone.by_method)


def test_benchmarks_of_one_setup_anchor_one_another() -> None:
    rows = [BENCHMARK | {"model_tflops_per_gpu": reached} for reached in ("731", "600", "650")]
    made = [one.by_method for one in validate_utilisation(rows).outcomes]
    assert [round(1979 * one[ANCHORED_BY_ONE]) for one in made] == [600, 731, 731]
    assert 1979 * made[0][ANCHORED] == pytest.approx((600 * 650) ** 0.5)


def test_an_interval_of_its_own_counts_for_a_method_that_states_one() -> None:
    one = validate_training([RUN | {"mfu_reported": "0.5"}])
    covered = {each.method: each.coverage for each in one.accuracy if each.group == "pre-training"}
    assert covered["anchored by the run's own reported MFU"] is not None
    assert covered["speed of light"] is None


@pytest.mark.parametrize(
    ("label", "accelerator"),
    [
        ("A100-40", "nvidia-a100-sxm-40gb"),
        ("h100_80gb", "nvidia-h100-sxm-80gb"),
        ("H800", "nvidia-h100-sxm-80gb"),
        ("NVIDIA B200-SXM-180GB", "nvidia-b200-sxm"),
        ("Google TPU v4", "google-tpu-v4"),
        ("TPUv3", "google-tpu-v3"),
        ("AMD Instinct MI300X 192GB HBM3", "amd-mi300x"),
    ],
)
def test_labels_of_tables_mean_accelerators(label: str, accelerator: str) -> None:
    found = part(label)
    assert found is not None
    assert found.id == accelerator


def test_a_label_that_means_none_means_none() -> None:
    assert part("an abacus") is None
    assert part("") is None


def test_an_export_chip_has_the_peak_but_not_the_link() -> None:
    export, plain = part("H800"), part("H100")
    assert export is not None
    assert plain is not None
    assert export.peaks == plain.peaks
    assert export.link < plain.link


@pytest.mark.parametrize(("precision", "peak"), [("bf16/fp16", 989e12), ("amp_fp8", 1979e12), ("MXFP8", 1979e12)])
def test_the_peak_is_that_of_the_format(precision: str, peak: float) -> None:
    found = part("H100")
    assert found is not None
    hardware = training_hardware(found, precision)
    assert hardware is not None
    assert hardware.peak_flops == peak
    assert number_format("NVFP4") == "fp4"


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12.0), ("1e3", 1000.0), ("nan", None), ("inf", None), ("~294", None)]
)
def test_a_number_is_a_plain_number(text: str, value: float | None) -> None:
    assert number({"x": text}, "x") == value
