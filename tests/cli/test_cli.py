import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from pricing_sources.compute.gpuhunt_catalog import PROVIDERS
from service.cli.main import app
from tests.documents.gpuhunt_catalog import typed_by_hand_runpod
from tests.pricing_sources.test_transport import Feed, reply

DOCUMENTS = Path(__file__).parents[1] / "documents"
SCENARIO = """
name: One run
training:
  gpus: 8
  hours: 100.50
  gpu_price: {series: baseline/p5.48xlarge/us-east-1/on_demand}
"""


Done = subprocess.CompletedProcess[str]


class Shell:
    """The command, run here as a shell would run it in a folder, with a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("COSTPLAN_")}  # noqa: TID251
        self.environment |= {"COSTPLAN_DATA_DIR": str(folder / "data")}

    def __call__(self, *words: str, given: str = "", expect: int = 0, **environment: str) -> Done:
        with chdir(self.folder), patch.dict(os.environ, self.environment | environment, clear=True):  # noqa: TID251
            ended = CliRunner().invoke(app, words, input=given)
        done = Done(words, ended.exit_code, ended.stdout, ended.stderr)
        assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str, **more: str):
        return json.loads(self(*words, "--json", **more).stdout)  # noqa: TID251  reading as any client would


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("cli"))
    made("db", "upgrade")
    made("refresh", "baseline")
    (made.folder / "scenario.yaml").write_text(SCENARIO)
    return made


def test_an_estimate_is_made_kept_shown_and_listed(shell: Shell) -> None:
    made = shell.json("estimate", "new", "scenario.yaml")
    assert made["estimate"]["total"] == "5531.52"
    shown = shell("estimate", "show", made["estimate_id"][:8]).stdout
    assert "One run: 5,531.52 USD" in shown
    assert "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/index.json" in shown
    assert made["estimate_id"][:12] in shell("estimate", "ls").stdout


def test_estimates_are_asked_again_explained_and_compared(shell: Shell) -> None:
    first = shell.json("estimate", "new", "scenario.yaml")["estimate_id"]
    text = SCENARIO.replace("100.50", "200")
    more = json.loads(shell("estimate", "new", "-", "--json", given=text).stdout)["estimate_id"]  # noqa: TID251

    assert shell.json("estimate", "rerun", first)["same_bytes"]
    told = shell("estimate", "why", first, more).stdout
    assert "5,531.52 USD → 11,008.00 USD" in told
    assert "more or less work  +5,476.48 USD" in told
    assert shell.json("estimate", "why", first, more)["bridge"]["difference"] == "5476.48"
    side = shell("estimate", "compare", first, more).stdout
    assert "against the first" in side
    assert "+5,476.48 USD" in side


SURE = (
    SCENARIO
    + """
spreads:
  - {input: training.hours, distribution: interval, low: 80, high: 150, source: our last runs}
"""
)


def test_an_estimate_says_how_sure_it_is_and_what_makes_it_so(shell: Shell) -> None:
    made = json.loads(shell("estimate", "new", "-", "--json", given=SURE).stdout)  # noqa: TID251
    name, band = made["estimate_id"], made["band"]
    assert (band["draws"], band["seed"]) == (4096, 0)
    assert float(band["p10"]) == pytest.approx(80 * 8 * 6.88, rel=1e-3)
    assert "P10 4,40" in shell("estimate", "show", name).stdout

    told = shell("estimate", "band", name[:12]).stdout
    assert "5,531.52 USD, the point estimate" in told
    assert re.search(r"training.hours +4,403.20 USD +8,256.00 USD .*our last runs", told)
    assert re.search(r"training.gpus +8 +GPUs +stated in the scenario, without a spread", told)

    assert shell.json("estimate", "band", name)["band_id"] == band["band_id"]
    off = shell.json("estimate", "band", name, "--draws", "0")["band"]
    assert set(off["total"].values()) == {"5531.52"}
    assert (
        "draws: must be 0, or 100 to 20000, not 3" in shell("estimate", "band", name, "--draws", "3", expect=2).stderr
    )

    more = json.loads(shell("estimate", "new", "-", "--json", given=SURE.replace("gpus: 8", "gpus: 9")).stdout)  # noqa: TID251
    assert "dearer in 100 % of 4096 draws" in shell("estimate", "difference", name, more["estimate_id"]).stdout


def test_a_scenario_is_priced_over_a_period(shell: Shell) -> None:
    period = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-11-03T00:00:00Z")
    shown = shell("scenario", "history", "scenario.yaml", *period, "--step", "day").stdout
    assert shown.splitlines()[1].split() == ["2026-11-01", "00:00Z", "5,531.52", "USD", "–"]
    assert len(shell.json("scenario", "history", "scenario.yaml", *period)["points"]) == 1
    then = shell.json("scenario", "history", "scenario.yaml", *period, "--step", "day", "--known-then")
    assert [one["total"] for one in then["points"]] == [None, None]
    wrong = shell("scenario", "history", "scenario.yaml", "--from", "2026-11-01", "--to", "x", expect=2).stderr
    assert "--from: '2026-11-01' carries no UTC offset" in wrong


def test_the_canonical_bytes_hash_to_the_id(shell: Shell) -> None:
    import hashlib

    made = shell.json("estimate", "new", "scenario.yaml")
    body = shell("estimate", "show", made["estimate_id"], "--canonical").stdout
    assert hashlib.sha256(body.encode()).hexdigest() == made["estimate_id"]


def test_a_scenario_may_come_from_a_pipe_as_json(shell: Shell) -> None:
    text = '{"name": "x", "data": {"volume_tb": "2", "licensing_fees": {"amount": "10.5"}}}'
    assert json.loads(shell("estimate", "new", "-", "--json", given=text).stdout)["estimate"]["total"] == "21"  # noqa: TID251


def test_a_bad_scenario_names_each_field_and_what_was_meant(shell: Shell) -> None:
    text = "name: x\nfine_tuning: {gpuz: 8, hours: many, gpu_price: {series: a}}\n"
    errors = shell("estimate", "new", "-", given=text, expect=2).stderr
    assert "fine_tuning.gpuz: is not a field; did you mean gpus?" in errors
    assert "fine_tuning.hours: must be a number, not 'many'" in errors
    assert "fine_tuning.gpus: is missing" in errors


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a list", "must be a mapping"),
        ("name: [", "is not YAML or JSON"),
        ("a: &x [1]\nb: *x", "aliases are not used"),
        ("name: x", "scenario: has nothing to price"),
        ("name: x\ndata: 5", "data: must be a mapping with volume_tb"),
        ("name: x\ncurrency: dollars\ndata: {volume_tb: -1, licensing_fees: {amount: 1}}", "data.volume_tb: must be"),
    ],
)
def test_what_is_no_scenario_is_refused_in_a_sentence(shell: Shell, text: str, words: str) -> None:
    assert words in shell("estimate", "new", "-", given=text, expect=2).stderr


def test_errors_are_json_too_when_asked(shell: Shell) -> None:
    problem = json.loads(shell("estimate", "new", "-", "--json", given="name: x", expect=2).stderr)  # noqa: TID251
    assert problem["code"] == "invalid"
    assert problem["errors"][0]["field"] == "scenario"


def test_a_missing_price_is_named_and_the_total_a_lower_bound(shell: Shell) -> None:
    text = SCENARIO.replace("p5.48xlarge", "p9.48xlarge")
    shown = shell("estimate", "new", "-", given=text).stdout
    assert "at least 0.00 USD" in shown
    assert "NOT PRICED  training gpu_hours: 804 GPU-Hours: no such series was known then; did you mean" in shown


def test_importing_a_document_twice_changes_nothing(shell: Shell) -> None:
    document = str(DOCUMENTS / "ecb" / "typed_history.csv")
    [first] = shell.json("import", "ecb", document)
    [second] = shell.json("import", "ecb", document)
    assert (first["status"], first["added"], first["skipped"]) == ("sealed", 5, {"not_quoted": 1})
    assert (second["added"], second["corrected"], second["unchanged"]) == (0, 0, 5)


def test_the_import_report_says_where_every_row_ended(shell: Shell) -> None:
    report = shell("import", "ecb", str(DOCUMENTS / "ecb" / "typed_history.csv"), "--report").stdout
    rows = {
        name.strip(): int(count) for name, count in re.findall(r"^ *\d+  (\S.*?)  +(\d+)$", report, flags=re.MULTILINE)
    }
    assert rows == {
        "rows in the document": 2,
        "rows accounted for": 2,
        "price": 5,
        "skipped: not_quoted": 1,
        "rows read": 6,
    }


def test_the_import_report_counts_the_rows_that_were_left_out_of_a_large_file(shell: Shell) -> None:
    typed = str(DOCUMENTS / "aws_data_transfer" / "typed_by_hand_eu_west_1.csv")
    [account] = shell.json("import", "aws_data_transfer", typed, "--report")
    assert (account["rows_in"], account["rows_out"], account["balanced"]) == (7, 7, True)
    assert (account["prices"], account["skipped"]) == (4, {"free_allowance": 1, "other_transfer": 2})


def test_a_large_document_in_another_shape_is_reported_and_the_rest_imported(shell: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "page.csv"
    broken.write_text("<html>maintenance</html>\n" * 30)
    typed = str(DOCUMENTS / "aws_s3_storage" / "typed_by_hand_us_east_1.csv")
    done = shell("import", "aws_s3_storage", str(broken), typed, expect=3)
    assert "aws_s3_storage: 20 lines and no header; an AWS price list in CSV was expected" in done.stderr
    assert re.search(r"aws_s3_storage +sealed", done.stdout)


def test_a_document_that_cannot_be_read_is_reported_and_the_rest_imported(shell: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "page.csv"
    broken.write_text("<html>maintenance</html>")
    done = shell("import", "ecb", str(broken), str(DOCUMENTS / "ecb" / "typed_daily.xml"), expect=3)
    assert "ecb: an HTML page where CSV was expected" in done.stderr
    assert re.search(r"ecb +sealed", done.stdout)


def test_a_feed_that_cannot_be_reached_is_reported_not_fatal(shell: Shell) -> None:
    done = shell("refresh", "ecb", "baseline", expect=3, COSTPLAN_SOURCE_ECB_URL="http://127.0.0.1:9/x")
    assert "ecb: http://127.0.0.1:9/x/eurofxref-hist.zip: cannot be reached" in done.stderr
    assert re.search(r"baseline +sealed", done.stdout)


def test_a_feed_that_could_be_read_in_part_says_what_is_missing(shell: Shell, catalogs: Feed) -> None:
    catalogs.answers = {f"/v3/{folder}/version": [reply(b"", 404)] for folder in PROVIDERS}
    catalogs.answers["/v3/runpod/version"] = [reply(b"20260819-1")]
    catalogs.answers["/v3/runpod/20260819-1/catalog.zip"] = [reply(typed_by_hand_runpod.workbook())]
    done = shell("refresh", "gpuhunt_catalog", COSTPLAN_SOURCE_GPUHUNT_CATALOG_URL=catalogs.url("/v3"))
    assert re.search(r"gpuhunt_catalog +sealed", done.stdout)
    assert "gpuhunt_catalog: 8 of 9 documents could not be had: " in done.stderr
    assert f"{catalogs.url('/v3/aws/version')}: answered 404" in done.stderr


@pytest.fixture
def catalogs() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


@pytest.mark.parametrize("source", ["smard", "aws_ec2_offers"])
def test_an_archive_that_cannot_be_reached_is_a_failed_feed(shell: Shell, source: str) -> None:
    nobody = {f"COSTPLAN_SOURCE_{source.upper()}_URL": "http://127.0.0.1:9/current/index.json"}
    told = shell("backfill", source, expect=3, **nobody).stderr
    assert re.fullmatch(r"http://127\.0\.0\.1:9/\S+: cannot be reached \(.*\)\n", told)
    problem = json.loads(shell("backfill", source, "--json", expect=3, **nobody).stderr)  # noqa: TID251
    assert (problem["code"], problem["detail"]) == ("fetch_failed", told.strip())


def test_a_term_never_touches_its_value(shell: Shell) -> None:
    shown = shell("accelerators", "show", "nvidia-b300-sxm").stdout
    assert "  also called  B300" in shown
    assert "  bandwidth    8 TB/s, " in shown


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("refresh", "ecbb"), "did you mean 'ecb'?"),
        (("import", "ecb", "no-such-file"), "FILE: no-such-file: No such file or directory"),
        (("prices", "ls", "--valid-at", "2026-03-01T00:00:00"), "carries no UTC offset; write it as"),
        (("prices", "ls", "--valid-at", "yesterday"), "is not a time such as 2026-03-01T00:00:00Z"),
        (("prices", "ls", "--known-at", "2999-01-01T00:00:00Z"), "lies in the future"),
        (("prices", "show", "baseline/p5.48xlarge/us-west-9/on_demand"), "did you mean baseline/p5.48xlarge/us-east-1"),
        (("estimate", "show", "ffffffff"), "there is no estimate ffffffff; see: costplan estimate ls"),
        (("formulas", "show", "training.enrgy"), "there are training.energy"),
        (("formulas", "evaluate", "data.cost", "volume_tb=-1"), "volume_tb: must be 0 or more TB, not -1"),
        (("formulas", "evaluate", "data.cost", "volume_tb"), "must be NAME=VALUE"),
        (("documents", "show", "00"), "no document has the SHA-256 00"),
        (("refreshes", "show", "999"), "there is no refresh 999"),
        (("accelerators", "show", "nvidia-h100"), "no accelerator is called 'nvidia-h100'"),
        (
            ("accelerators", "map", "X", "nvidia-t4", "--reason", "x"),
            "no feed uses the label 'X' with memory_gb none; see: costplan accelerators labels",
        ),
        (
            ("accelerators", "map", "H100", "nvidia-t4", "--reason", "x", "--memory-gb", "abc"),
            "--memory-gb: 'abc' is not a plain decimal number such as 12.34; give the GB the label stands beside",
        ),
        (("rate-card", "show", "acme"), "none is kept yet; see: costplan rate-card put"),
        (("quarantine", "release", "999", "--reason", "true"), "there is no quarantined row 999"),
        (("quarantine", "release", "--refresh", "999", "--reason", "true"), "there is no refresh 999"),
        (("quarantine", "release", "--refresh", "1", "--reason", "true"), "refresh 1 is sealed; only one that was"),
        (("quarantine", "release", "--reason", "true"), "ROW: give the number of a row, or of a refresh"),
        (("quarantine", "release", "1", "--refresh", "1", "--reason", "true"), "one of the two"),
        (("backfill", "runpod"), "runpod only says what is on offer now; it keeps no past"),
        (("sources", "nimbus"), "there is no source 'nimbus'; there are azure_retail_prices"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_could(shell: Shell, words: tuple[str, ...], error: str) -> None:
    assert error in shell(*words, expect=2).stderr


def test_prices_can_be_walked_back_to_the_document(shell: Shell) -> None:
    price = shell.json("prices", "show", "baseline/p5.48xlarge/us-east-1/on_demand")
    assert price["amount"] == "6.88"
    body = shell("documents", "show", price["citation"]["document_sha256"]).stdout
    assert "p5.48xlarge" in body


def test_a_pipe_gets_neither_colour_nor_cuts(shell: Shell) -> None:
    for words in (("prices", "ls"), ("sources",), ("estimate", "ls"), ("formulas", "ls"), ("refreshes", "ls")):
        assert "\x1b" not in shell(*words).stdout
        assert "│" not in shell(*words).stdout


@pytest.mark.parametrize(
    "words",
    [
        ("prices", "ls"),
        ("prices", "history", "baseline/p5.48xlarge/us-east-1/on_demand"),
        ("sources",),
        ("refreshes", "ls"),
        ("refreshes", "show", "1"),
        ("quarantine", "ls"),
        ("prices", "disagreements"),
        ("reparse",),
        ("estimate", "ls"),
        ("scenario", "ls"),
        ("rate-card", "ls"),
        ("accelerators", "ls"),
        ("accelerators", "show", "nvidia-h100-sxm-80gb"),
        ("accelerators", "labels", "--worklist"),
        ("formulas", "ls"),
        ("formulas", "show", "data.cost"),
        ("settings",),
        ("version",),
        ("db", "status"),
    ],
)
def test_every_answer_is_json_when_asked(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.json(*words) is not None


def test_a_label_is_mapped_of_one_feed_or_of_all_and_the_word_taken_back(shell: Shell) -> None:
    h100 = ("H100 SXM", "--memory-gb", "80", "--reason", "a test")
    wide = ("accelerators", "map", h100[0], "nvidia-h100-pcie-80gb", *h100[1:])
    assert (
        "provider: must be named, for it is said by baseline of aws, baseline of azure" in shell(*wide, expect=2).stderr
    )
    told = shell(*wide, "--provider", "aws").stdout
    assert (
        "H100 SXM is nvidia-h100-pcie-80gb where baseline says it of aws; says a person, of this one (2 series)" in told
    )
    told = shell(*wide, "--everywhere").stdout
    assert "H100 SXM is nvidia-h100-pcie-80gb wherever a feed says it; says a person, of every feed (" in told
    listed = shell("accelerators", "labels").stdout
    assert re.search(
        r"baseline +aws +H100 SXM +80 +2 +nvidia-h100-pcie-80gb +a person, of this one \(2 series\)", listed
    )
    assert re.search(r"baseline +azure +H100 SXM +80 +2 +nvidia-h100-pcie-80gb +a person, of every feed \(", listed)
    assert shell.json("accelerators", "unmap", *h100, "--provider", "aws")["decision"]["everywhere"] is True
    told = shell("accelerators", "unmap", *h100, "--everywhere").stdout
    assert "H100 SXM is nvidia-h100-sxm-80gb wherever a feed says it; says the registry" in told
    again = shell("accelerators", "unmap", *h100, "--everywhere", expect=2).stderr
    assert "nobody has said this of the label 'H100 SXM' with memory_gb 80" in again


def test_settings_are_listed_without_their_secrets(shell: Shell) -> None:
    listed = shell("settings", COSTPLAN_DATABASE_URL="postgresql://me:hunter2@db/prices").stdout
    assert "COSTPLAN_DATABASE_URL" in listed
    assert "hunter2" not in listed


def test_a_misspelt_setting_is_refused(shell: Shell) -> None:
    errors = shell("settings", expect=2, COSTPLAN_PROT="1", COSTPLAN_PORT="eighty").stderr
    assert "COSTPLAN_PROT: is not a setting" in errors
    assert "COSTPLAN_PORT: must be a whole number from 0 to 65535, not 'eighty'" in errors


def test_an_empty_database_says_which_command_to_run(shell: Shell, tmp_path: Path) -> None:
    done = shell("prices", "ls", expect=6, COSTPLAN_DATA_DIR=str(tmp_path / "new"))
    assert "has no schema yet; run: costplan db upgrade" in done.stderr
    served = shell("serve", expect=6, COSTPLAN_DATA_DIR=str(tmp_path / "new"))
    assert "run: costplan db upgrade" in served.stderr


def test_a_database_that_cannot_be_reached_is_said_without_its_password(shell: Shell) -> None:
    done = shell("prices", "ls", expect=6, COSTPLAN_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:9/prices")
    assert "the database cannot be reached" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_file_that_is_no_database_is_refused(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database at all, but long enough to look like a header" * 20)
    done = shell("prices", "ls", expect=6, COSTPLAN_DATABASE_URL=f"sqlite:///{tmp_path}/x.db")
    assert "is not a SQLite database; check COSTPLAN_DATABASE_URL" in done.stderr


def test_a_folder_that_cannot_be_made_is_named(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = shell("db", "upgrade", expect=6, COSTPLAN_DATA_DIR=str(tmp_path / "file" / "data"))
    assert "set COSTPLAN_DATA_DIR to a writable folder" in done.stderr


def test_a_full_disk_is_said_and_nothing_is_half_written(shell: Shell, tmp_path: Path) -> None:
    """A page limit stands in for the disk: SQLite reports both as SQLITE_FULL."""
    from sqlalchemy import event

    from pricing_sources.registry import source_by_id
    from service.clock import now
    from service.errors import Unavailable
    from service.store import migrating, refreshes
    from service.store.store import Store
    from service.usecases.refresh import refresh

    store = Store.open(f"sqlite:///{tmp_path}/full.db", now)
    migrating.upgrade(store)
    pages = store.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    event.listen(store.engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count = {pages + 4}"))
    store.close()
    with pytest.raises(Unavailable, match="the disk is full"):
        refresh(store, source_by_id("baseline"), None, now=now(), trigger="manual")
    assert store.read(refreshes.newest) == []
    store.close()


def test_the_exit_codes_are_documented(shell: Shell) -> None:
    assert "6 the" in " ".join(shell("--help").stdout.split())


def test_no_scheduler_alive_is_an_exit_code(shell: Shell) -> None:
    assert "no scheduler is alive (never heard of)" in shell("scheduler", "--check", expect=6).stderr
