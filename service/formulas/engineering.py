"""What people cost: mission formula 5."""

from service.formulas.numbers import Number, never_zero, smaller


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


def role_years(*, people: Number, years: Number, part_time: Number = 1, ramp_up_years: Number = 0) -> Number:
    r"""Person-years of one role that is filled bit by bit and need not be full time.

    .. math:: Q = n\,f\,\int_0^y \min(t / r,\ 1)\,dt
        = n\,f\,\left(y - m + \frac{m^2}{2\,r}\right), \quad m = \min(r, y)

    Symbols:
        Q: work that is paid [Person-Years]
        n: people in the role once it is filled [Persons]
        f: share of full time each works [1]
        y: duration [years]
        r: years until the role is filled, evenly [years]; 0 is filled on the first day

    Limits: what is not filled is not paid. That the new are slower at first is not in it: give the role more years.

    Reference: the integral of a ramp; full time and filled at once is `engineering.person_years`.

    >>> role_years(people=4, years=2, part_time=0.5, ramp_up_years=1)
    3.0
    """
    ramp = smaller(ramp_up_years, years)
    return people * part_time * (years - ramp + ramp * ramp / (2 * never_zero(ramp_up_years)))


def beyond_salary(
    *, people: Number, years: Number, loading: Number, part_time: Number = 1, ramp_up_years: Number = 0
) -> Number:
    r"""Person-years of salary that an employer pays on top of salaries.

    .. math:: B = Q\,(l - 1)

    Symbols:
        B: what is paid beyond salaries, counted in salaries [Person-Years]
        Q: person-years as `engineering.role_years`
        l: total compensation over wages [1]

    Limits: one ratio for all that is not wages: insurance, leave, pensions. No equity, no recruiting. A labour
    cost (Eurostat's, say) has it inside already; then l is 1.

    Reference: l from the BLS series Employer Costs for Employee Compensation, total over wages and salaries.

    >>> round(beyond_salary(people=4, years=2, part_time=0.5, ramp_up_years=1, loading=1.4), 12)
    1.2
    """
    worked = role_years(people=people, years=years, part_time=part_time, ramp_up_years=ramp_up_years)
    return worked * (loading - 1)
