"""The list and the marts of tasks by a bare DuckDB script; see `analyst.py`.

Usage: `python benchmarks/analyst_duckdb.py LANDING OUTPUT`
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import fastexcel
import polars as pl
from analyst import (
    ABSENT,
    ENOUGH,
    LEVELS,
    LOGIN,
    NOT_ATTEMPTED,
    PLACE,
    RESULT,
    VPR,
    Count,
    Z,
    files,
    greatest,
    works,
    write_list,
)

SHARE = "sum(points) / sum(max_points)"
WILSON = f"""
    ({SHARE} * sum(answers) + {Z**2} / 2 {{sign}} {Z} * sqrt({SHARE} * (1 - {SHARE}) * sum(answers) + {Z**2} / 4))
    / (sum(answers) + {Z**2})
"""


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


def _exam(key: str, source: str) -> str:
    return f"""
        select distinct substr("Код ОО", 2) as login, "Код участника" as code,
               try_cast("{RESULT[key[:3]]}" as int) as result
        from ({source}) where "Код ОО" is not null and result >= 0
    """


def _work(year: str, source: str, tasks: dict[str, int]) -> str:
    login, code, variant, total = VPR[year]
    municipality, class_name = (f'"{name}"' for name in PLACE[year]) if tasks else ("null", "null")
    answers = ", ".join(f'"{name}"' for name in tasks)
    return f"""
        select distinct on (login, code) regexp_extract("{login}", '{LOGIN}', 1) as login, "{code}" as code,
               try_cast("{total}" as int) as result,
               {municipality} as municipality, {class_name} as class, [{answers}] as answers
        from ({source}) where "{variant}" <> '{ABSENT}' and login <> '' and result >= 0
    """


def _points(score: str) -> str:
    return f"case {score} when '{NOT_ATTEMPTED}' then 0 else try_cast({score} as int) end"


def _write_tasks(connection: duckdb.DuckDBPyConnection, tasks: dict[str, int], output: Path, name: str) -> None:
    """Tasks by class, school, municipality and region, and participants with what each has to learn again."""
    levels = ", ".join(f"({', '.join([*level, 'task'])})" for level in LEVELS)
    known = pl.DataFrame({"task": list(tasks), "top": list(tasks.values())}).with_row_index("place", 1)
    connection.register("known", known.to_arrow())
    connection.execute(f"""
        create or replace temp table counted as
        with answer as (
            select login, municipality, class, unnest(answers) as score, generate_subscripts(answers, 1) as place
            from work
        ), same as (select *, {_points("score")} as points, count(*) as pupils from answer group by all)
        select left(login, 2) as region, municipality, login, class, place, task, top, sum(pupils) as answers,
               sum(pupils * points) as points, sum(pupils * top) as max_points
        from same join known using (place) where points <= top group by all
    """)
    connection.execute(f"""
        copy (
            select region, municipality, login, class, task, sum(answers) as answers, sum(points) as points,
                   sum(max_points) as max_points, {SHARE} as share,
                   {WILSON.format(sign="-")} as low, {WILSON.format(sign="+")} as high
            from counted
            group by grouping sets ({levels})
            order by region, municipality, login, class, task
        ) to '{output / f"tasks-{name}.parquet"}' (format parquet, compression zstd)
    """)
    connection.execute(f"""
        copy (
            with share as (
                select region, place, task, top, {SHARE} as share from counted group by region, place, task, top
            ), told as (
                select region, list({{'task': task, 'place': place, 'top': top, 'share': share}} order by place) tasks
                from share group by region
            ), answered as (
                select login, code, class, [
                    {{'task': t.task, 'top': t.top, 'share': t.share, 'points': {_points("answers[t.place]")}}}
                    for t in tasks
                ] as answers
                from work join told on left(login, 2) = region
            ), counting as (
                select login, code, class, [a for a in answers if a.points <= a.top] as answers from answered
            )
            select login, code, class, list_sum([a.points for a in answers]) as points,
                   list_sum([a.top for a in answers]) as max_points, points / max_points as share,
                   list_sum([a.top * a.share for a in answers]) / max_points as region_share,
                   len([a for a in answers if a.points * 2 < a.top]) as deficits,
                   array_to_string([a.task for a in answers if a.points * 2 < a.top], '; ') as deficit_tasks
            from counting order by login, code
        ) to '{output / f"pupils-{name}.parquet"}' (format parquet, compression zstd)
    """)


def main(landing: Path, output: Path) -> None:
    """Count with DuckDB, then write the list."""
    counts: list[Count] = []
    with duckdb.connect(config={"temp_directory": str(output / "spill")}) as connection:
        connection.execute("set preserve_insertion_order = false")
        for year, key in works(landing):
            if not (source := _source(connection, landing, year, key)):
                continue
            name = f"{year}-{key}"
            connection.execute(f"copy ({source}) to '{output / f'{name}.parquet'}' (format parquet, compression zstd)")
            source = f"from read_parquet('{output / f'{name}.parquet'}')"
            tasks = greatest(str(row[0]) for row in connection.execute(f"describe {source}").fetchall())
            query = _exam(key, source) if key[:3] in RESULT else _work(year, source, tasks)
            connection.execute(f"create or replace temp table work as {query}")
            if key in ENOUGH:
                counts += connection.execute(f"""
                    select '{year}', login, '{key}', count(*), count(*) filter (where result < {ENOUGH[key]})
                    from work group by login
                """).fetchall()
            if key[:3] in RESULT:
                continue
            connection.execute(f"""
                copy (select login, result as score, count(*) as pupils from work group by all order by all)
                to '{output / f"scores-{name}.parquet"}' (format parquet, compression zstd)
            """)
            if tasks:
                _write_tasks(connection, tasks, output, name)
    write_list(counts, landing, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
