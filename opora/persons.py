"""Personal identity becomes a keyed hash while a file is read; the words themselves go no further.

What belongs here: the secret and the hash. What does not: which columns of a layout are personal (the
layout says so) and what attempts are joined by the hash (dbt).
"""

from __future__ import annotations

import hashlib
import os

import duckdb
import polars as pl

SECRET = "OPORA_PERSON_SECRET"
_BLOCK = 64


class SecretMissing(Exception):
    """A file with personal identity came and no secret is set."""


def secret_from_environment() -> str:
    """The secret that keys the hashes. Raises SecretMissing where it is not set."""
    secret = os.environ.get(SECRET, "")
    if not secret:
        raise SecretMissing(SECRET)
    return secret


def secret_is_set() -> bool:
    return bool(os.environ.get(SECRET))


def keyed_hash(values: pl.Series, secret: str) -> pl.Series:
    """HMAC-SHA256 (RFC 2104) of each text, as 32 hexadecimal digits; null stays null.

    DuckDB does the hashing, so no Python loop runs over participants.
    """
    key = secret.encode("utf-8")
    key = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
    people = pl.DataFrame({"value": values.cast(pl.String)}).to_arrow()  # noqa: F841 - DuckDB reads it by name
    with duckdb.connect() as connection:
        query = (
            "select left(sha256($outer::blob || unhex(sha256($inner::blob || encode(value)))), 32) as value from people"
        )
        hashed = connection.execute(query, {"inner": inner, "outer": outer}).pl()
    return hashed["value"].alias(values.name)
