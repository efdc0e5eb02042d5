"""Personal identity becomes a keyed hash."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opora.persons import SECRET, SecretMissing, keyed_hash, secret_from_environment


@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=5), st.text(min_size=1, max_size=100))
@settings(max_examples=30)
def test_the_hash_is_hmac_sha256_of_any_key(values: list[str | None], secret: str) -> None:
    expected = [
        None if value is None else hmac.new(secret.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]
        for value in values
    ]
    assert keyed_hash(pl.Series("who", values, pl.String), secret).to_list() == expected


def test_another_secret_gives_other_hashes() -> None:
    one = pl.Series(["4512678901"])
    assert keyed_hash(one, "первый").item() != keyed_hash(one, "второй").item()


def test_a_missing_secret_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "")
    with pytest.raises(SecretMissing):
        secret_from_environment()
