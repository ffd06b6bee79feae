"""The command line against bad input, broken pipes, hostile feeds and curious onlookers; in one process, so fast."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from pricing_sources.fx.ecb import SOURCE as ECB
from pricing_sources.observation import Reading
from pricing_sources.source import Document
from service.cli import output
from service.cli.main import app
from service.store.store import Store
from service.usecases.refresh import refresh
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

DOCUMENTS = Path(__file__).parents[1] / "documents"
GPU = "baseline/p5.48xlarge/us-east-1/on_demand"
STATED = "name: x\ncurrency: USD\ndata: {volume_tb: 2, licensing_fees: {amount: 1000}}\n"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def seeded(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that knows the bundled prices."""
    path = tmp_path_factory.mktemp("seeded") / "costplan.db"
    shutil.copy(migrated_file, path)
    done = CliRunner().invoke(app, ["refresh", "baseline"], env={"COSTPLAN_DATABASE_URL": f"sqlite:///{path}"})
    assert done.exit_code == 0, done.stderr
    return path


@pytest.fixture
def run(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a copy of that database."""
    for name in [name for name in os.environ if name.startswith("COSTPLAN_")]:  # noqa: TID251  the tests' own
        monkeypatch.delenv(name)
    shutil.copy(seeded, tmp_path / "costplan.db")
    monkeypatch.setenv("COSTPLAN_DATABASE_URL", f"sqlite:///{tmp_path}/costplan.db")

    def run(*words: str, given: str = "", expect: int = 0, **environment: str) -> Result:
        done = CliRunner().invoke(app, words, input=given, env=environment)
        assert done.exit_code == expect, f"{words}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        assert ("Traceback" in done.stderr) == ("--debug" in words)
        return done

    return run


def answer(done: Result):
    return msgspec.json.decode(done.stdout)


def complaint(done: Result):
    assert done.stdout == ""
    return msgspec.json.decode(done.stderr)


def test_a_stated_price_keeps_its_currency_when_the_totals_get_another(run: Run) -> None:
    plain = answer(run("estimate", "new", "-", "--json", given=STATED))
    euros = answer(run("estimate", "new", "-", "--currency", "EUR", "--json", given=STATED))
    assert plain["estimate"]["total"] == "2000"
    [line] = euros["estimate"]["line_items"]
    assert (line["list_cost"], line["list_currency"]) == ("2000", "USD")
    assert line["cost"] == euros["estimate"]["total"] != "2000"


def test_an_estimate_as_json_says_when_it_was_made_and_keeps_decimals_as_text(run: Run) -> None:
    made = answer(run("estimate", "new", "-", "--json", given=STATED))
    assert set(made) == {"estimate_id", "scenario_id", "created_at", "band", "estimate"}
    assert made == answer(run("estimate", "show", made["estimate_id"][:8], "--json"))
    assert made["estimate"]["line_items"][0]["list_unit_price"] == "1000"


@pytest.mark.parametrize(
    ("words", "code", "detail"),
    [
        (("prices", "ls", "--json", "--jsonn"), "usage", "No such option: --jsonn"),
        (("prise", "--json"), "usage", "Did you mean 'prices'?"),
        (("refresh", "ecbb", "--json"), "not_found", "did you mean 'ecb'?"),
        (("import", "ecbb", "x", "--json"), "not_found", "did you mean 'ecb'?"),
        (("prices", "ls", "--valid-at", "2026-03-01", "--json"), "invalid", "write it as 2026-03-01T00:00:00Z"),
        (("prices", "ls", "--valid-at", "0001-01-01T00:00:00+14:00", "--json"), "invalid", "is not a time such as"),
        (("estimate", "new", "nowhere.yaml", "--json"), "invalid", "nowhere.yaml cannot be read: No such file"),
        (("estimate", "new", "/", "--json"), "invalid", "/ cannot be read: Is a directory"),
    ],
)
def test_every_refusal_is_one_json_object_when_asked(run: Run, words: tuple[str, ...], code: str, detail: str) -> None:
    problem = complaint(run(*words, expect=2))
    assert problem["code"] == code
    assert detail in problem["detail"]


def test_a_file_that_is_not_text_is_named_with_the_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"name: \xff")
    assert (
        "x.yaml is not UTF-8 text: invalid start byte at byte 6"
        in run("estimate", "new", str(tmp_path / "x.yaml"), expect=2).stderr
    )


def test_a_document_that_cannot_be_written_is_a_sentence(run: Run, tmp_path: Path) -> None:
    sha256 = answer(run("prices", "show", GPU, "--json"))["citation"]["document_sha256"]
    failed = run("documents", "show", sha256, "--output", str(tmp_path / "none" / "x"), expect=2)
    assert "--output: " in failed.stderr
    assert "No such file or directory" in failed.stderr
    run("documents", "show", sha256, "--output", str(tmp_path / "x"))
    assert b"p5.48xlarge" in (tmp_path / "x").read_bytes()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A use case with a bug that quotes every credential there is."""

    def search(*_: object, **__: object) -> None:
        raise KeyError("hunter22 is the key")

    monkeypatch.setattr("service.cli.prices.search_prices", search)


SECRETS = {"COSTPLAN_SOURCE_ECB_KEY": "hunter22"}


@pytest.mark.usefixtures("broken")
def test_an_unexpected_error_is_one_line_without_secrets(run: Run) -> None:
    done = run("prices", "ls", expect=1, **SECRETS)
    assert done.stderr.count("\n") == 1
    assert "unexpected error: KeyError" in done.stderr
    assert "hunter22" not in done.stderr
    assert "costplan --debug" in done.stderr


@pytest.mark.usefixtures("broken")
def test_debug_shows_the_traceback_without_secrets(run: Run) -> None:
    done = run("--debug", "prices", "ls", expect=1, **SECRETS)
    assert "search_prices" in done.stderr
    assert "hunter22" not in done.stderr


def test_a_password_in_the_query_of_the_address_is_not_printed(run: Run) -> None:
    url = "postgresql://me@127.0.0.1:9/prices?password=hunter22"
    assert "hunter22" not in run("prices", "ls", expect=6, COSTPLAN_DATABASE_URL=url).stderr


def test_a_report_names_the_rows_held_back_of_this_import_alone(run: Run, tmp_path: Path) -> None:
    body = (DOCUMENTS / "runpod" / "typed_three_gpu_types.json").read_text()
    for name, old, new in (("first", '"securePrice": 2.99', '"securePrice": 99.5'), ("second", "2.69", "98.5")):
        assert old in body
        (tmp_path / f"{name}.json").write_text(body.replace(old, new, 1))
    first = run("import", "runpod", str(tmp_path / "first.json"), "--report")
    assert first.stderr.count("held back at ") == 1
    assert "99.5" in first.stderr
    second = run("import", "runpod", str(tmp_path / "second.json"), "--report")
    assert second.stderr.count("held back at ") == 1
    assert "98.5" in second.stderr


def test_a_report_for_programs_holds_rows_in_against_rows_out(run: Run) -> None:
    document = str(DOCUMENTS / "ecb" / "typed_history.csv")
    [account] = answer(run("import", "ecb", document, "--report", "--json"))
    assert (account["rows_in"], account["rows_out"], account["balanced"]) == (2, 2, True)
    assert account["readings"] == account["prices"] + sum(account["skipped"].values()) + account["held_back"] == 6


def test_a_row_that_ends_nowhere_is_named_and_is_no_success(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = type(ECB).parse

    def careless(self: object, document: Document) -> Iterator[Reading]:
        return (reading for reading in whole(ECB, document) if not reading.locator.startswith("line 3"))

    monkeypatch.setattr(type(ECB), "parse", careless)
    document = str(DOCUMENTS / "ecb" / "typed_history.csv")
    done = run("import", "ecb", document, "--report", expect=output.ROWS_LOST)
    assert "file:typed_history.csv: the row at line 3 ended nowhere" in done.stderr
    [account] = answer(run("import", "ecb", document, "--report", "--json", expect=output.ROWS_LOST))
    assert (account["rows_in"], account["rows_out"], account["lost"]) == (2, 1, ["line 3"])


def test_every_command_that_shows_a_price_says_whose_it_is_and_on_what_terms(run: Run, tmp_path: Path) -> None:
    run("import", "ecb", str(DOCUMENTS / "ecb" / "typed_history.csv"))
    (tmp_path / "s.yaml").write_text(f"name: x\ntraining: {{gpus: 8, hours: 1, gpu_price: {{series: {GPU}}}}}\n")
    (tmp_path / "mix.yaml").write_text(
        f"demand: {{paths: [[8]], step_hours: 24}}\non_demand: {{series: {GPU}}}\noffered: []\n"
    )
    shown = [
        run("prices", "ls", "p5.48xlarge"),
        run("prices", "show", GPU),
        run("prices", "history", GPU),
        run("estimate", "new", str(tmp_path / "s.yaml")),
        run(
            "scenario",
            "history",
            str(tmp_path / "s.yaml"),
            "--from",
            "2026-01-01T00:00:00Z",
            "--to",
            "2026-01-02T00:00:00Z",
        ),
        run("scenario", "why", str(tmp_path / "s.yaml"), "--from", "2026-01-01T00:00:00Z"),
        run("check", str(tmp_path / "s.yaml")),
        run("check", str(tmp_path / "s.yaml"), "--format", "markdown"),
        run("plan", "commitments", str(tmp_path / "mix.yaml")),
    ]
    for done in shown:
        assert "See the page of each record" in done.stdout
        assert "Facts, each with the page it was read on" in done.stdout
    assert "European Central Bank" not in shown[0].stdout
    assert "ecb: Source: European Central Bank; Free reuse with attribution" in run("prices", "ls", "JPY").stdout
    told = answer(run("prices", "history", GPU, "--json"))["terms"]
    assert [one["source"] for one in told] == ["baseline"]


def test_the_list_of_sources_says_what_anybody_must_know_before_trusting_one(run: Run) -> None:
    head, *rows = run("sources").stdout.splitlines()
    for column in ("State", "Missed", "Held back", "Coverage", "Last good", "Next due", "Cadence", "Key", "Licence"):
        assert column in head
    entsoe = next(row for row in rows if row.startswith("entsoe "))
    for words in ("disabled", "30 13 * * *", "needed, not set", "not to be republished: "):
        assert words in entsoe
    [known] = [row for row in answer(run("sources", "--json")) if row["source"] == "baseline"]
    assert (known["coverage"], known["missed_publications"], known["quarantined_rows"]) == (1.0, 0, 0)


def test_a_source_whose_last_look_was_refused_says_so_and_its_rows_can_be_seen(run: Run, tmp_path: Path) -> None:
    feed, store = LineFeed("ecb"), Store.open(f"sqlite:///{tmp_path}/costplan.db", TickingClock(day("2026-11-01")))
    feed.answer = b"h100 ?\na100 -"
    refresh(store, feed, None, now=day("2026-11-01"), trigger="schedule")
    store.close()
    [row] = [row for row in run("sources").stdout.splitlines() if row.startswith("ecb ")]
    assert re.search(r"never, refused +0 +0 +1 ", row)
    shown = run("refreshes", "show", "2").stdout
    for words in ("price 0", "held back 1", "skipped: blank 1", "rows read 2"):
        assert words in " ".join(shown.split())
    assert "odd" in run("quarantine", "ls", "--source", "ecb").stdout


def test_one_source_is_shown_with_its_licence_in_full(run: Run) -> None:
    licence = answer(run("sources", "azure_retail_prices", "--json"))[0]["licence"]
    assert len(licence) > 80
    assert f"licence        {licence}\n" in run("sources", "azure_retail_prices").stdout


def test_a_document_from_the_future_is_refused(run: Run) -> None:
    document = str(DOCUMENTS / "ecb" / "typed_daily.csv")
    late = run("import", "ecb", document, "--fetched-at", "2999-01-01T00:00:00Z", expect=2)
    assert "is in the future" in late.stderr
    naive = run("import", "ecb", document, "--fetched-at", "2026-04-14T12:00:00", expect=2)
    assert "write it as 2026-04-14T12:00:00Z" in naive.stderr


def test_what_a_feed_says_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("a\x1b[31mred\u202e [bold]:smile:")
    output.note("two\nlines")
    output.table("", ["Name"], [["x\x1b]0;title\x07"], ["[/red] :key:"]])
    shown = capsys.readouterr()
    assert shown.out == "a�[31mred� [bold]:smile:\nName\nx�]0;title�\n[/red] :key:\n"
    assert shown.err == "two�lines\n"


def test_a_narrow_terminal_folds_a_key_rather_than_cutting_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "30")
    output.table("", ["Series", "#Price"], [["a" * 60, "[/red] :key:"]])
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert shown.count("a") == 60
    assert "[/red]" in shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1234.565", "1,234.56 X"), ("0", "0.00 X"), ("0.0826", "0.0826 X"), ("1E-9", "0.000000001 X")],
)
def test_an_amount_is_never_shown_with_an_exponent(amount: str, shown: str) -> None:
    from decimal import Decimal

    assert output.money(Decimal(amount), "X") == shown


def test_a_taken_port_is_bad_input_not_a_broken_database(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = run("serve", "--port", port, expect=2, COSTPLAN_SCHEDULER="off")
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose others with --host" in failed.stderr


def test_a_reader_that_has_seen_enough_is_no_error(seeded: Path) -> None:
    command = f"set -o pipefail; {sys.executable} -m service prices ls --limit 10000 | head -1"
    environment = dict(os.environ) | {"COSTPLAN_DATABASE_URL": f"sqlite:///{seeded}"}  # noqa: TID251
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Series")


def test_a_command_that_is_interrupted_says_so_and_leaves_nothing(seeded: Path, tmp_path: Path) -> None:
    shutil.copy(seeded, tmp_path / "costplan.db")
    history = tmp_path / "history.csv"
    days = (date(1999, 1, 4) + timedelta(days=number) for number in range(9_000))
    currencies = ["USD", "JPY", "GBP", "CHF", "SEK", "NOK", "DKK", "AUD", "CAD", "NZD", "PLN", "CZK", "HUF", "TRY"]
    figures = ",".join(f"{number}.5" for number, _ in enumerate(currencies, start=1))
    rates = "".join(f"{one},{figures}\n" for one in sorted(days, reverse=True))
    history.write_text(f"Date,{','.join(currencies)}\n{rates}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSTPLAN_")}  # noqa: TID251
    environment["COSTPLAN_DATABASE_URL"] = f"sqlite:///{tmp_path}/costplan.db"
    words = [sys.executable, "-m", "service", "import", "ecb", str(history)]
    terminal, end = pty.openpty()
    # Whoever runs the tests in the background has them ignore Ctrl-C, and that is inherited.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        words,
        env=environment,
        stderr=end,
        stdout=subprocess.DEVNULL,
        preexec_fn=listening,
    ) as running:
        os.close(end)
        read_until(terminal, "0000 rows")
        running.send_signal(signal.SIGINT)
        told = read_until(terminal, "the rest left nothing")
    os.close(terminal)
    assert running.returncode == output.CANCELLED
    assert "Traceback" not in told
    done = CliRunner().invoke(app, ["prices", "ls", "JPY", "--json"], env=environment)
    assert not any(one["series"].startswith("ecb/") for one in answer(done)["prices"])


def read_until(terminal: int, words: str) -> str:
    told = ""
    while words not in told:
        try:
            told += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            pytest.fail(f"{words!r} was not said in {told!r}")
    return told
