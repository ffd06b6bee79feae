"""What data costs: mission formula 1."""

from service.formulas.numbers import Number, beyond, never_zero


def cost(
    *, licensing_fees_per_tb: Number, storage_costs_per_tb: Number, volume_tb: Number, months: Number = 1
) -> Number:
    r"""Cost of licensing and keeping a data set.

    .. math:: C = (f + s\,m)\,V

    Symbols:
        C: cost [currency]
        f: licensing fees [currency/TB]
        s: storage costs [currency/TB-Month]
        m: months stored [months]; 1 is the published formula
        V: volume [TB]

    Limits: the published formula prices a licence per TB and storage once. Licences are often flat,
    and storage recurs every month: `months` is the extension.

    Reference: the mission's formula 1, "data = (licensing fees + storage costs) × TB".

    >>> cost(licensing_fees_per_tb=100, storage_costs_per_tb=23, volume_tb=5)
    615
    """
    return (licensing_fees_per_tb + storage_costs_per_tb * months) * volume_tb


def transferred_tb(*, transfer_tb: Number) -> Number:
    r"""TB that are moved out of where they lie, once.

    .. math:: Q = V

    Symbols:
        Q: moved [TB]
        V: volume [TB]

    Limits: tiers of a price by volume are the price's own affair.

    Reference: FOCUS pricing unit "TB".

    >>> transferred_tb(transfer_tb=5)
    5
    """
    return transfer_tb


def storage_tb_months(*, volume_tb: Number, months: Number = 1) -> Number:
    r"""TB-months a data set occupies.

    .. math:: Q = V\,m

    Symbols:
        Q: occupied storage [TB-Months]
        V: volume [TB]
        m: months stored [months]

    Limits: constant volume; no copies.

    Reference: FOCUS pricing unit "TB-Months".

    >>> storage_tb_months(volume_tb=5, months=12)
    60
    """
    return volume_tb * months


def growing_storage(
    *,
    volume_tb: Number,
    months: Number,
    growth_tb_per_month: Number = 0,
    copies: Number = 1,
    above_tb: Number = 0,
    up_to_tb: Number | None = None,
) -> Number:
    r"""TB-months of a store that grows evenly, or of the part of it that lies in one tier of a price list.

    .. math:: Q = F(a) - F(b), \quad F(x) = \int_0^m \max\left(k\,(V + g\,t) - x,\ 0\right) dt

    Symbols:
        Q: occupied storage [TB-Months]
        V: volume at the start [TB]
        g: growth [TB/month]
        m: months stored [months]
        k: copies kept [1]
        a: where the tier begins [TB]; 0 is all of it
        b: where the tier ends [TB]; absent is no end, and F(b) is 0

    Limits: growth is even, and nothing is deleted. Tiers are of what is stored at one time, as price lists
    have them, not of what adds up over the months.

    Reference: the integral of a ramp above a bound; 5 TB kept for 12 months without growth is `data.storage`.

    >>> growing_storage(volume_tb=5, months=12, growth_tb_per_month=2)
    204.0
    """
    first, last = copies * volume_tb, copies * (volume_tb + growth_tb_per_month * months)
    above = _ramp_above(first=first, last=last, months=months, bound=above_tb)
    return above if up_to_tb is None else above - _ramp_above(first=first, last=last, months=months, bound=up_to_tb)


def egress(
    *, egress_tb_per_month: Number, months: Number = 1, above_tb: Number = 0, up_to_tb: Number | None = None
) -> Number:
    r"""TB that leave, or those of them that fall into one tier of a price list.

    .. math:: Q = m\,\left(\max(e - a, 0) - \max(e - b, 0)\right)

    Symbols:
        Q: traffic out [TB]
        m: months [months]
        e: traffic out of one month [TB/month]
        a: where the tier begins [TB of one month]; 0 is all of it
        b: where the tier ends [TB of one month]; absent is no end

    Limits: every month is alike. Tiers begin anew each month, which is how traffic is billed.

    Reference: 12 TB a month and a tier from 0.1 to 10 TB: 9.9 TB of each month.

    >>> egress(egress_tb_per_month=12, months=10, above_tb=2, up_to_tb=10)
    80
    """
    above = beyond(egress_tb_per_month, above_tb)
    return months * (above if up_to_tb is None else above - beyond(egress_tb_per_month, up_to_tb))


def _ramp_above(*, first: Number, last: Number, months: Number, bound: Number) -> Number:
    """The area between a bound and a ramp from `first` to `last`, where the ramp is above it."""
    low, high = beyond(first, bound), beyond(last, bound)
    time = months * (low > 0) + months * high / never_zero(last - first) * (low == 0)
    return time * (low + high) / 2
