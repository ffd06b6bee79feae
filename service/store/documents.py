"""Raw documents: the bytes kept once per content hash, and every time a feed sent them."""

import hashlib
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, insert, select

from pricing_sources.source import Document
from pricing_sources.transport import Validators
from service.errors import NotFound
from service.store.tables import document as document_table
from service.store.tables import document_fetch, refresh


def add(connection: Connection, refresh_id: int, document: Document) -> int:
    """Keep a document and say that this refresh got it; returns the id of the fetch."""
    digest = keep(connection, document.body, document.media_type)
    return _add_fetch(
        connection, refresh_id, digest, document.url, document.fetched_at, document.status, document.headers
    )


def keep(connection: Connection, body: bytes, media_type: str) -> str:
    """Keep bytes, once whoever brings them; returns their SHA-256."""
    digest = hashlib.sha256(body).hexdigest()
    known = connection.scalar(select(document_table.c.sha256).where(document_table.c.sha256 == digest))
    if known is None:
        row = {"sha256": digest, "size": len(body), "media_type": media_type, "body": zlib.compress(body, 6)}
        connection.execute(insert(document_table).values(row))
    return digest


def add_unmodified(connection: Connection, refresh_id: int, url: str, fetched_at: datetime) -> int:
    """Say that a feed confirmed what it sent before."""
    return _add_fetch(connection, refresh_id, None, url, fetched_at, 304, {})


def read(connection: Connection, sha256: str) -> Document:
    """A stored document, as it was first received. Raises NotFound."""
    query = _stored().where(document_table.c.sha256 == sha256).order_by(document_fetch.c.fetch_id).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"no document has the SHA-256 {sha256}; citations and refreshes name the ones there are")
    return _document(row)


def all_fetched(connection: Connection, fetch_ids: Collection[int]) -> tuple[Document, ...]:
    """Stored documents, as these fetches received them, in their order."""
    query = _stored().where(document_fetch.c.fetch_id.in_(fetch_ids)).order_by(document_fetch.c.fetch_id)
    return tuple(_document(row) for row in connection.execute(query))


def got_by(connection: Connection, refresh_id: int) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """The documents one refresh got, in order, and the URLs the feed confirmed to it."""
    query = _stored().where(document_fetch.c.refresh_id == refresh_id).order_by(document_fetch.c.fetch_id)
    confirmed = (
        select(document_fetch.c.url)
        .where(document_fetch.c.refresh_id == refresh_id, document_fetch.c.sha256.is_(None))
        .order_by(document_fetch.c.fetch_id)
    )
    return tuple(map(_document, connection.execute(query))), tuple(connection.scalars(confirmed))


def outdated(connection: Connection, source_id: str, parser_version: int) -> list[tuple[int, ...]]:
    """Fetches, a tuple per refresh, whose documents no parser of this version has read; oldest first."""
    by_today = (
        select(document_fetch.c.sha256)
        .join(refresh, refresh.c.refresh_id == document_fetch.c.refresh_id)
        .where(
            refresh.c.source_id == source_id,
            refresh.c.parser_version >= parser_version,
            refresh.c.status == "sealed",
            document_fetch.c.sha256.is_not(None),
        )
    )
    rows = connection.execute(
        select(document_fetch.c.refresh_id, document_fetch.c.fetch_id)
        .join(refresh, refresh.c.refresh_id == document_fetch.c.refresh_id)
        .where(
            refresh.c.source_id == source_id,
            refresh.c.parser_version < parser_version,
            refresh.c.scope != "release",
            document_fetch.c.sha256.is_not(None),
            document_fetch.c.sha256.not_in(by_today),
        )
        .order_by(document_fetch.c.fetched_at, document_fetch.c.fetch_id)
    )
    groups: dict[int, list[int]] = {}
    for row in rows:
        groups.setdefault(row.refresh_id, []).append(row.fetch_id)
    return [tuple(fetches) for fetches in groups.values()]


def validators(connection: Connection, source_id: str) -> Mapping[str, Validators]:
    """ETag and Last-Modified per URL, from the newest good look at a feed that brought documents.

    Not from a document of the past that was read once more: the feed would confirm what is long overtaken.
    """
    newest = (
        select(document_fetch.c.refresh_id)
        .join(refresh, refresh.c.refresh_id == document_fetch.c.refresh_id)
        .where(
            refresh.c.source_id == source_id,
            refresh.c.status == "sealed",
            refresh.c.scope.in_(("feed", "seed")),
            document_fetch.c.sha256.is_not(None),
        )
        .order_by(document_fetch.c.refresh_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    known = {}
    for row in connection.execute(
        select(document_fetch.c.url, document_fetch.c.headers).where(document_fetch.c.refresh_id == newest)
    ):
        headers = msgspec.json.decode(row.headers, type=dict[str, str])
        if "etag" in headers or "last-modified" in headers:
            known[row.url] = Validators(headers.get("etag", ""), headers.get("last-modified", ""))
    return known


def last_hashes(connection: Connection, source_id: str, scope: str, parser_version: int) -> tuple[str, ...]:
    """Hashes of the documents of the newest good refresh of this scope, in order; empty if there is none."""
    newest = connection.scalar(
        select(refresh.c.refresh_id)
        .where(
            refresh.c.source_id == source_id,
            refresh.c.scope == scope,
            refresh.c.status == "sealed",
            refresh.c.observed > 0,
            refresh.c.parser_version == parser_version,
        )
        .order_by(refresh.c.refresh_id.desc())
        .limit(1)
    )
    rows = connection.scalars(
        select(document_fetch.c.sha256)
        .where(document_fetch.c.refresh_id == newest, document_fetch.c.sha256.is_not(None))
        .order_by(document_fetch.c.fetch_id)
    )
    return tuple(rows)


def _stored() -> Select[Any]:
    return (
        select(
            document_table.c.body,
            document_table.c.media_type,
            document_fetch.c.url,
            document_fetch.c.fetched_at,
            document_fetch.c.http_status,
            document_fetch.c.headers,
            refresh.c.source_id,
        )
        .join(document_fetch, document_fetch.c.sha256 == document_table.c.sha256)
        .join(refresh, refresh.c.refresh_id == document_fetch.c.refresh_id)
    )


def _document(row: Row[Any]) -> Document:
    return Document(
        source_id=row.source_id,
        url=row.url,
        body=zlib.decompress(row.body),
        fetched_at=row.fetched_at,
        status=row.http_status,
        media_type=row.media_type,
        headers=msgspec.json.decode(row.headers, type=dict[str, str]),
    )


def _add_fetch(
    connection: Connection,
    refresh_id: int,
    sha256: str | None,
    url: str,
    fetched_at: datetime,
    status: int,
    headers: Mapping[str, str],
) -> int:
    inserted = connection.execute(
        insert(document_fetch)
        .values(
            refresh_id=refresh_id,
            sha256=sha256,
            url=url,
            fetched_at=fetched_at,
            http_status=status,
            headers=msgspec.json.encode(dict(sorted(headers.items()))).decode(),
        )
        .returning(document_fetch.c.fetch_id)
    )
    return int(inserted.scalar_one())
