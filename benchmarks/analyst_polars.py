"""The list by a Polars script. `python benchmarks/analyst_polars.py LANDING OUTPUT [--keep]`; see `analyst.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from analyst import ABSENT, ENOUGH, RESULT, VPR, Count, files, works, write_list


def _source(landing: Path, year: str, key: str) -> pl.LazyFrame | None:
    csvs, parquets, books = files(landing, year, key)
    parts = []
    if csvs:
        parts.append(pl.scan_csv(csvs, separator=";", infer_schema=False, skip_rows=int(key[:3] in RESULT)))
    if parquets:
        parts.append(pl.scan_parquet(parquets))
    parts += [pl.read_excel(path, infer_schema_length=0).lazy() for path in books]
    return pl.concat(parts, how="diagonal") if parts else None


def main(landing: Path, output: Path, keep: bool) -> None:
    """Count with Polars, then write the list."""
    counts: list[Count] = []
    for year, key in works(landing, everything=keep):
        frame = _source(landing, year, key)
        if frame is None:
            continue
        if keep:
            target = output / f"{year}-{key}.parquet"
            frame.sink_parquet(target, compression="zstd")
            frame = pl.scan_parquet(target)
        if key not in ENOUGH:
            continue
        if key[:3] in RESULT:
            rows = frame.select(
                pl.col("Код ОО").str.slice(1).alias("login"),
                pl.col("Код участника").alias("code"),
                pl.col(RESULT[key[:3]]).cast(pl.Int64, strict=False).alias("result"),
            )
        else:
            login, code, variant, total = VPR[year]
            rows = frame.filter(pl.col(variant) != ABSENT).select(
                pl.col(login).str.extract(r"^(?:edu|sch)(\d{6})$", 1).alias("login"),
                pl.col(code).alias("code"),
                pl.col(total).cast(pl.Int64, strict=False).alias("result"),
            )
        counted = (
            rows.filter(pl.col("login").is_not_null() & (pl.col("result") >= 0))
            .unique()
            .group_by("login")
            .agg(pl.len().alias("participants"), (pl.col("result") < ENOUGH[key]).sum().alias("below"))
            .collect(engine="streaming")
        )
        counts += [(year, login, key, n, below) for login, n, below in counted.rows()]
    write_list(counts, landing, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--keep" in sys.argv)
