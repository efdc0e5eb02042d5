"""The list by a bare DuckDB script. `python benchmarks/analyst_duckdb.py LANDING OUTPUT [--keep]`; see `analyst.py`.

With `--keep` every cell of every participant is written as Parquet too, as the lake keeps it, and counted from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import fastexcel
import polars as pl
from analyst import ABSENT, ENOUGH, RESULT, VPR, Count, files, works, write_list


def _source(connection: duckdb.DuckDBPyConnection, landing: Path, year: str, key: str) -> str:
    csvs, parquets, books = files(landing, year, key)
    options = "delim = ';', header = true, all_varchar = true, union_by_name = true, quote = '\"'"
    parts = []
    if csvs:
        parts.append(f"from read_csv({csvs}, {options}, skip = {int(key[:3] in RESULT)})")
    if parquets:
        parts.append(f"from read_parquet({parquets})")
    if books:
        frames = [fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars() for path in books]
        connection.register("books", pl.concat(frames, how="diagonal").to_arrow())
        parts.append("from books")
    return " union all by name ".join(parts)


def main(landing: Path, output: Path, keep: bool) -> None:
    """Count with DuckDB, then write the list."""
    counts: list[Count] = []
    with duckdb.connect(config={"temp_directory": str(output / "spill")}) as connection:
        connection.execute("set preserve_insertion_order = false")
        for year, key in works(landing, everything=keep):
            if not (source := _source(connection, landing, year, key)):
                continue
            if keep:
                target = output / f"{year}-{key}.parquet"
                connection.execute(f"copy ({source}) to '{target}' (format parquet, compression zstd)")
                source = f"from read_parquet('{target}')"
            if key not in ENOUGH:
                continue
            if key[:3] in RESULT:
                query = f"""
                    select distinct substr("Код ОО", 2) as login, "Код участника" as code,
                           try_cast("{RESULT[key[:3]]}" as int) as result
                    from ({source}) where "Код ОО" is not null
                """
            else:
                login, code, variant, total = VPR[year]
                query = f"""
                    select distinct regexp_extract("{login}", '^(?:edu|sch)(\\d{{6}})$', 1) as login,
                           "{code}" as code, try_cast("{total}" as int) as result
                    from ({source}) where "{variant}" <> '{ABSENT}' and login <> ''
                """
            counts += connection.execute(f"""
                select '{year}', login, '{key}', count(*), count(*) filter (where result < {ENOUGH[key]})
                from ({query}) where result >= 0 group by login
            """).fetchall()
    write_list(counts, landing, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--keep" in sys.argv)
