"""Owning hardware: capital by the year, what a year of it costs, when it has paid for itself."""

from service.formulas.numbers import Number


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
    return 1 / years if interest == 0 else interest / (1 - (1 + interest) ** -years)


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
