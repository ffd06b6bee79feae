"""Measured points move the constants of a roofline: as far as they depend on them, and no further."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from service.estimating.serving_calibration import (
    POINT_SPREAD,
    SPREAD,
    Load,
    MeasuredLoad,
    calibrated,
    seconds_of,
    spread_at,
)
from service.formulas.serving import Efficiency, Replica
from tests.formulas.test_architecture import LLAMA_70B

ONE = Replica(llm=LLAMA_70B, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
SMALL, LARGE = (Load(batch=batch, input_tokens=1024, output_tokens=1024) for batch in (1, 256))
SLOW = replace(ONE, efficiency=replace(Efficiency(), layer_seconds=2 * 58e-6))
"""An engine that takes twice as long to launch a layer, and is like any other else."""


def measured(replica: Replica, *loads: Load) -> list[MeasuredLoad]:
    return [
        MeasuredLoad(load=load, seconds=float(time))
        for load, time in zip(loads, seconds_of(replica, loads), strict=True)
    ]


def off(points: list[MeasuredLoad], load: Load) -> float:
    """Logarithm of what is predicted of the slow engine over what it takes."""
    found = replace(ONE, efficiency=calibrated(ONE, points).efficiency)
    return float(np.log(seconds_of(found, [load]) / seconds_of(SLOW, [load]))[0])


def test_what_was_predicted_anyway_moves_nothing() -> None:
    found = calibrated(ONE, measured(ONE, SMALL, LARGE)).efficiency
    assert asdict(found) == pytest.approx(asdict(Efficiency()), rel=1e-4)


def test_a_point_is_nearly_met_where_it_was_measured() -> None:
    before = float(np.log(seconds_of(ONE, [SMALL]) / seconds_of(SLOW, [SMALL]))[0])
    assert abs(off(measured(SLOW, SMALL), SMALL)) < abs(before) / 5


def test_a_small_batch_says_less_of_a_large_one_than_a_factor_would() -> None:
    """The slow launches are a third of a small step and a tenth of a large one: a factor would overshoot."""
    factor = seconds_of(SLOW, [SMALL]) / seconds_of(ONE, [SMALL])
    scaled = float(np.log(factor * seconds_of(ONE, [LARGE]) / seconds_of(SLOW, [LARGE]))[0])
    assert abs(off(measured(SLOW, SMALL), LARGE)) < scaled / 2


def test_more_points_make_it_surer_and_none_makes_it_less_sure_than_nothing() -> None:
    spreads = [spread_at(calibrated(ONE, measured(SLOW, *loads)), ONE, SMALL) for loads in ([SMALL], [SMALL] * 3)]
    assert POINT_SPREAD < spreads[1] < spreads[0] < SPREAD
    far = spread_at(calibrated(ONE, measured(SLOW, LARGE)), ONE, Load(batch=1, input_tokens=1, output_tokens=9))
    assert spreads[0] < far <= SPREAD


def test_cached_tokens_are_read_but_not_computed() -> None:
    plain, cached, fresh = (
        float(seconds_of(ONE, [Load(batch=64, input_tokens=new, output_tokens=512, cached_tokens=kept)])[0])
        for new, kept in ((1024, 0), (1024, 30_000), (31_024, 0))
    )
    assert plain < cached < fresh
