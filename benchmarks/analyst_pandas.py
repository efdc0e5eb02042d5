"""The list and the marts of tasks as an analyst writes them with pandas; see `analyst.py`.

Usage: `python benchmarks/analyst_pandas.py LANDING OUTPUT`
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
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


def _source(landing: Path, year: str, key: str) -> pd.DataFrame | None:
    csvs, parquets, books = files(landing, year, key)
    skip = int(key[:3] in RESULT)
    parts = [pd.read_csv(path, sep=";", dtype=str, skiprows=skip) for path in csvs]
    parts += [pd.read_parquet(path) for path in parquets]
    parts += [pd.read_excel(path, dtype=str) for path in books]
    return pd.concat(parts) if parts else None


def _exam(key: str, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame[frame["Код ОО"].notna()]
    result = pd.to_numeric(frame[RESULT[key[:3]]], errors="coerce")
    rows = pd.DataFrame({"login": frame["Код ОО"].str[1:], "code": frame["Код участника"], "result": result})
    return rows[rows["result"] >= 0].drop_duplicates()


def _work(year: str, frame: pd.DataFrame, tasks: dict[str, int]) -> pd.DataFrame:
    login, code, variant, total = VPR[year]
    frame = frame[frame[variant].notna() & (frame[variant] != ABSENT)]
    rows = pd.DataFrame(
        {
            "login": frame[login].str.extract(LOGIN, expand=False),
            "code": frame[code],
            "result": pd.to_numeric(frame[total], errors="coerce"),
        }
    )
    if tasks:
        rows[["municipality", "class"]] = frame[list(PLACE[year])]
        rows[list(tasks)] = frame[list(tasks)]
    return rows[rows["login"].notna() & (rows["result"] >= 0)].drop_duplicates(["login", "code"])


def _write_tasks(rows: pd.DataFrame, tasks: dict[str, int], output: Path, name: str) -> None:
    """Tasks by class, school, municipality and region, and participants with what each has to learn again."""
    rows = rows.assign(region=rows["login"].str[:2])
    tops = pd.Series(tasks)
    points = rows[list(tasks)].replace(NOT_ATTEMPTED, "0").apply(pd.to_numeric, errors="coerce")
    points = points.where(points <= tops)
    grouped = points.groupby([rows[column] for column in LEVELS[0]])
    counted = pd.concat(
        {
            "answers": grouped.count().rename_axis(columns="task").stack(),
            "points": grouped.sum().rename_axis(columns="task").stack(),
        },
        axis="columns",
    ).reset_index()
    counted["max_points"] = counted["answers"] * counted["task"].map(tasks)
    sums = ["answers", "points", "max_points"]
    levels = [counted.groupby([*level, "task"])[sums].sum().reset_index() for level in LEVELS]
    told = pd.concat(levels)
    n, share = told["answers"], told["points"] / told["max_points"]
    spread = Z * np.sqrt(share * (1 - share) * n + Z**2 / 4)
    told = told.assign(
        share=share, low=(share * n + Z**2 / 2 - spread) / (n + Z**2), high=(share * n + Z**2 / 2 + spread) / (n + Z**2)
    )
    told.sort_values([*LEVELS[0], "task"]).to_parquet(output / f"tasks-{name}.parquet", compression="zstd")
    region = (
        levels[-1]
        .assign(share=lambda r: r["points"] / r["max_points"])
        .pivot(index="region", columns="task", values="share")
    )
    expected = region.loc[rows["region"], list(tasks)].set_axis(points.index)
    possible = points.notna() * tops
    is_deficit = points * 2 < tops
    pupils = rows[["login", "code", "class"]].assign(
        points=points.sum(axis="columns"),
        max_points=possible.sum(axis="columns"),
        share=lambda r: r["points"] / r["max_points"],
        region_share=lambda r: (possible.to_numpy() * expected.to_numpy()).sum(axis=1) / r["max_points"],
        deficits=is_deficit.sum(axis="columns"),
        deficit_tasks=is_deficit.dot(pd.Index([f"{task}; " for task in tasks])).str.removesuffix("; "),
    )
    pupils.sort_values(["login", "code"]).to_parquet(output / f"pupils-{name}.parquet", compression="zstd")


def main(landing: Path, output: Path) -> None:
    """Count with pandas, then write the list."""
    counts: list[Count] = []
    for year, key in works(landing):
        frame = _source(landing, year, key)
        if frame is None:
            continue
        name = f"{year}-{key}"
        frame = frame.reset_index(drop=True)
        frame.to_parquet(output / f"{name}.parquet", compression="zstd")
        is_exam = key[:3] in RESULT
        tasks = {} if is_exam else greatest(frame.columns)
        rows = _exam(key, frame) if is_exam else _work(year, frame, tasks)
        if key in ENOUGH:
            below = rows["result"] < ENOUGH[key]
            counted = below.groupby(rows["login"]).agg(["size", "sum"])
            counts += [(year, str(login), key, int(n), int(few)) for login, n, few in counted.itertuples()]
        if is_exam:
            continue
        scores = rows.groupby(["login", "result"]).size().rename("pupils").reset_index()
        scores = scores.rename(columns={"result": "score"})
        scores.to_parquet(output / f"scores-{name}.parquet", compression="zstd")
        if tasks:
            _write_tasks(rows, tasks, output, name)
    write_list(counts, landing, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
