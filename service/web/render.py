"""Templates to HTML: everything escaped, nothing undefined."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.web import looks

HERE: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(
    money=looks.money,
    number=looks.number,
    moment=looks.moment,
    span=looks.span,
    share=looks.share,
    web_address=looks.web_address,
    path=looks.path,
    words=looks.words,
)


def page(request: Request, template: str, now: datetime, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; `here` is its path, for the navigation."""
    text = _TEMPLATES.get_template(template).render(here=request.url.path, now=now, **values)
    return HTMLResponse(text, status_code=status)
