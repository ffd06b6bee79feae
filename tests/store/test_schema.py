import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.errors import SchemaOutdated
from service.store import hardware, migrating, refreshes, schema
from service.store.store import Store
from service.store.tables import metadata
from tests.conftest import day
from tests.store.conftest import Learn


def test_the_migrations_lead_to_exactly_the_tables_the_code_describes(store: Store) -> None:
    def check(connection):
        settings = migrating.config()
        settings.attributes["connection"] = connection
        command.check(settings)

    store.write(check)


def test_the_schema_can_be_taken_down_and_put_up_again(store: Store) -> None:
    def down(connection):
        settings = migrating.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")

    store.write(down)
    assert migrating.upgrade(store) == (None, schema.head())
    schema.require_current(store)


def test_the_newest_revision_is_what_the_migrations_library_says_it_is() -> None:
    assert schema.head() == ScriptDirectory.from_config(migrating.config()).get_current_head()


def test_an_upgrade_run_twice_finds_nothing_to_do(store: Store) -> None:
    assert migrating.upgrade(store) == (schema.head(), schema.head())


def test_a_database_without_a_schema_is_refused_with_the_command_to_run(database_url: str, clock) -> None:
    empty = Store.open(database_url, clock)
    with pytest.raises(SchemaOutdated, match="run: costplan db upgrade"):
        schema.require_current(empty)
    empty.close()


def test_a_database_of_a_newer_version_is_refused_too(store: Store) -> None:
    store.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = 'f00'")))
    with pytest.raises(SchemaOutdated, match="newer version"):
        schema.require_current(store)


@pytest.mark.parametrize(
    "table", ["document", "gpu_observation", "estimate", "estimate_band", "plan", "terms", "quarantine"]
)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_rewrite_history(store: Store, seeded_log, table: str, statement: str) -> None:
    column = list(metadata.tables[table].columns)[-1].name
    with pytest.raises(DBAPIError, match="append-only"):
        store.write(lambda c: c.execute(text(statement.format(table, column, column))))


def test_the_database_itself_keeps_every_series_that_prices_point_at(store: Store, seeded_log) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        store.write(lambda c: c.execute(text("DELETE FROM gpu_series")))


def test_how_new_the_figures_of_a_source_are_is_looked_up_where_the_log_knows_it_already(
    store: Store, learn: Learn
) -> None:
    learn("h100 2.50 2026-02-01", "a100 1.00 2026-01-01", on="2026-03-01")
    learn("h100 2.50", "a100 1.10", on="2026-03-02")

    def there_and_back(connection):
        settings = migrating.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "5e7b0c94ad21")
        command.upgrade(settings, "head")

    store.write(there_and_back)
    assert store.read(refreshes.newest_periods) == {"nimbus": day("2026-02-01")}


def test_what_is_migrated_with_prices_in_it_keeps_them_its_views_and_its_locks(store: Store, seeded_log) -> None:
    def there_and_back(connection):
        settings = migrating.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "c41f7d20ab63")
        command.upgrade(settings, "head")

    def seen(connection):
        return connection.execute(text("SELECT series, amount, locator FROM gpu_rates ORDER BY series")).all()

    before = store.read(seen)
    store.write(there_and_back)
    assert store.read(seen) == before
    for statement in ("DELETE FROM gpu_observation", "UPDATE gpu_observation SET vintage = 'x'"):
        with pytest.raises(DBAPIError, match="append-only"):
            store.write(lambda c, t=statement: c.execute(text(t)))


WORDS = "INSERT INTO hardware_label (label, memory_gb, recorded_at, accelerator_id, reason"


def test_a_word_on_a_label_from_before_still_counts_of_every_feed_and_no_narrow_one_survives_the_way_back(
    store: Store,
) -> None:
    def moved(connection, *turns):
        settings = migrating.config()
        settings.attributes["connection"] = connection
        for turn, revision in turns:
            getattr(command, turn)(settings, revision)

    def said(connection):
        found = hardware.decided(connection, day("2026-12-31"))
        return {(one.label, one.source, one.provider): word.accelerator for one, word in found.items()}

    store.write(lambda c: moved(c, ("downgrade", "d3a95e7b10f4")))
    store.write(lambda c: c.execute(text(f"{WORDS}) VALUES ('h100', '', '2026-03-01', 'old', 'x')")))
    store.write(lambda c: moved(c, ("upgrade", "head")))
    assert store.read(said) == {("h100", "", ""): "old"}

    for values in ("'t4', '', '2026-03-02', 'narrow', 'x', 'nimbus'", "'a100', '', '2026-03-03', 'wide', 'x', ''"):
        store.write(lambda c, v=values: c.execute(text(f"{WORDS}, source_id) VALUES ({v})")))
    for values in ("'h100', '', '2026-03-04', '', 'x', ''", "'l4', '', '2026-03-05', '', 'x', ''"):
        store.write(lambda c, v=values: c.execute(text(f"{WORDS}, source_id) VALUES ({v})")))
    store.write(lambda c: moved(c, ("downgrade", "d3a95e7b10f4"), ("upgrade", "head")))
    assert store.read(said) == {("a100", "", ""): "wide"}
    for statement in ("DELETE FROM hardware_label", "UPDATE hardware_label SET reason = 'y'"):
        with pytest.raises(DBAPIError, match="append-only"):
            store.write(lambda c, t=statement: c.execute(text(t)))
