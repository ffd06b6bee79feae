"""Files people name on the command line."""

import sys
from contextlib import nullcontext
from pathlib import Path

from service.errors import Invalid
from service.usecases.scenario_files import LARGEST


def text_of(file: Path, noun: str) -> str:
    """The text of a file, or of standard input for `-`. Raises Invalid naming `noun`."""
    try:
        return bytes_of(file, noun, LARGEST).decode()
    except UnicodeDecodeError as error:
        raise Invalid.field(noun, f"{file} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def bytes_of(file: Path, noun: str, largest: int) -> bytes:
    """The bytes of a file or of standard input, one more than `largest` at most. Raises Invalid naming `noun`."""
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb") as opened:
            return opened.read(largest + 1)
    except OSError as error:
        raise Invalid.field(noun, f"{file} cannot be read: {error.strerror}") from error
