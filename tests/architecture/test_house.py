"""The house rules that a machine can hold."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("service", "pricing_sources")
FILE_LINES, FUNCTION_LINES = 400, 40
TOP_LEVEL = {
    "alembic", "benchmarks", "docker-compose.yml", "docs", "Dockerfile", "LICENSE", "Makefile", "pricing_sources",
    "pyproject.toml", "README.md", "requirements-dev.lock", "requirements.lock", "service", "tests",
}  # fmt: skip


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_room_uses_only_the_rooms_below_it() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("package", sorted({path.parent for path in modules()}), ids=name_of)
def test_every_package_has_its_room_card(package: Path) -> None:
    card = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    for words in ("Lives here:", "Comes in:", "Goes out:", "May not:"):
        assert words in card, f"{name_of(package)}/__init__.py lacks '{words}'"


def test_no_file_is_too_long_to_read() -> None:
    long = [name_of(path) for path in modules() if path.read_text().count("\n") > FILE_LINES]
    assert long == []


def test_no_function_is_too_long_to_read() -> None:
    long = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and _length(node) > FUNCTION_LINES:
                long.append(f"{name_of(path)}:{node.lineno} {node.name} ({_length(node)})")
    assert long == []


def _length(node: ast.FunctionDef) -> int:
    docstring = ast.get_docstring(node, clean=False)
    return (node.end_lineno or 0) - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)


def test_migrations_need_none_of_our_code() -> None:
    for path in (ROOT / "alembic" / "versions").glob("*.py"):
        assert not re.search(r"(service|pricing_sources)\b.*import|import (service|pricing_sources)", path.read_text())


def test_the_folder_of_migrations_does_not_hide_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_lock_files_carry_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pinned = re.findall(r"^([\w.\[\]-]+)==", text, flags=re.MULTILINE)
        assert len(pinned) > 30
        assert text.count("--hash=sha256:") >= len(pinned)


def test_the_lock_files_hold_every_dependency_we_declare() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[\[<>=,]", line)[0] for line in project["dependencies"]}
    for name in ("requirements.lock", "requirements-dev.lock"):
        pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / name).read_text(), flags=re.MULTILINE))
        assert declared - pinned == set()


def test_the_top_level_is_the_agreed_one() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    stray = {path.split("/")[0] for path in tracked if not path.startswith(".")} - TOP_LEVEL
    assert stray == set()
