"""The layer table of docs/architecture.md holds: each folder imports what it may, and no more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from opora.home import PROJECT

# The command line alone starts what lies above the domain.
COMMANDS = PROJECT / "opora" / "cli"


def allowed() -> dict[str, set[str]]:
    """Folder → folders it may import, as the page says."""
    page = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## Layers")[2].partition("Why so:")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| `")]
    layers: dict[str, set[str]] = {}
    for folder, _, imports in rows:
        if imports == "—":  # no Python
            continue
        known = {name for name in layers if f"`{name}`" in imports}
        layers[folder.strip("`/")] = set(layers) if imports == "all of the above" else known
    return layers


def imported(path: Path) -> Iterator[str]:
    """The first parts of all modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.split(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.split(".")[0]


def test_the_page_names_the_layers() -> None:
    layers = allowed()
    assert layers["opora"] == {"schemas"}
    assert layers["assets"] == {"opora", "resources", "schemas"}
    assert layers["schemas"] == set()


@pytest.mark.parametrize("folder", ["schemas", "opora", "dashboards", "resources", "assets", "pipelines"])
def test_a_layer_imports_what_it_may(folder: str) -> None:
    layers = allowed()
    files = [path for path in (PROJECT / folder).rglob("*.py") if COMMANDS not in path.parents]
    assert files
    wrong = {
        f"{path.relative_to(PROJECT)}: {name}"
        for path in files
        for name in imported(path)
        if name in set(layers) - {folder} - layers[folder]
    }
    assert not wrong
