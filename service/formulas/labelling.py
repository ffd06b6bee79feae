"""What human labelling takes: by the label or by the hour, with several opinions on an item and with review."""

from service.formulas.numbers import Number


def paid_labels(*, labels: Number, labels_per_item: Number = 1, reviewed_share: Number = 0) -> Number:
    r"""Labels that are paid for.

    .. math:: L = n\,(k + q)

    Symbols:
        L: labels paid [Labels]
        n: items that need a label [Labels]
        k: people who label each item on their own [1]; 1 is the published formula
        q: share of the items that somebody looks at again [1]; a look costs what a label does

    Limits: items are alike; what a review sends back is not labelled anew.

    Reference: n (1 + overlap + quality control), the usual way to count annotation; k is 1 + overlap.

    >>> paid_labels(labels=10_000, labels_per_item=3, reviewed_share=0.1)
    31000.0
    """
    return labels * (labels_per_item + reviewed_share)


def labelling_hours(
    *, labels: Number, minutes_per_label: Number, labels_per_item: Number = 1, reviewed_share: Number = 0
) -> Number:
    r"""Hours that labelling takes, all labellers together.

    .. math:: T = L\,t / 60

    Symbols:
        T: hours worked [Person-Hours]
        L: labels as `labelling.labels`
        t: time one label takes [minutes]

    Limits: training of the labellers and their pauses are in t or nowhere.

    Reference: 60 minutes to the hour.

    >>> labelling_hours(labels=10_000, minutes_per_label=3, labels_per_item=2)
    1000.0
    """
    paid = paid_labels(labels=labels, labels_per_item=labels_per_item, reviewed_share=reviewed_share)
    return paid * minutes_per_label / 60
