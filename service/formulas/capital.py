"""Owning hardware: capital by the year, what a year of it costs, when it has paid for itself."""

from typing import Final

from service.formulas.numbers import Number

HOURS_PER_YEAR: Final = 8760
"""Of 365 days, as commitments and the planner count it."""
MONTHS_PER_YEAR: Final = 12


def capital_recovery_factor(*, interest: Number, years: Number) -> Number:
    r"""Equal yearly payment that repays one unit of capital with interest.

    .. math:: CRF = \frac{r}{1 - (1 + r)^{-n}}, \quad \frac{1}{n} \text{ if } r = 0

    Symbols:
        CRF: payment at the end of each year per unit of capital [1/year]
        r: interest, or the return the capital must earn [1/year]
        n: years in service [years]

    Limits: interest and life are one number each; nominal interest gives nominal payments.

    Reference: the annuity; i (1 + i)^n / ((1 + i)^n - 1) in footnote 57 of NASA OTPS, "Space-Based Solar Power",
    2024, https://ssi.org/wp-content/fbs/sps-nasa-ohnasa-2024/74 (read 2026-11-23).

    >>> round(capital_recovery_factor(interest=0.08, years=4), 6)
    0.301921
    """
    free = interest == 0
    charged = interest + free
    return charged / (1 - (1 + charged) ** -years) * (1 - free) + free / years


def capital_per_year(*, capital: Number, residual: Number, interest: Number, years: Number) -> Number:
    r"""What capital costs a year when part of it comes back at the end.

    .. math:: A = C\,CRF - S\,(CRF - r)

    Symbols:
        A: yearly cost of the capital [currency/year]
        C: price paid [currency]
        S: what the hardware is sold for after n years [currency]
        CRF, r, n: as `capital_recovery_factor`

    Limits: the sale price is known; it is the least certain figure of all.

    Reference: as `capital_recovery_factor`; CRF - r is the sinking-fund factor.

    >>> round(capital_per_year(capital=40000, residual=4000, interest=0.08, years=4))
    11189
    """
    factor = capital_recovery_factor(interest=interest, years=years)
    return capital * factor - residual * (factor - interest)


def payback_years(*, capital: Number, saved_per_year: Number) -> Number:
    r"""When what is saved has repaid what was paid.

    .. math:: t = C / s

    Symbols:
        t: time [years]
        C: price paid [currency]
        s: saved a year by not renting, running costs subtracted; above 0 [currency/year]

    Limits: without interest and without the sale at the end.

    Reference: the definition of simple payback.

    >>> payback_years(capital=30000, saved_per_year=20000)
    1.5
    """
    return capital / saved_per_year


def cost_per_hour(*, cost_per_year: Number, busy_share: Number = 1) -> Number:
    r"""What an hour of use costs, when idle hours are paid by the busy ones.

    .. math:: c = \frac{A}{8760\,u}

    Symbols:
        c: cost of an hour of use [currency/hour]
        A: cost of a year, capital and all else that is paid whether it runs or not [currency/year]
        u: hours of use over hours [1]; above 0

    Limits: what is paid only while it runs (electricity) is added to the result, not to A.

    Reference: a year of 365 days has 8,760 hours.

    >>> round(cost_per_hour(cost_per_year=11189, busy_share=0.7), 4)
    1.8247
    """
    return cost_per_year / (HOURS_PER_YEAR * busy_share)


def gpus_used_up(
    *,
    gpus: Number,
    hours: Number,
    service_years: Number,
    interest: Number = 0,
    residual_share: Number = 0,
    busy_share: Number = 1,
    system_factor: Number = 1,
) -> Number:
    r"""How many GPUs' worth of purchase price a run uses up.

    .. math:: G = n\,k\,\frac{h}{8760\,u}\,\left(CRF - s\,(CRF - r)\right)

    Symbols:
        G: GPUs paid for [GPUs]; times what one costs it is money
        n: GPUs running at once [GPUs]
        k: price of a GPU with its share of server and network over that of the GPU [1]
        h: duration [hours]
        u: hours the hardware is in use, over hours [1]; above 0; idle hours are paid by the busy ones
        CRF, r: as `capital.recovery_factor`, over n years of service
        s: price at the end of service over price paid [1]

    Limits: the run ends within the years of service. A loss of value that is faster at first is not in it.

    Reference: `capital.per_year` of one unit of capital, for the share of a year the run takes.

    >>> gpus_used_up(gpus=1000, hours=8760, service_years=4)
    250.0
    """
    of_a_year = capital_per_year(capital=1, residual=residual_share, interest=interest, years=service_years)
    return gpus * system_factor * hours * of_a_year / (HOURS_PER_YEAR * busy_share)


def colocation_kw_months(
    *, gpus: Number, hours: Number, power_per_gpu_kw: Number, server_factor: Number = 1, busy_share: Number = 1
) -> Number:
    r"""Power that is rented in somebody's data centre, for as long as a run has to pay for it.

    .. math:: K = n\,p\,k\,\frac{12\,h}{8760\,u}

    Symbols:
        K: rented power [kW-Months]
        n: GPUs [GPUs]
        p: power of one GPU at full load [kW]
        k: server power over GPU power [1]
        h: duration [hours]
        u: hours the hardware is in use, over hours [1]; above 0

    Limits: rented for the greatest draw, whatever is drawn. What is billed per kW often has the losses of the
    building (PUE) inside, and sometimes the electricity: then there is no `electricity_price` beside it.

    Reference: a month is a twelfth of 8,760 hours.

    >>> colocation_kw_months(gpus=1000, hours=8760, power_per_gpu_kw=0.7, server_factor=1.8)
    15120.0
    """
    months = MONTHS_PER_YEAR * hours / (HOURS_PER_YEAR * busy_share)
    return gpus * power_per_gpu_kw * server_factor * months
