"""What was really charged, set against a budget."""

from datetime import datetime
from typing import Final
from zoneinfo import available_timezones

from service.domain.canonical import json_bytes
from service.domain.spend import SpendImport
from service.errors import FieldProblem, Invalid
from service.store import budgets, spend
from service.store.store import Store
from service.usecases.field_problems import invalid
from service.usecases.spend_files import COSTS, SpendFormat, read_charges

LONGEST_ORIGIN: Final = 60


def import_spend(
    store: Store, budget: str, origin: str, body: bytes, wanted: SpendFormat, *, now: datetime
) -> SpendImport:
    """Keep a document of charges of a budget; a later edition of one origin replaces what it covers.

    The same document twice counts once. Raises NotFound, Invalid.
    """
    _check(origin, wanted)
    store.read(lambda c: budgets.known(c, budget, now))
    found = read_charges(body, wanted)
    if not found.charges:
        raise Invalid.field("charges", f"has no row to count among its {found.rows_read}; nothing is changed")
    made = SpendImport(
        import_id=0,
        budget=budget,
        origin=origin,
        document_sha256="",
        reading=json_bytes(wanted).decode(),
        recorded_at=now,
        covers_from=min(one.charge_from for one in found.charges),
        covers_until=max(one.charge_until for one in found.charges),
        rows_read=found.rows_read,
        rows_kept=found.rows_kept,
        rows_left_out=found.rows_read - found.rows_kept,
    )
    return store.write(lambda c: spend.add(c, made, found.charges, body, now))


def list_spend_imports(store: Store, budget: str, limit: int = 50) -> list[SpendImport]:
    """The newest documents of charges of a budget."""
    return store.read(lambda c: spend.imports(c, budget, limit))


def _check(origin: str, wanted: SpendFormat) -> None:
    problems = []
    if not origin.strip() or len(origin) > LONGEST_ORIGIN:
        problems.append(FieldProblem("origin", f"must have 1 to {LONGEST_ORIGIN} characters"))
    if wanted.cost not in COSTS:
        problems.append(FieldProblem("cost", f"must be one of {', '.join(COSTS)}, not {wanted.cost!r}"))
    if wanted.zone not in available_timezones():
        problems.append(FieldProblem("zone", f"{wanted.zone!r} is no IANA time zone; for example Europe/Berlin"))
    if problems:
        raise invalid(problems)
