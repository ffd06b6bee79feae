"""What training takes: mission formula 2, and the GPU-hours beside it."""

from service.formulas.numbers import Number


def gpu_hours(*, gpus: Number, hours: Number) -> Number:
    r"""GPU-hours of a run.

    .. math:: H = n\,t

    Symbols:
        H: GPU-hours [GPU-Hours]
        n: GPUs running at once [GPUs]
        t: duration [hours]

    Limits: all GPUs run for the whole time.

    Reference: FOCUS unit format "GPU-Hours".

    >>> gpu_hours(gpus=2048, hours=24)
    49152
    """
    return gpus * hours


def energy_kwh(
    *,
    power_per_gpu_kw: Number,
    gpus: Number,
    hours: Number,
    utilisation: Number = 1,
    idle_power_per_gpu_kw: Number = 0,
    idle_hours: Number = 0,
    server_factor: Number = 1,
    pue: Number = 1,
) -> Number:
    r"""Electrical energy of a run, at the meter of the building.

    .. math:: E = (p\,u\,t + p_0\,t_0)\,n\,k\,e

    Symbols:
        E: energy [kWh]
        p: power of one GPU at full load [kW]
        u: average draw over full-load draw [1]; 1 is the published formula
        t: duration [hours]
        p_0: draw of one GPU while it waits [kW]; 0 is the published formula
        t_0: how long it waits [hours]
        n: GPUs [GPUs]
        k: server power over GPU power [1]; 1 is the published formula
        e: power usage effectiveness, facility over server power [1]; 1 is the published formula

    Limits: a rented GPU-hour already contains this energy. If `p` is a server's share, `k` is 1; if the
    electricity is billed per kW by a colocation, `e` is 1.

    Reference: mission formula 2 for p n t; k, u, e as in Cottier et al., "The rising costs of training
    frontier AI models", arXiv:2405.21015.

    >>> round(energy_kwh(power_per_gpu_kw=0.4, gpus=1, hours=1_022_362, pue=1.1))
    449839
    """
    return (power_per_gpu_kw * utilisation * hours + idle_power_per_gpu_kw * idle_hours) * gpus * server_factor * pue


def energy_cost(
    *,
    power_per_gpu_kw: Number,
    gpus: Number,
    hours: Number,
    electricity_price: Number,
    utilisation: Number = 1,
    idle_power_per_gpu_kw: Number = 0,
    idle_hours: Number = 0,
    server_factor: Number = 1,
    pue: Number = 1,
) -> Number:
    r"""Cost of the electricity of a run.

    .. math:: C = E\,r

    Symbols:
        C: cost [currency]
        E: energy as in `training.energy_kwh` [kWh]
        r: electricity price [currency/kWh]

    Limits: 2–6 % of the cost of a frontier model (epoch.ai); GPU time is the large part.

    Reference: the mission's formula 2, "training energy = power per GPU × GPUs × hours × electricity rate".

    >>> round(energy_cost(power_per_gpu_kw=0.7, gpus=8, hours=100, electricity_price=0.0826), 3)
    46.256
    """
    return electricity_price * energy_kwh(
        power_per_gpu_kw=power_per_gpu_kw,
        gpus=gpus,
        hours=hours,
        utilisation=utilisation,
        idle_power_per_gpu_kw=idle_power_per_gpu_kw,
        idle_hours=idle_hours,
        server_factor=server_factor,
        pue=pue,
    )
