"""Charges as people have them; a FOCUS table here is typed by hand in the shape of the specification's columns."""

from decimal import Decimal

import pytest

from service.errors import Invalid
from service.usecases.spend_files import MOST_PROBLEMS, ChargesRead, SpendFormat, read_charges
from tests.conftest import day

FOCUS = """\
ChargePeriodStart,ChargePeriodEnd,BilledCost,EffectiveCost,BillingCurrency,ProviderName,ServiceName,ChargeCategory,Tags
2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,0,10.50,USD,AWS,Amazon EC2,Usage,"{""project"": ""llm""}"
2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,0,1.25,USD,AWS,Amazon EC2,Usage,"{""project"": ""llm""}"
2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,0,10.50,USD,AWS,Amazon EC2,Usage,"{""project"": ""web""}"
2026-03-01T00:00:00Z,2027-03-01T00:00:00Z,9000,0,USD,AWS,Amazon EC2,Purchase,
2026-03-01T00:00:00+01:00,2026-03-01T01:00:00+01:00,-3,-3,EUR,AWS,Amazon S3,Credit,{}
"""


def read(text: str, **how) -> ChargesRead:
    return read_charges(text.encode(), SpendFormat(**how))


def test_focus_rows_of_one_hour_and_service_are_added_up() -> None:
    found = read(FOCUS)
    assert (found.rows_read, found.rows_kept) == (5, 5)
    amounts = [(one.charge_from, one.amount, one.currency, one.service, one.rows) for one in found.charges]
    assert amounts == [
        (day("2026-02-28T23:00"), Decimal(-3), "EUR", "Amazon S3", 1),
        (day("2026-03-01"), Decimal("11.75"), "USD", "Amazon EC2", 2),
        (day("2026-03-01"), Decimal(0), "USD", "Amazon EC2", 1),
        (day("2026-03-01T01:00"), Decimal("10.50"), "USD", "Amazon EC2", 1),
    ]


def test_the_column_that_counts_can_be_chosen() -> None:
    assert sum(one.amount for one in read(FOCUS, cost="billed").charges) == Decimal(8997)


def test_only_the_rows_of_one_tag_or_service_count() -> None:
    assert read(FOCUS, only={"Tags.project": "llm"}).rows_kept == 2
    assert read(FOCUS, only={"Tags.project": "llm", "ServiceName": "Amazon S3"}).rows_kept == 0


def test_the_newest_name_of_a_column_is_known_too() -> None:
    [one, *_] = read(FOCUS.replace("ProviderName", "ServiceProviderName")).charges
    assert one.provider == "AWS"


def test_a_plain_table_is_days_of_a_zone() -> None:
    [one] = read("date,amount,service\n2026-03-29,7.50,gpu\n", zone="Europe/Berlin", currency="EUR").charges
    assert (one.charge_from, one.charge_until) == (day("2026-03-28T23:00"), day("2026-03-29T22:00"))
    assert (one.amount, one.currency, one.service) == (Decimal("7.50"), "EUR", "gpu")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "column date: is missing; there are none"),
        ("day,amount\n", "column date: is missing"),
        ("date,amuont\n", "column amount: is missing; did you mean amuont"),
        (FOCUS.replace("EffectiveCost", "NetCost"), "column EffectiveCost: is missing"),
        ("date,amount\n2026-13-01,1\n", "row 2, date: must be a date such as 2026-03-01, not '2026-13-01'"),
        ('date,amount\n2026-03-01,"1,000"\n', "row 2, amount: must be a number such as 1234.56, not '1,000'"),
        ("date,amount\n2026-03-01,NaN\n", "row 2, amount: must be a number"),
        ("date,amount\n2026-03-01,1e-99\n", "row 2, amount: must have at most 40 digits"),
        ("date,amount\n2026-03-01\n", "row 2, amount: must be a number such as 1234.56, not ''"),
        ("date,amount,currency\n2026-03-01,1,usd\n", "row 2, currency: must be an ISO 4217 code"),
        (FOCUS.replace("01T02:00:00Z", "01T02:00:00"), "row 4, ChargePeriodEnd: must carry a UTC offset"),
        (FOCUS.replace("01T02:00:00Z", "01T01:00:00Z"), "row 4, ChargePeriodEnd: must be after ChargePeriodStart"),
        ('date,amount\n2026-03-01,"1\n', "is no CSV table"),
        ("date,amount\n2026-03-01,\0\n", r"contains U\+0000"),
    ],
)
def test_what_cannot_be_believed_is_named_by_row_and_column(text: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        read(text)


def test_a_tag_that_is_no_json_is_named() -> None:
    with pytest.raises(Invalid, match="row 6, Tags: must be a JSON object"):
        read(FOCUS.replace(",{}", ",{oops"), only={"Tags.project": "llm"})


def test_a_table_of_nonsense_is_not_answered_with_a_book() -> None:
    with pytest.raises(Invalid) as refused:
        read("date,amount\n" + "x,y\n" * 1000)
    assert len(refused.value.problems) == MOST_PROBLEMS


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Invalid, match="is not UTF-8 text"):
        read_charges(b"date,amount\n\xff\xfe", SpendFormat())
