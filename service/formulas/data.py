"""What data costs: mission formula 1."""

from service.formulas.numbers import Number


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
