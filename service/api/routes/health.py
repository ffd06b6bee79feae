"""Whether the process lives, and whether it can do its work."""

from fastapi import Request, Response

from service.api.deps import StoreDep
from service.api.shapes import Health
from service.api.wire import answer, door
from service.errors import Unavailable
from service.store.schema import require_current

router = door("health", under="")


@router.get("/livez", response_model=Health, summary="Is the process alive?")
async def live() -> Response:
    """Answers as long as the process serves at all; asks nothing of the database."""
    return answer(Health(status="live"))


@router.get("/readyz", response_model=Health, summary="Can it do its work?")
def ready(request: Request, store: StoreDep) -> Response:
    """Ready means: the database answers, its schema is ours, and the scheduler inside, if any, is ticking."""
    require_current(store)
    scheduler = request.app.state.scheduler
    if scheduler is not None and not scheduler.healthy():
        raise Unavailable("the scheduler inside this server has stopped ticking; restart the server")
    return answer(Health(status="ready"))
