"""An estimate's bytes are its name: what a later version adds must not rename what was there."""

from dataclasses import dataclass
from decimal import Decimal

from service.domain.canonical import canonical_bytes, content_id, json_bytes


@dataclass(frozen=True, slots=True)
class Yesterday:
    b: Decimal
    a: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Today:
    b: Decimal
    a: tuple[int, ...] = ()
    added: str | None = None


def test_a_field_added_later_leaves_the_bytes_of_before_as_they_were() -> None:
    assert canonical_bytes(Today(Decimal("1.50"), (1,))) == canonical_bytes(Yesterday(Decimal("1.50"), (1,)))
    assert canonical_bytes({"deep": [Today(Decimal(1))]}) == b'{"deep":[{"a":[],"b":"1"}]}'


def test_keys_are_sorted_and_decimals_keep_their_digits() -> None:
    assert canonical_bytes(Today(Decimal("0.10"), added="x")) == b'{"a":[],"added":"x","b":"0.10"}'


def test_what_travels_says_what_is_absent() -> None:
    assert json_bytes(Today(Decimal(1))) == b'{"a":[],"added":null,"b":"1"}'


def test_the_name_is_the_hash_of_the_bytes() -> None:
    assert content_id(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
