"""The list as an analyst writes it with pandas; see `analyst.py`.

Usage: `python benchmarks/analyst_pandas.py LANDING OUTPUT [--keep]`
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from analyst import ABSENT, ENOUGH, RESULT, VPR, Count, files, works, write_list


def _source(landing: Path, year: str, key: str) -> pd.DataFrame | None:
    csvs, parquets, books = files(landing, year, key)
    skip = int(key[:3] in RESULT)
    parts = [pd.read_csv(path, sep=";", dtype=str, skiprows=skip) for path in csvs]
    parts += [pd.read_parquet(path) for path in parquets]
    parts += [pd.read_excel(path, dtype=str) for path in books]
    return pd.concat(parts) if parts else None


def main(landing: Path, output: Path, keep: bool) -> None:
    """Count with pandas, then write the list."""
    counts: list[Count] = []
    for year, key in works(landing, everything=keep):
        frame = _source(landing, year, key)
        if frame is None:
            continue
        if keep:
            frame.to_parquet(output / f"{year}-{key}.parquet", compression="zstd")
        if key not in ENOUGH:
            continue
        if key[:3] in RESULT:
            frame = frame[frame["Код ОО"].notna()]
            login, code, result = frame["Код ОО"].str[1:], frame["Код участника"], frame[RESULT[key[:3]]]
        else:
            named = VPR[year]
            frame = frame[frame[named[2]].notna() & (frame[named[2]] != ABSENT)]
            login = frame[named[0]].str.extract(r"^(?:edu|sch)(\d{6})$", expand=False)
            code, result = frame[named[1]], frame[named[3]]
        rows = pd.DataFrame({"login": login, "code": code, "result": pd.to_numeric(result, errors="coerce")})
        rows = rows[rows["login"].notna() & (rows["result"] >= 0)].drop_duplicates()
        rows["below"] = rows["result"] < ENOUGH[key]
        counted = rows.groupby("login")["below"].agg(["size", "sum"])
        counts += [(year, str(login), key, int(n), int(below)) for login, n, below in counted.itertuples()]
    write_list(counts, landing, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--keep" in sys.argv)
