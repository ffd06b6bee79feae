"""What people cost: mission formula 5."""

from service.formulas.numbers import Number


def cost(*, engineers: Number, average_annual_salary: Number, years: Number, loading: Number = 1) -> Number:
    r"""Cost of the engineers.

    .. math:: C = n\,s\,y\,l

    Symbols:
        C: cost [currency]
        n: full-time engineers [Persons]
        s: average annual salary [currency/Person-Year]
        y: duration [years]
        l: total compensation over wages [1]; 1 is the published formula

    Limits: no equity, recruiting or ramp-up.

    Reference: the mission's formula 5, "engineering = engineers × average annual salary × years"; l from
    the BLS series Employer Costs for Employee Compensation.

    >>> cost(engineers=5, average_annual_salary=148_100, years=2)
    1481000
    """
    return engineers * average_annual_salary * years * loading


def person_years(*, engineers: Number, years: Number) -> Number:
    r"""Person-years of work.

    .. math:: Q = n\,y

    Symbols:
        Q: work [Person-Years]
        n: full-time engineers [Persons]
        y: duration [years]

    Limits: full time throughout.

    Reference: the mission's formula 5.

    >>> person_years(engineers=5, years=2)
    10
    """
    return engineers * years
