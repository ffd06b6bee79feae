"""Which pieces of a feed's archive are in the log."""

from sqlalchemy import Connection, insert, select

from service.store.tables import chapter_read


def sealed(connection: Connection, source_id: str) -> frozenset[str]:
    """Names of the chapters that were read and sealed."""
    return frozenset(
        connection.scalars(select(chapter_read.c.chapter).where(chapter_read.c.source_id == source_id)).all()
    )


def mark_sealed(connection: Connection, source_id: str, chapter: str, refresh_id: int) -> None:
    """Say that a chapter is in the log."""
    connection.execute(insert(chapter_read).values(source_id=source_id, chapter=chapter, refresh_id=refresh_id))
