"""Feeds of several files that lie side by side: one that cannot be had does not keep the others from being read."""

from collections.abc import Callable, Iterator, Sequence

from pricing_sources.errors import FetchFailed
from pricing_sources.source import Document, Missing


def documents_of(files: Sequence[Callable[[], Document]]) -> Iterator[Document | Missing]:
    """Ask for every file in turn; those that cannot be had are told last. Raises FetchFailed if none can be."""
    failed: list[FetchFailed] = []
    for ask in files:
        try:
            document = ask()
        except FetchFailed as failure:
            failed.append(failure)
        else:
            yield document
    if failed and len(failed) == len(files):
        raise failed[0]
    yield from (Missing(str(one)) for one in failed)
