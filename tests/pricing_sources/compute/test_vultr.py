import json
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute.vultr import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.units import Unit
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

CLOUD, METAL = typed(SOURCE, "typed_five_plans.json"), typed(SOURCE, "typed_two_metal_plans.json")


def test_a_share_of_a_gpu_is_priced_up_to_a_whole_one() -> None:
    found = prices(read(SOURCE, CLOUD))
    share, whole = (found[f"vultr/vcg-a100-{name}/global/on_demand"] for name in ("1c-6g-4vram", "12c-120g-80vram"))
    assert (share.amount, share.series.gpu_count) == (Decimal("2.46"), Decimal("0.05"))
    assert (whole.amount, whole.series.gpu_count) == (Decimal("2.397"), 1)


def test_a_gpu_whose_whole_memory_is_not_documented_keeps_the_price_of_its_plan() -> None:
    price = prices(read(SOURCE, CLOUD))["vultr/vcg-l40s-16c-180g-48vram/global/on_demand"]
    assert (price.unit, price.amount, price.series.gpu_count) == (Unit.INSTANCE_HOUR, Decimal("1.671"), None)


@pytest.mark.parametrize(
    ("stated", "gpus", "amount", "memory"),
    [
        ("1/4", "0.25", "1.716", 48),
        ("1/3", "0.333333333333", "1.287", 36),
        ("1", "1", "0.429", 12),
        ("2", "2", "0.2145", 6),
    ],
)
def test_a_plan_says_itself_how_much_of_a_gpu_it_has(stated: str, gpus: str, amount: str, memory: int) -> None:
    [price] = prices(read(SOURCE, plans(row("vcg-a40-6c-30g-12vram", gpu_count=stated)))).values()
    assert (price.series.gpu_count, price.series.gpu_memory_gb) == (Decimal(gpus), memory)
    assert (price.amount, price.unit) == (Decimal(amount), Unit.GPU_HOUR)


@pytest.mark.parametrize("stated", ["", "0", "1/0", "a quarter", None, "-1", "0.5"])
def test_what_is_no_count_divides_nothing(stated: object) -> None:
    [price] = prices(read(SOURCE, plans(row("vcg-a40-6c-30g-12vram", gpu_count=stated)))).values()
    assert (price.unit, price.amount, price.series.gpu_count) == (Unit.INSTANCE_HOUR, Decimal("0.429"), None)


def test_the_table_of_whole_gpus_stands_above_a_count_of_the_feed() -> None:
    a100 = row("vcg-a100-1c-6g-4vram", gpu_type="NVIDIA_A100", gpu_vram_gb=4, gpu_count="1")
    [price] = prices(read(SOURCE, plans(a100))).values()
    assert price.series.gpu_count == Decimal("0.05")


@pytest.mark.parametrize(
    ("plan", "accelerator"), [("vcg-a40-24c-120g-48vram", "a40"), ("vcg-mi325x-252c-2872g-1536vram", "mi325x")]
)
def test_a_dedicated_plan_is_accelerated_and_states_no_count(plan: str, accelerator: str) -> None:
    dedicated = {"id": plan, "type": "vdm", "gpu_brand": "NVIDIA", "hourly_cost": 1.712}
    processors = {"id": "vc2-2c-4gb", "type": "vc2", "gpu_brand": "none", "hourly_cost": 0.027}
    readings = read(SOURCE, plans(dedicated, processors))
    [price] = prices(readings).values()
    assert (price.series.accelerator, price.series.gpu_count, price.unit) == (accelerator, None, Unit.INSTANCE_HOUR)
    assert skipped(readings) == {"not_accelerated": 1}


def plans(*rows: dict[str, object]) -> bytes:
    return json.dumps({"plans": rows}).encode()


def row(plan: str, **changed: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "id": plan,
        "type": "vcg",
        "hourly_cost": 0.429,
        "gpu_brand": "NVIDIA",
        "gpu_type": "NVIDIA_A40",
        "gpu_vram_gb": 12,
    }
    return usual | changed


def test_the_id_of_a_metal_plan_tells_its_gpus() -> None:
    found = prices(read(SOURCE, METAL))
    key = "vultr/vbm-112c-2048gb-8-h100-gpu/global"
    assert (found[f"{key}/on_demand"].amount, found[f"{key}/spot"].amount) == (Decimal("2.99"), Decimal("2.3"))
    assert (found[f"{key}/spot"].series.accelerator, found[f"{key}/spot"].series.gpu_count) == ("h100", 8)


def test_the_hourly_price_is_read_and_never_a_share_of_the_month() -> None:
    doubled = METAL.replace(b"16074.24", b"32148.48")
    assert prices(read(SOURCE, doubled)).keys() == prices(read(SOURCE, METAL)).keys()
    assert [one.amount for one in prices(read(SOURCE, doubled)).values()] == [Decimal("2.99"), Decimal("2.3")]


def test_what_is_no_price_has_a_name() -> None:
    assert skipped(read(SOURCE, CLOUD)) == {"not_accelerated": 1, "zero_price": 1}
    assert skipped(read(SOURCE, METAL)) == {"not_accelerated": 1}


def test_a_document_with_neither_list_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="a list of plans or plans_metal was expected"):
        read(SOURCE, b'{"plans": []}')


@pytest.mark.parametrize(
    ("name", "read_rows", "found"),
    [
        ("gpuhunt_plans_vcg.json", 3, 3),
        ("gpuhunt_plans_metal.json", 4, 4),
        ("libcloud_vultr_v2_list_sizes.json", 21, 0),
        ("libcloud_vultr_v2_bare_metal.json", 4, 0),
    ],
)
def test_the_recorded_plans_are_read(recorded: Path, name: str, read_rows: int, found: int) -> None:
    readings = read(SOURCE, (recorded / "gpu/vultr" / name).read_bytes())
    assert (len(readings), len(prices(readings)), rejected(readings)) == (read_rows, found, [])


def test_both_lists_are_asked_for_page_by_page(feed: Feed) -> None:
    more = b'{"plans": [{"id": "a"}], "meta": {"links": {"next": "abc"}}}'
    feed.answers = {"/v2/plans": [reply(more), reply(CLOUD)], "/v2/plans-metal": [reply(METAL)]}
    assert [document.body for document in fetched(SOURCE, feed.url("/v2"))] == [more, CLOUD, METAL]
    assert [path for path, _ in feed.asked] == [
        "/v2/plans?per_page=500&type=all",
        "/v2/plans?per_page=500&cursor=abc&type=all",
        "/v2/plans-metal?per_page=500",
    ]


def test_a_cursor_that_leads_back_ends(feed: Feed) -> None:
    again = b'{"plans": [{"id": "a"}], "meta": {"links": {"next": "abc"}}}'
    feed.answers = {"/v2/plans": [reply(again)], "/v2/plans-metal": [reply(METAL)]}
    assert len(list(fetched(SOURCE, feed.url("/v2")))) == 3
