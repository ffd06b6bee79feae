"""The gate: within the limit, on fresh prices, and the change explained."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.cli.markdown import markdown_of
from service.domain.as_of import AsOf
from service.domain.gate import GateReport
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import Invalid, NotFound
from service.settings import Settings
from service.store import estimates
from service.store.store import Store
from service.usecases.estimates import new_estimate
from service.usecases.gate import Baseline, GateRules, check_scenario
from service.usecases.sources import Feed
from tests.conftest import day
from tests.store.conftest import Learn, LineFeed
from tests.usecases.test_cost_history import A100, H100

RUN = Scenario(
    name="run", training=TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=H100))
)
TWICE = replace(RUN, training=replace(RUN.training, gpus=Decimal(16)))
NOW = "2026-03-02T12:00"


@pytest.fixture
def priced(store: Store, learn: Learn) -> Store:
    learn("h100 2.50 2026-03-01", on="2026-03-02")
    return store


def checked(
    store: Store, scenario: Scenario, limit: str | None = "2000", against: Baseline | None = None, at: str = NOW, **more
) -> GateReport:
    feeds = [Feed.of(LineFeed().info, Settings({}))]
    rules = GateRules(limit=None if limit is None else Decimal(limit), **more)
    return check_scenario(store, feeds, scenario, rules, against, now=day(at))


def test_what_costs_no_more_than_the_limit_passes_and_nothing_is_kept(priced: Store) -> None:
    report = checked(priced, RUN)
    assert (report.verdict, report.total, report.stale) == ("pass", Decimal(2000), ())
    assert priced.read(lambda c: estimates.newest(c)) == []


def test_a_cent_more_is_over_budget(priced: Store) -> None:
    assert checked(priced, RUN, "1999.99").verdict == "over_budget"


def test_without_a_limit_only_the_age_of_prices_counts(priced: Store) -> None:
    assert checked(priced, TWICE, None).verdict == "pass"


def test_a_line_without_a_price_cannot_be_shown_to_keep_a_limit(priced: Store) -> None:
    gone = replace(RUN, training=replace(RUN.training, gpu_price=PriceInput(series=A100)))
    report = checked(priced, gone)
    assert report.verdict == "over_budget"
    assert report.unpriced[0].startswith("training gpu_hours: ")
    assert checked(priced, gone, None).verdict == "pass"


def test_a_price_whose_source_missed_its_publications_is_stale(priced: Store) -> None:
    assert checked(priced, RUN, at="2026-03-03T05:00").verdict == "pass"
    report = checked(priced, RUN, at="2026-03-09T12:00")
    assert report.verdict == "stale"
    [one] = report.stale
    assert (one.source, one.missed_publications) == ("nimbus", 8)


def test_a_price_of_a_feed_that_stands_still_is_stale_however_often_it_answers(store: Store, learn: Learn) -> None:
    for number in range(1, 10):
        learn("h100 2.50 2026-03-01", on=f"2026-03-0{number}")
    dated = LineFeed().info
    dated = replace(dated, cadence=replace(dated.cadence, newest_within=timedelta(days=4)))
    rules, at = GateRules(limit=None), day("2026-03-09T12:00")
    assert checked(store, RUN, at="2026-03-09T12:00").verdict == "pass", "nobody says how late its dates are"
    report = check_scenario(store, [Feed.of(dated, Settings({}))], RUN, rules, now=at)
    [one] = report.stale
    assert (one.missed_publications, one.newest_period) == (5, day("2026-03-01"))
    assert "last looked at 2026-03-09 00:00Z and tells nothing newer than 2026-03-01" in markdown_of(report)


def test_an_age_of_ones_own_can_be_demanded(priced: Store) -> None:
    assert checked(priced, RUN, oldest=timedelta(hours=13)).verdict == "pass"
    assert checked(priced, RUN, oldest=timedelta(hours=11)).verdict == "stale"


def test_the_change_is_explained_from_a_scenario_at_the_same_prices(priced: Store, learn: Learn) -> None:
    report = checked(priced, TWICE, "3000", Baseline(name="main", scenario=RUN))
    assert [(one.cause, one.amount) for one in report.bridge.effects] == [("scope", Decimal(2000))]


def test_or_from_an_estimate_at_its_own_prices(priced: Store, learn: Learn) -> None:
    then = new_estimate(priced, RUN, AsOf(day("2026-03-02"), day(NOW)), now=day(NOW))
    learn("h100 3.00 2026-03-03", on="2026-03-03")
    report = checked(priced, RUN, None, Baseline(name="then", estimate_id=then.estimate_id), at="2026-03-03T12:00")
    assert [(one.cause, one.amount) for one in report.bridge.effects] == [("offer_price", Decimal(400))]


def test_what_is_new_has_nothing_to_be_explained_from(priced: Store) -> None:
    report = checked(priced, RUN, "3000", Baseline(name="main"))
    assert (report.against, report.bridge) == ("main", None)
    assert "main has no such scenario: all of it is new." in markdown_of(report)


def test_nonsense_is_refused_by_field(priced: Store) -> None:
    with pytest.raises(Invalid, match="max: must be a number not below zero"):
        checked(priced, RUN, "-1")
    with pytest.raises(NotFound):
        checked(priced, RUN, None, Baseline(name="x", estimate_id="abcdef"))


def test_the_comment_says_the_verdict_the_change_and_the_doubts(priced: Store) -> None:
    report = checked(priced, TWICE, "3000", Baseline(name="main", scenario=RUN), at="2026-03-09T12:00")
    told = markdown_of(report)
    assert told.startswith("<!-- costplan check -->\n\n### Cost of run\n\n**4,000.00 USD**: **over the limit** of")
    assert "| more or less work | +2,000.00 USD |" in told
    assert "| **together** | **+2,000.00 USD** |" in told
    assert "- Stale: nimbus/h100/global/on\\_demand, nimbus was last looked at 2026\\-03" not in told
    assert "- Stale: nimbus/h100/global/on\\_demand, nimbus was last looked at 2026-03-02" in told


def test_names_in_the_comment_are_text_and_never_markup(priced: Store) -> None:
    evil = replace(RUN, name="<img src=x> [a](javascript:b) | @team `c`")
    head = markdown_of(checked(priced, evil)).splitlines()[2]
    assert head == "### Cost of &lt;img src=x&gt; \\[a\\]\\(javascript:b\\) \\| \\@team \\`c\\`"
