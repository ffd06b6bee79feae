"""Whether documents can be believed as a whole: HTTP 200 is not success."""

from sqlalchemy import Connection, select

from pricing_sources.errors import Quarantined
from service.domain.refreshes import Scope
from service.store.refreshes import is_whole
from service.store.tables import refresh
from service.store.tally import Tally


class Refused(Quarantined):
    """Documents that read well and are not believed as a whole; `tally` is what was read, to be kept beside them."""

    def __init__(self, message: str, tally: Tally) -> None:
        super().__init__(message)
        self.tally = tally


class Doubted(Refused):
    """Documents that hold prices and speak against themselves as a whole; a person may release them."""


def require_a_price(source_id: str, tally: Tally) -> None:
    """Raise Refused unless the documents hold a price."""
    if tally.observed == 0:
        detail = f"; first reason: {tally.held[0].row.reason}" if tally.held else ""
        raise Refused(
            f"{source_id}: not one price in the document ({tally.rejections} rows rejected, "
            f"{tally.skipped.total()} skipped){detail}",
            tally,
        )


def coverage_doubts(connection: Connection, source_id: str, scope: Scope, observed: int) -> list[str]:
    """What the number of prices says against a look at a whole feed: there should be about as many as last time."""
    if scope not in {"feed", "seed"}:
        return []
    before: int | None = connection.scalar(
        select(refresh.c.observed)
        .where(
            refresh.c.source_id == source_id,
            refresh.c.status == "sealed",
            refresh.c.scope == scope,
            refresh.c.observed > 0,
            is_whole(),
        )
        .order_by(refresh.c.refresh_id.desc())
        .limit(1)
    )
    if before is None or observed * 2 >= before:
        return []
    return [f"only {observed} prices where the last good refresh had {before}"]
