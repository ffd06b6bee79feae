"""Electricity whose price depends on the hour: what falls into a window of a tariff, what an average hour costs."""

from service.formulas.numbers import Number
from service.formulas.training import energy_kwh


def energy_in_window(
    *,
    share_of_hours: Number,
    power_per_gpu_kw: Number,
    gpus: Number,
    hours: Number,
    utilisation: Number = 1,
    idle_power_per_gpu_kw: Number = 0,
    idle_hours: Number = 0,
    server_factor: Number = 1,
    pue: Number = 1,
) -> Number:
    r"""Electrical energy of a run that is bought at one price of a tariff by the hour.

    .. math:: E_w = E\,w

    Symbols:
        E_w: energy bought in the window [kWh]
        E: energy of the run, `training.energy` [kWh]
        w: hours of the run inside the window, over its hours [1]; all windows of a tariff add up to 1

    Limits: the draw is the same in every hour, which a training run's is and a service's is not.

    Reference: a price by the hour, weighted by the hours it holds.

    >>> energy_in_window(share_of_hours=0.25, power_per_gpu_kw=0.7, gpus=8, hours=100)
    140.0
    """
    return share_of_hours * energy_kwh(
        power_per_gpu_kw=power_per_gpu_kw,
        gpus=gpus,
        hours=hours,
        utilisation=utilisation,
        idle_power_per_gpu_kw=idle_power_per_gpu_kw,
        idle_hours=idle_hours,
        server_factor=server_factor,
        pue=pue,
    )


def interval_cost(*, electricity_price: Number, power_kw: Number, minutes: Number) -> Number:
    r"""Cost of the electricity of one interval of a series of prices; over arrays, of every interval.

    .. math:: C_i = p_i\,P_i\,\frac{t_i}{60}, \quad \bar p = \sum_i C_i \Big/ \sum_i P_i\,\frac{t_i}{60}

    Symbols:
        C_i: cost of interval i [currency]
        p_i: price in it [currency/kWh]
        P_i: power drawn in it, at the meter [kW]
        t_i: how long it is [minutes]; quarter-hours and hours may follow one another
        \bar p: average price paid, each interval weighted by its energy [currency/kWh]

    Limits: power is constant within an interval. Prices below 0 are prices.

    Reference: day-ahead markets settle each interval at its own price; since delivery on 2025-10-01 the European
    ones have 15 minutes, https://okte.sk/en/information/news/2025-10-09-successful-implementation-of-the-15mtu-project
    (read 2026-11-23).

    >>> interval_cost(electricity_price=0.08, power_kw=1200, minutes=15)
    24.0
    """
    return electricity_price * power_kw * minutes / 60
