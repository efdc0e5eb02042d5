"""What Opora remembers of a delivery: the record of a file and the issues found in it.

What belongs here: the record, the issue, and how they are stored and read back. What does not: how a
file is recognised or mapped (`opora/layouts/`, `opora/intake.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from opora.home import Home, write_json, write_whole

Status = Literal["accepted", "accepted_with_quarantine", "refused"]
NON_DATA = ("absent", "group", "footer", "blank", "total", "suppressed")

ISSUE_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "file_name": pl.String(),
    "sheet": pl.String(),
    "source_row": pl.Int64(),
    "column_name": pl.String(),
    "value": pl.String(),
    "check_id": pl.String(),
    "severity": pl.String(),
    "reason_ru": pl.String(),
    "remedy_ru": pl.String(),
    "academic_year": pl.String(),
}


class RowCounts(BaseModel):
    """Where every row of a file went. `rows_in` is the sum of all others."""

    model_config = ConfigDict(extra="forbid")

    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0
    absent: int = 0
    group: int = 0
    footer: int = 0
    blank: int = 0
    total: int = 0
    suppressed: int = 0

    def add(self, fate: str, rows: int) -> None:
        """Count rows of one fate: `accepted`, `quarantined` or a kind of non-data."""
        setattr(self, fate, getattr(self, fate) + rows)
        self.rows_in += rows

    @property
    def adds_up(self) -> bool:
        return self.rows_in == self.accepted + self.quarantined + self.non_data

    @property
    def non_data(self) -> int:
        return sum(getattr(self, kind) for kind in NON_DATA)


class TaskColumn(BaseModel):
    """One task column of a work in a protocol: its place in `task_scores`, and what its header says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assessment: str
    subject_id: str
    test_grade: int
    measured_year: str
    position: int
    label: str | None
    max_score: int | None = Field(description="greatest score, where the header names it")


class Purge(BaseModel):
    """The removal of an original: who removed which bytes from where, when and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: datetime
    by: str
    reason_ru: str
    sha256: str
    paths: list[str]


class DeliveryRecord(BaseModel):
    """One received file: what it was taken for, where its rows went, and when it came."""

    model_config = ConfigDict(extra="forbid")

    delivery_id: str
    sha256: str
    size_bytes: int
    paths: list[str] = Field(description="every path below landing/ under which these bytes were seen")
    received_at: datetime
    modified_at: datetime
    status: Status
    layout_ids: list[str] = []
    intake_version: str
    academic_years: list[str] = Field(default=[], description="measured years, or `undated`")
    parts: list[tuple[str, str]] = Field(default=[], description="table and measured year of each part of the lake")
    part_sha256: dict[str, str] = Field(default={}, description="checksum of each part, by its path below lake/")
    noted: str = Field(default="", description="what a delivery note said of the file")
    tables: dict[str, int] = Field(default={}, description="rows given to each lake table")
    rows: RowCounts = RowCounts()
    task_columns: list[TaskColumn] = Field(default=[], description="task columns of protocols, by work and place")
    issues: dict[str, int] = Field(default={}, description="number of issues by check")
    message_ru: str = ""
    replaced_by: str | None = Field(default=None, description="the delivery now found at the same path")
    purged: list[Purge] = Field(default=[], description="removals of its original; what was read stays")

    @property
    def file_name(self) -> str:
        return self.paths[0]


def record_path(home: Home, delivery_id: str) -> Path:
    return home.deliveries / f"{delivery_id}.json"


def write_record(home: Home, record: DeliveryRecord) -> None:
    write_json(record_path(home, record.delivery_id), record.model_dump(mode="json"))


def read_records(home: Home) -> dict[str, DeliveryRecord]:
    """All records by delivery_id, in the order the files came."""
    records = [
        DeliveryRecord.model_validate_json(path.read_text(encoding="utf-8"))
        for path in sorted(home.deliveries.glob("*.json"))
    ]
    records.sort(key=lambda record: (record.received_at, record.modified_at, record.file_name))
    return {record.delivery_id: record for record in records}


def write_issues(home: Home, delivery_id: str, issues: pl.DataFrame) -> None:
    """Keep the issues of a delivery; none leaves no file."""
    path = home.quarantine / f"{delivery_id}.parquet"
    if issues.is_empty():
        path.unlink(missing_ok=True)
    else:
        write_whole(path, issues.select(list(ISSUE_SCHEMA)).write_parquet)


def read_issues(home: Home, delivery_ids: Iterable[str] | None = None) -> pl.DataFrame:
    """The issues of the named deliveries, or of all."""
    wanted = None if delivery_ids is None else set(delivery_ids)
    files = [path for path in sorted(home.quarantine.glob("*.parquet")) if wanted is None or path.stem in wanted]
    empty = pl.DataFrame(schema=ISSUE_SCHEMA)
    return pl.concat([empty, *(pl.read_parquet(path) for path in files)])
