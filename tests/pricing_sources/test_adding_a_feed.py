"""The contributor page works: its module, its document and its line make a feed that keeps the contract."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import pricing_sources.compute
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Rejected, Skipped
from pricing_sources.source import Source
from service.store.store import Store
from service.usecases.accounting import account_for
from service.usecases.refresh import import_document
from tests.conftest import TickingClock
from tests.pricing_sources import test_registry

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-feed.md"
BLOCK = re.compile(r"```(\w+) (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """The feed of the page, its files written where the page says, below a temporary folder."""
    for _, name, content in BLOCK.findall(PAGE.read_text()):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    monkeypatch.setattr(test_registry, "DOCUMENTS", tmp_path / "tests" / "documents")
    [module_file] = (tmp_path / "pricing_sources" / "compute").glob("*.py")
    spec = importlib.util.spec_from_file_location("the_pages_feed", module_file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["the_pages_feed"] = module
    spec.loader.exec_module(module)
    assert module.SOURCE.info.id == module_file.stem
    yield module.SOURCE
    del sys.modules["the_pages_feed"]


def test_the_example_ends_every_row_with_a_name(example: Source) -> None:
    [document] = test_registry.typed_documents(example)
    price, skipped, rejected = example.parse(document)
    assert isinstance(price, Observation)
    assert (price.amount, price.published_amount) == (Decimal("2.5"), "2000")
    assert skipped == Skipped("zero_price", "/machines/1")
    assert isinstance(rejected, Rejected)


CONTRACT = {
    name: check
    for name, check in inspect.getmembers(test_registry, inspect.isfunction)
    if name.startswith("test_") and "source" in inspect.signature(check).parameters
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_example_keeps_the_contract_of_every_feed(example: Source, name: str) -> None:
    check = CONTRACT[name]
    if "body" in inspect.signature(check).parameters:
        for body in (b"<!DOCTYPE html><html></html>", b"", b"{}"):
            check(source=example, body=body)
    else:
        check(source=example)


def test_the_one_line_of_the_page_registers_its_module(
    example: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [line] = re.findall(r"```python\n(from .*)\n```", PAGE.read_text())
    monkeypatch.setattr(pricing_sources.compute, "__path__", [str(tmp_path / "pricing_sources" / "compute")])
    registered: dict[str, Source] = {}
    exec(line, registered)
    name = example.info.id.upper()
    assert registered[name].info == example.info
    assert f"and `{name}` in the tuple" in PAGE.read_text()
    del sys.modules[f"pricing_sources.compute.{example.info.id}"]


def test_what_the_page_tells_to_run_asks_the_feed_and_accounts_for_its_rows(
    example: Source, sqlite_url: str, clock: TickingClock
) -> None:
    store = Store.open(sqlite_url, clock)
    [document] = test_registry.typed_documents(example)
    clock.set(document.fetched_at)
    done = import_document(store, example, document, now=clock())
    account = account_for(store, example, document, done)
    assert (done.status, done.observed, done.rejected, dict(done.skipped)) == ("sealed", 1, 1, {"zero_price": 1})
    assert (account.rows_in, account.rows_out, account.balanced) == (3, 3, True)
    store.close()


def test_a_unit_nobody_announced_is_refused(example: Source) -> None:
    [document] = test_registry.typed_documents(example)
    body = document.body.replace(b"cents per", b"dollars per")
    with pytest.raises(ShapeChanged, match="'dollars per machine-hour' where 'cents per machine-hour' was expected"):
        list(example.parse(test_registry.document(example, body)))
