"""The fleet for so many users: replicas, how full they are, accelerator-hours a day."""

from service.domain.prediction import PredictedFigure, PredictionStep
from service.domain.prediction_spec import TrafficInput
from service.estimating.predicting.parts import figure, step
from service.formulas.fleet import fleet_accelerator_hours, mean_requests_per_second, mean_use, replicas
from service.formulas.utilisation import Interval


def fleet_figures(traffic: TrafficInput, occupied: Interval, accelerators: float) -> list[PredictedFigure]:
    """Replicas, accelerators, hours a day and mean use; the interval is that of how long a request takes."""
    fleet = Interval(
        low=_replicas(traffic, occupied.low),
        central=_replicas(traffic, occupied.central),
        high=_replicas(traffic, occupied.high),
    )
    hours = Interval(
        low=fleet_accelerator_hours(fleet=fleet.low, accelerators=accelerators),
        central=fleet_accelerator_hours(fleet=fleet.central, accelerators=accelerators),
        high=fleet_accelerator_hours(fleet=fleet.high, accelerators=accelerators),
    )
    per_second = _per_second(traffic)
    use = mean_use(requests_per_second=per_second, seconds_per_request=occupied.central, fleet=fleet.central)
    return [
        figure("replicas", "1", fleet),
        figure("accelerator-hours per day", "GPU-Hours", hours),
        figure("mean use of the fleet", "1", float(use)),
    ]


def fleet_steps(traffic: TrafficInput, occupied: float) -> list[PredictionStep]:
    """How the replicas come about."""
    busy = _per_second(traffic) * traffic.peak_factor * occupied
    assumed = f"peak {traffic.peak_factor:g} times the average, filled to {traffic.utilisation:.0%}"
    return [
        step("requests per second", _per_second(traffic), "1/s", "fleet.mean_requests_per_second"),
        step("replicas just busy at the peak", busy, "1", None, "requests × peak factor × occupation"),
        step("replicas", _replicas(traffic, occupied), "1", "fleet.replicas", assumed),
    ]


def _per_second(traffic: TrafficInput) -> float:
    return float(
        mean_requests_per_second(users=traffic.users, queries_per_user_per_day=traffic.queries_per_user_per_day)
    )


def _replicas(traffic: TrafficInput, occupied: float) -> float:
    return float(
        replicas(
            requests_per_second=_per_second(traffic),
            peak_factor=traffic.peak_factor,
            seconds_per_request=occupied,
            utilisation=traffic.utilisation,
            headroom=traffic.headroom,
            minimum=traffic.minimum_replicas,
        )
    )
