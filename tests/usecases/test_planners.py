"""The process that plans: one question after another, none for too long, and it ends with whoever started it."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pickle import PicklingError

import pytest

from service.errors import Invalid, Unavailable
from service.store.store import Store
from service.usecases.planners import PlanningProcess

URL = "sqlite://"


def pid_of(_store: Store) -> int:
    return os.getpid()


def pid_after(_store: Store, seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def breaks(_store: Store) -> None:
    raise LookupError("what nobody foresaw")


def lives(pid: int) -> bool:
    """False too for one that has ended and waits to be asked how."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def ended_within(seconds: float, pid: int) -> bool:
    until = time.monotonic() + seconds
    while lives(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not lives(pid)


def test_what_takes_too_long_is_ended_and_those_who_wait_are_answered_by_another_process() -> None:
    process = PlanningProcess(URL, longest=10)
    try:
        first = process(pid_of)
        with ThreadPoolExecutor(4) as askers:
            slow = askers.submit(process, pid_after, 120.0)
            time.sleep(1)
            waiting = [askers.submit(process, pid_of) for _ in range(3)]
            with pytest.raises(Invalid, match=r"took longer than 10 seconds; ask for less"):
                slow.result()
            others = {one.result() for one in waiting}
        assert len(others) == 1
        assert first not in others
        assert not lives(first)
    finally:
        process.close()


def test_what_was_raised_over_there_is_raised_here_and_says_where() -> None:
    process = PlanningProcess(URL)
    try:
        with pytest.raises(LookupError, match="what nobody foresaw") as error:
            process(breaks)
        assert "in breaks" in error.value.__notes__[0]
        with pytest.raises((AttributeError, PicklingError), match="pickle"):
            process(lambda _store: None)
        assert lives(process(pid_of))
    finally:
        process.close()


def test_one_that_died_while_nobody_asked_is_replaced() -> None:
    process = PlanningProcess(URL)
    try:
        first = process(pid_of)
        os.kill(first, 9)
        assert ended_within(5, first)
        assert process(pid_of) != first
    finally:
        process.close()


def test_closing_ends_the_process_and_what_it_is_at_and_starts_no_other() -> None:
    process = PlanningProcess(URL)
    pid = process(pid_of)
    with ThreadPoolExecutor(2) as askers:
        asked = [askers.submit(process, pid_after, 60.0) for _ in range(2)]
        time.sleep(0.5)
        started = time.monotonic()
        process.close()
        assert not lives(pid)
        assert all(isinstance(one.exception(), Unavailable) for one in asked)
    assert time.monotonic() - started < 10
    with pytest.raises(Unavailable, match="the server is stopping"):
        process(pid_of)


@pytest.mark.parametrize("at_work", [False, True])
def test_it_ends_with_the_process_that_started_it_though_that_is_killed(*, at_work: bool) -> None:
    code = f"""
from threading import Thread
from service.usecases.planners import PlanningProcess
from tests.usecases.test_planners import URL, pid_after, pid_of
process = PlanningProcess(URL)
print(process(pid_of), flush=True)
if {at_work}:
    Thread(target=process, args=(pid_after, 60.0)).start()
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.3)
        assert lives(pid)
        parent.kill()
    assert ended_within(5, pid)
