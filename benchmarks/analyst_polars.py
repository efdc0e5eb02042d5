"""The list and the marts of tasks by a Polars script; see `analyst.py`.

Usage: `python benchmarks/analyst_polars.py LANDING OUTPUT`
"""

from __future__ import annotations

import sys
from pathlib import Path

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


def _source(landing: Path, year: str, key: str) -> pl.LazyFrame | None:
    csvs, parquets, books = files(landing, year, key)
    parts = []
    if csvs:
        parts.append(pl.scan_csv(csvs, separator=";", infer_schema=False, skip_rows=int(key[:3] in RESULT)))
    if parquets:
        parts.append(pl.scan_parquet(parquets))
    parts += [pl.read_excel(path, infer_schema_length=0).lazy() for path in books]
    return pl.concat(parts, how="diagonal") if parts else None


def _exam(key: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    rows = frame.select(
        login=pl.col("Код ОО").str.slice(1),
        code=pl.col("Код участника"),
        result=pl.col(RESULT[key[:3]]).cast(pl.Int64, strict=False),
    )
    return rows.filter(pl.col("login").is_not_null() & (pl.col("result") >= 0)).unique()


def _work(year: str, frame: pl.LazyFrame, tasks: dict[str, int]) -> pl.LazyFrame:
    login, code, variant, total = VPR[year]
    place = dict(zip(("municipality", "class"), PLACE[year], strict=True)) if tasks else {}
    rows = frame.filter(pl.col(variant) != ABSENT).select(
        *(_points(name, top) for name, top in tasks.items()),
        login=pl.col(login).str.extract(LOGIN, 1),
        code=pl.col(code),
        result=pl.col(total).cast(pl.Int64, strict=False),
        **{name: pl.col(column) for name, column in place.items()},
    )
    return rows.filter(pl.col("login").is_not_null() & (pl.col("result") >= 0)).unique(["login", "code"])


def _points(name: str, top: int) -> pl.Expr:
    """Points of a task; none where the cell is no score of it."""
    points = pl.col(name).replace(NOT_ATTEMPTED, "0").cast(pl.Int64, strict=False)
    return pl.when(points <= top).then(points).alias(name)


def _wilson(sign: int) -> pl.Expr:
    n, share = pl.col("answers"), pl.col("share")
    return (share * n + Z**2 / 2 + sign * Z * (share * (1 - share) * n + Z**2 / 4).sqrt()) / (n + Z**2)


def _write_tasks(rows: pl.DataFrame, tasks: dict[str, int], output: Path, name: str) -> None:
    """Tasks by class, school, municipality and region, and participants with what each has to learn again."""
    work = rows.lazy().with_columns(region=pl.col("login").str.slice(0, 2))
    answers = (
        work.group_by(LEVELS[0])
        .agg(pl.col(*tasks).count())
        .unpivot(list(tasks), index=LEVELS[0], variable_name="task", value_name="answers")
    )
    points = (
        work.group_by(LEVELS[0])
        .agg(pl.col(*tasks).sum())
        .unpivot(list(tasks), index=LEVELS[0], variable_name="task", value_name="points")
    )
    counted = (
        answers.join(points, on=[*LEVELS[0], "task"])
        .with_columns(max_points=pl.col("answers") * pl.col("task").replace_strict(tasks, return_dtype=pl.Int64))
        .collect()
    )
    levels = [counted.group_by(*level, "task").agg(pl.col("answers", "points", "max_points").sum()) for level in LEVELS]
    told = (
        pl.concat(levels, how="diagonal")
        .with_columns(share=pl.col("points") / pl.col("max_points"))
        .with_columns(low=_wilson(-1), high=_wilson(1))
        .sort(*LEVELS[0], "task")
    )
    told.write_parquet(output / f"tasks-{name}.parquet", compression="zstd")
    shares = (
        levels[-1]
        .with_columns(share=pl.col("points") / pl.col("max_points"))
        .pivot("task", index="region", values="share")
    )
    shares = shares.rename({task: f"share {task}" for task in tasks})
    tops = {task: pl.when(pl.col(task).is_not_null()).then(top) for task, top in tasks.items()}
    is_deficit = {task: pl.col(task) * 2 < top for task, top in tasks.items()}
    pupils = work.join(shares.lazy(), on="region").select(
        "login",
        "code",
        "class",
        points=pl.sum_horizontal(*tasks),
        max_points=pl.sum_horizontal(*tops.values()),
        share=pl.sum_horizontal(*tasks) / pl.sum_horizontal(*tops.values()),
        region_share=pl.sum_horizontal(top * pl.col(f"share {task}") for task, top in tops.items())
        / pl.sum_horizontal(*tops.values()),
        deficits=pl.sum_horizontal(*is_deficit.values()),
        deficit_tasks=pl.concat_str(
            [pl.when(is_low).then(pl.lit(task)) for task, is_low in is_deficit.items()],
            separator="; ",
            ignore_nulls=True,
        ),
    )
    pupils.sort("login", "code").sink_parquet(output / f"pupils-{name}.parquet", compression="zstd")


def main(landing: Path, output: Path) -> None:
    """Count with Polars, then write the list."""
    counts: list[Count] = []
    for year, key in works(landing):
        frame = _source(landing, year, key)
        if frame is None:
            continue
        name = f"{year}-{key}"
        frame.sink_parquet(output / f"{name}.parquet", compression="zstd")
        frame = pl.scan_parquet(output / f"{name}.parquet")
        is_exam = key[:3] in RESULT
        tasks = {} if is_exam else greatest(frame.collect_schema().names())
        rows = (_exam(key, frame) if is_exam else _work(year, frame, tasks)).collect(engine="streaming")
        if key in ENOUGH:
            below = (pl.col("result") < ENOUGH[key]).sum()
            counted = rows.group_by("login").agg(pl.len().alias("participants"), below.alias("below"))
            counts += [(year, login, key, n, few) for login, n, few in counted.rows()]
        if is_exam:
            continue
        scores = rows.group_by("login", score="result").agg(pupils=pl.len()).sort("login", "score")
        scores.write_parquet(output / f"scores-{name}.parquet", compression="zstd")
        if tasks:
            _write_tasks(rows, tasks, output, name)
    write_list(counts, landing, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
