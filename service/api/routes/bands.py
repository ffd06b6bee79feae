"""How sure estimates are, and their differences."""

from typing import Annotated

from fastapi import Query, Response

from service.api.deps import NowDep, StoreDep
from service.api.wire import Text, answer, door
from service.domain.band import DEFAULT_DRAWS, DEFAULT_SEED, DifferenceBand, EstimateBand
from service.usecases.bands import estimate_band
from service.usecases.comparisons import difference_band

router = door("estimates")

Draws = Annotated[int, Query(description="0 for the point estimate itself, or 100 to 20,000.")]
Seed = Annotated[int, Query(description="The same seed gives the same bytes.")]


@router.get("/estimates/{estimate}/band", response_model=EstimateBand, summary="Get the band of an estimate")
def band(
    store: StoreDep, now: NowDep, estimate: str, draws: Draws = DEFAULT_DRAWS, seed: Seed = DEFAULT_SEED
) -> Response:
    """P10, P50 and P90 of the total and of each part, what each input does to them, and what is held fixed."""
    return answer(estimate_band(store, estimate, draws, seed, now=now))


@router.get("/bridges/band", response_model=DifferenceBand, summary="Get the band of a difference")
def band_of_difference(
    store: StoreDep, before: Text, after: Text, draws: Draws = DEFAULT_DRAWS, seed: Seed = DEFAULT_SEED
) -> Response:
    """P10, P50 and P90 of what the later one costs more; an input both have is drawn once for both."""
    return answer(difference_band(store, before, after, draws, seed))
