"""The yardstick: what an analyst's bare DuckDB script needs for the same figures from the same files.

Counts participants and results below the minimum by school, year and rule procedure, flags low results and
counts them by school. It checks nothing and explains nothing. With `--keep` it also keeps every cell of every
participant as Parquet, as the lake does. Usage:
`python benchmarks/bare_region.py FOLDER_OF_THE_REGION OUTPUT_FOLDER [--keep]`
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

# Greatest score of a «2» by grade and file name; the product reads it from reference/scales.
FAILING = {(5, "russkiy"): 17, (5, "matematika"): 6, (6, "russkiy"): 24, (6, "matematika"): 5}
# Login, variant and total of the three yearly layouts, and the year that each measures.
LAYOUTS = {
    "2020": ("user", "var-1", "sum", "2019-2020"),
    "2021": ("логин школы", "вариант", "всего баллов", "2020-2021"),
    "2022": ("Пользователь", "Вариант", "Итого баллов", "2021-2022"),
}


def _files(region: Path, folder: str) -> str:
    return f"read_parquet('{region}/participants/{folder}/*.parquet', union_by_name = true, filename = true)"


def _works(region: Path) -> str:
    """Every participant as school, grade, subject, variant and total, over the three layouts."""
    return " union all ".join(
        f"""
        select '{year}' as academic_year, regexp_extract("{login}", '(\\d{{6}})', 1) as school_key,
               cast(regexp_extract(filename, '(\\d+)_(\\w+)\\.parquet', 1) as int) as grade,
               regexp_extract(filename, '(\\d+)_(\\w+)\\.parquet', 2) as subject,
               trim(replace("{variant}", chr(160), ' ')) as variant,
               try_cast(trim(replace("{total}", chr(160), ' ')) as int) as total
        from {_files(region, folder)}
        """
        for folder, (login, variant, total, year) in LAYOUTS.items()
    )


def main(region: Path, output: Path, keep: bool) -> None:
    """Count; with `keep`, also write all cells of all participants."""
    scales = ", ".join(f"({grade}, '{subject}', {most})" for (grade, subject), most in FAILING.items())
    with duckdb.connect() as connection:
        if keep:
            for folder in LAYOUTS:
                target = output / f"participants-{folder}.parquet"
                connection.execute(
                    f"copy (from {_files(region, folder)}) to '{target}' (format parquet, compression zstd)"
                )
        connection.execute(
            f"""
            copy (
                with scale as (from (values {scales}) as t (grade, subject, most)),
                counted as (
                    select academic_year, school_key, grade, subject, count(*) as participants,
                           count(*) filter (total <= most) as below_minimum
                    from ({_works(region)}) join scale using (grade, subject)
                    where total is not null and not (lower(coalesce(variant, '')) like 'отсутств%' and total = 0)
                    group by all
                ),
                low as (
                    select academic_year, school_key,
                           count(*) filter (below_minimum * 100 >= 30 * participants) as low_procedures
                    from counted group by all
                )
                from counted join low using (academic_year, school_key) order by all
            ) to '{output / "results.parquet"}' (format parquet)
            """
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--keep" in sys.argv)
