"""How numbers, money, times and addresses look to people; nothing here is ever computed with again."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from urllib.parse import quote, urlsplit

from service.domain.quantities import plain, significant


def money(amount: Decimal) -> str:
    """Two decimals and thousands separators; small amounts keep four significant digits.

    >>> money(Decimal("1234567.891")), money(Decimal("0.00123456")), money(Decimal(0))
    ('1,234,567.89', '0.001235', '0.00')
    """
    if amount and abs(amount) < Decimal("0.1"):
        return f"{significant(amount, 4):,f}"
    return f"{amount.quantize(Decimal('0.01'), rounding=ROUND_HALF_EVEN):,f}"


def number(amount: Decimal) -> str:
    """Every digit, with thousands separators.

    >>> number(Decimal("1234567.8910"))
    '1,234,567.891'
    """
    return f"{plain(amount):,f}"


def moment(when: datetime) -> str:
    """A UTC time to the minute.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    '2026-03-01 12:30 UTC'
    """
    return f"{when:%Y-%m-%d %H:%M} UTC"


def span(elapsed: timedelta) -> str:
    """How long, in the largest unit that says it.

    >>> span(timedelta(days=400)), span(timedelta(hours=5)), span(timedelta(seconds=-3))
    ('400 days', '5 hours', '0 minutes')
    """
    minutes = max(0, int(elapsed.total_seconds()) // 60)
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "0 minutes"


def share(part: Decimal, whole: Decimal) -> str:
    """Per cent of a whole, one decimal; 0 of nothing.

    >>> share(Decimal(1), Decimal(3)), share(Decimal(1), Decimal(0))
    ('33.3', '0')
    """
    return f"{100 * part / whole:.1f}" if whole else "0"


def web_address(url: str) -> str:
    """The address if a browser may follow it, else nothing.

    >>> web_address("https://example.org/a"), web_address("javascript:alert(1)"), web_address("file:a.json")
    ('https://example.org/a', '', '')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""


def path(text: str) -> str:
    """A series key as part of an address.

    >>> path("runpod/H100 80GB/global")
    'runpod/H100%2080GB/global'
    """
    return quote(text, safe="/+-._")


def words(name: str) -> str:
    """A field's or part's name as a person reads it.

    >>> words("fine_tuning"), words("gpu_hours")
    ('Fine tuning', 'GPU hours')
    """
    text = " ".join("GPU" if word == "gpu" else word for word in name.split("_"))
    return text[:1].upper() + text[1:]
