"""Raw documents: the bytes a price was read from, as they were received."""

import re
from typing import Annotated

from fastapi import Path, Response

from service.api.deps import StoreDep
from service.api.wire import door
from service.usecases.prices import get_document

router = door("documents")


@router.get(
    "/documents/{sha256}",
    summary="Get a raw document",
    response_class=Response,
    responses={200: {"description": "The document's bytes.", "content": {"application/octet-stream": {}}}},
)
def read(
    store: StoreDep, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="As a citation names it.")]
) -> Response:
    """The bytes a feed sent, unchanged; always offered as a file, never shown as a page of ours."""
    document = get_document(store, sha256)
    known_type = re.fullmatch(r"[\w.+-]+/[\w.+-]+", document.media_type.partition(";")[0].strip())
    return Response(
        document.body,
        media_type=known_type[0] if known_type else "application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{document.source_id}-{sha256[:12]}"',
            "ETag": f'"{sha256}"',
            "Cache-Control": "public, max-age=31536000, immutable",
        },
    )
