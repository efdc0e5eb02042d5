"""Looking for words in everything that lies in a home folder, whatever kind of file holds them.

What belongs here: files as searchable text. What does not: which words are looked for.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl

from opora.home import Home

# Digests, and fractions of a second: they hold any digits.
_CHANCE = re.compile(r"[0-9a-f]{12,64}|(?<=:[0-9]{2})\.[0-9]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def traces(home: Home, words: Iterable[str]) -> list[str]:
    """Files below the home, but what was landed, in whose name or content one of the words can be found."""
    wanted = [word.lower() for word in words]
    found = []
    for path in sorted(home.root.rglob("*")):
        if home.landing in path.parents or not path.is_file() or path.is_symlink():
            continue
        text = f"{path.relative_to(home.root)}\n{_text(path)}".lower()
        found += [f"{path.relative_to(home.root)}: {word}" for word in wanted if word in text]
    return found


def _text(path: Path) -> str:
    """What a file says, less what chance says; escapes of JSON and HTML are resolved."""
    if path.suffix == ".parquet":
        text = _rows(pl.read_parquet(path, hive_partitioning=False))
    elif path.suffix == ".duckdb":
        text = _database(path)
    else:
        raw = path.read_bytes()
        text = raw.decode("utf-8", "ignore") + (raw.decode("utf-16-le", "ignore") if b"\0" in raw[:100] else "")
    text = _ESCAPE.sub(lambda escaped: chr(int(escaped[1], 16)), text)
    return _CHANCE.sub("", html.unescape(text))


def _rows(frame: pl.DataFrame) -> str:
    """All texts of a frame, each once."""
    texts = (
        frame.get_column(name).explode() if isinstance(dtype, pl.List) else frame.get_column(name)
        for name, dtype in frame.schema.items()
    )
    return "\n".join("\n".join(text.cast(pl.String, strict=False).unique().drop_nulls()) for text in texts)


def _database(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        return "\n".join(_rows(connection.execute(f'select * from "{s}"."{t}"').pl()) for s, t in names)
