"""Notifications on the command line."""

from collections.abc import Iterator

import pytest

from tests.cli.test_cli import Shell
from tests.notifying.conftest import Receiver, receiver

__all__ = ["receiver"]
ALLOWED = {
    "COSTPLAN_NOTIFY_PRIVATE_ADDRESSES": "true",
    "COSTPLAN_TARGET_OPS_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
BUDGET = """
name: tuning
limit: 1
start: 2026-01-01
repeats: year
scenario:
  name: Tune
  data: {volume_tb: 1, licensing_fees: {amount: 1000}}
"""


@pytest.fixture
def shell(tmp_path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    made("db", "upgrade")
    made("refresh", "baseline")
    return made


def test_a_budget_that_breaks_is_told_through_a_webhook(shell: Shell, receiver: Receiver) -> None:
    kept = shell("notify", "target", "put", "-", given=f"name: ops\nkind: webhook\nurl: {receiver.url}\n").stdout
    assert ("ops" in kept, receiver.url in kept) == (True, True)
    assert "sent: 127.0.0.1 answered 204" in shell("notify", "target", "test", "ops", **ALLOWED).stdout
    shell("budget", "put", "-", given=BUDGET)
    shell("budget", "run", "tuning")
    receiver.answers = [(500, {})]
    told = shell("notify", "run", **ALLOWED).stdout
    assert told.strip().endswith("to be tried again, 0 dead")
    [failed] = [one for one in shell.json("notify", "ls") if one["state"] == "waiting"]
    assert failed["outcome"] == "127.0.0.1 answered 500"
    assert (
        f"delivery {failed['delivery_id']} to ops is due"
        in shell("notify", "replay", str(failed["delivery_id"])).stdout
    )
    assert "1 delivered" in shell("notify", "run", **ALLOWED).stdout
    assert shell.json("notify", "ls", "--state", "dead") == []
    assert {one["type"] for one in receiver.events} >= {"trial", "budget.forecast_crossing"}
    assert [one["target"]["name"] for one in shell.json("notify", "target", "ls")] == ["ops"]


def test_a_trial_that_does_not_arrive_is_no_success(shell: Shell) -> None:
    shell("notify", "target", "put", "-", given="name: ops\nkind: slack\nurl: https://127.0.0.1:9/x\n")
    failed = shell("notify", "target", "test", "ops", expect=1).stdout
    assert "NOT SENT: 127.0.0.1 is a private address; COSTPLAN_NOTIFY_PRIVATE_ADDRESSES=true allows them" in failed


def test_a_target_that_cannot_be_meant_is_refused_by_field(shell: Shell) -> None:
    refused = shell("notify", "target", "put", "-", given="name: ops\nkind: pigeon\n", expect=2).stderr
    assert "kind: must be 'webhook', 'slack' or 'mail', not 'pigeon'" in refused
    refused = shell("notify", "target", "put", "-", given="name: ops\nkind: slack\ntypes: [budget.gone]\n", expect=2)
    assert "types.0: must be 'estimate.moved'" in refused.stderr


def test_what_lies_ahead_is_printed_as_a_calendar(shell: Shell) -> None:
    assert "SUMMARY:ecb is read" in shell("calendar").stdout
    assert "ecb is read" in {one["title"] for one in shell.json("calendar")}
