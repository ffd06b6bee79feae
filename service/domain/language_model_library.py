"""Well-known language models: their architecture, what was published of their size, and where each was read."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from service.domain.language_model import Experts, LanguageModel, LatentAttention
from service.errors import Invalid, NotFound

LONGEST_NAME: Final = 200
"""Characters; no model is called anything longer."""
NEAREST: Final = 3
"""Names offered in place of one that nothing has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One published model, as of the day its sources were read."""

    id: str
    """`llama-3.1-70b`."""
    llm: LanguageModel
    published_total: int
    """Parameters, as published: exact where the weights were counted, else rounded as the publisher rounds."""
    published_active: int | None = None
    """Parameters a token passes through; None for a dense model, or where it is unclear how they were counted."""
    active_without_embedding: bool = False
    """The input embedding is not in `published_active`."""
    released: date | None = None
    """None where no source that was read gives the day."""
    source: str
    """Page the architecture was read from."""
    count_source: str
    """Page the total was read from."""
    active_source: str | None = None
    """Page the active count was read from, if another than `count_source`."""
    quoted: bool = False
    """`count_source` was read as quoted, with its revision, by a third party."""
    read_on: date
    aliases: tuple[str, ...] = ()
    note: str = ""
    """What the record leaves out, or how it was counted."""


def known_model(name: str) -> KnownModel:
    """The model of that id or alias, in any case, with or without its publisher: `meta-llama/Llama-3.1-70B`.

    Raises Invalid if `name` is no name at all, and NotFound, with the nearest ids, if nothing has it.

    >>> known_model("Qwen/Qwen3_32B").llm.layers
    64
    """
    if not name.strip() or len(name) > LONGEST_NAME:
        wanted = f"must be the name of a model, such as {MODELS[0].id}, of up to {LONGEST_NAME} characters"
        raise Invalid.field("model", wanted)
    found = _BY_NAME.get(_folded(name))
    if found is None:
        raise NotFound(f"no model is known as {name.strip()!r}; {_nearest(name)}")
    return found


def _nearest(name: str) -> str:
    close = get_close_matches(_folded(name), _BY_NAME, n=2 * NEAREST, cutoff=0.5)
    ids = tuple(dict.fromkeys(_BY_NAME[one].id for one in close))[:NEAREST]
    return f"the nearest are {', '.join(ids)}" if ids else f"there are {len(MODELS)}, such as {MODELS[0].id}"


def _folded(name: str) -> str:
    """A name without its publisher, case and separators; the dot of a version stays.

    >>> _folded("meta-llama/Llama-3.1_70B"), _folded("GPT OSS 120B")
    ('llama3.170b', 'gptoss120b')
    """
    bare = name.strip().casefold().rpartition("/")[2]
    return "".join(letter for letter in bare if letter not in " -_")


def _read() -> Iterator[KnownModel]:
    text = files("service.domain").joinpath("language_models.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    for record in table["model"]:
        yield _model(record, table["pages"], table["read_on"])


def _model(record: Mapping[str, Any], pages: Mapping[str, str], read_on: date) -> KnownModel:
    """One record of the file; TypeError if it has a field that nothing has."""
    fields = dict(record)
    llm = LanguageModel(
        name=fields.pop("name"),
        **fields.pop("llm"),
        experts=Experts(**fields.pop("experts")) if "experts" in record else None,
        latent_attention=LatentAttention(**fields.pop("latent_attention")) if "latent_attention" in record else None,
    )
    return KnownModel(
        llm=llm,
        published_total=fields.pop("total"),
        published_active=fields.pop("active", None),
        source=pages[fields.pop("source")],
        count_source=pages[fields.pop("count_source")],
        active_source=pages[fields.pop("active_source")] if "active_source" in record else None,
        read_on=read_on,
        aliases=tuple(fields.pop("aliases", ())),
        **fields,
    )


MODELS: Final[tuple[KnownModel, ...]] = tuple(_read())
"""Every model there is a record of."""
_BY_NAME: Final[Mapping[str, KnownModel]] = MappingProxyType(
    {_folded(name): known for known in MODELS for name in (known.id, *known.aliases)}
)
