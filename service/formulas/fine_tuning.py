"""What fine-tuning costs: mission formula 4."""

from service.formulas.numbers import Number


def cost(*, training_compute: Number, new_data: Number, human_labelling: Number) -> Number:
    r"""Cost of adapting a trained model.

    .. math:: C = c_t + c_d + c_l

    Symbols:
        C: cost [currency]
        c_t: training compute, GPU-hours × price [currency]
        c_d: new data [currency]
        c_l: human labelling, labels × price per label [currency]

    Limits: one attempt; evaluation and serving are not in it.

    Reference: the mission's formula 4, "fine-tuning = training compute + new data + human labelling".

    >>> cost(training_compute=1_600, new_data=500, human_labelling=3_000)
    5100
    """
    return training_compute + new_data + human_labelling
