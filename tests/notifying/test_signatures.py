"""What a receiver with any library of Standard Webhooks would accept."""

import base64
from datetime import UTC, datetime

import pytest

from service.notifying.signatures import BadSecret, keys_of, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime.fromtimestamp(1614265330, UTC)


def test_the_vector_that_the_libraries_of_the_standard_share_comes_out() -> None:
    headers = signed_headers(keys_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_key_is_replaced_both_sign() -> None:
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    both = signed_headers(keys_of(f"{SECRET} {other}"), "msg_1", AT, b"{}")["webhook-signature"].split()
    alone = [signed_headers(keys_of(one), "msg_1", AT, b"{}")["webhook-signature"] for one in (SECRET, other)]
    assert both == alone


@pytest.mark.parametrize(
    "change", [{"name": "msg_2"}, {"at": datetime.fromtimestamp(1614265331, UTC)}, {"body": b"[]"}]
)
def test_whatever_is_changed_changes_the_signature(change: dict) -> None:
    def signature(name: str = "msg_1", at: datetime = AT, body: bytes = b"{}") -> str:
        return signed_headers(keys_of(SECRET), name, at, body)["webhook-signature"]

    assert signature(**change) != signature()


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "no secret is set"),
        ("whsec_not base64!", "must be whsec_ and base64"),
        ("whsec_" + base64.b64encode(b"short").decode(), "24 to 64 bytes, not 5"),
    ],
)
def test_a_secret_that_cannot_sign_is_refused_without_being_quoted(secret: str, words: str) -> None:
    with pytest.raises(BadSecret, match=words) as refused:
        keys_of(secret)
    assert not secret or secret not in str(refused.value)
