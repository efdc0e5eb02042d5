"""The guide in Russian: its queries run on a release and find something; its lists are those of the code."""

from __future__ import annotations

import re

import pytest

from opora.documents.docx import fields_of
from opora.documents.kinds import SHAPES
from opora.home import PROJECT
from tests.conftest import Region

GUIDE = PROJECT / "docs" / "ru"
QUERIES = re.findall(r"^## (\d+)\. .*?^```sql\n(.*?)^```", (GUIDE / "queries.md").read_text("utf-8"), re.DOTALL | re.M)


def test_there_are_ten_queries() -> None:
    assert [number for number, _ in QUERIES] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize(("number", "query"), QUERIES)
def test_a_query_finds_something_in_the_synthetic_region(demo_region: Region, number: str, query: str) -> None:
    with demo_region.marts() as marts:
        assert marts.execute(query).fetchall(), number


def test_fields_of_templates_are_told() -> None:
    page = (GUIDE / "documents.md").read_text("utf-8")
    told = {
        kind: {field for line in block.splitlines() for field in re.findall(r"`([a-z_.\[\]]+)`", line)}
        for kind, block in re.findall(r"^### `([a-z]+)\.docx`(.*?)(?=^###? |\Z)", page, re.DOTALL | re.M)
    }
    assert set(told) == {shape.kind for shape in SHAPES}
    for shape in SHAPES:
        columns = {f"{s.key}.rows[].{c.key}" for s in shape.sections for c in s.columns}
        sections = {s.key for s in shape.sections}
        assert told[shape.kind] == columns | sections, shape.kind
    head = next(iter(fields_of(SHAPES[0]).values()))
    assert all(f"`{field}`" in page for field in head)


def test_pictures_are_small_and_described() -> None:
    for page in GUIDE.glob("*.md"):
        for alt, name in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text("utf-8")):
            assert len(alt) > 20, name
            assert (page.parent / name).stat().st_size <= 150_000, name
