"""`opora run` on made-up countries of rising size, against three scripts that an analyst might have.

Every size: the country is written, the three scripts make the list and the marts of tasks from its files, `opora run`
makes a release of them in a new home, then takes in one late file. Ratios of different work say nothing, so that every
list is held against the truth first, and the marts of scripts and run against one another. Figures are medians within
one run on one machine: processor time of the whole process tree beside wall time, which other work on the machine
stretches. Usage: `make bench`, or `python benchmarks/country.py [--size NAME]… [--runs N] [--work FOLDER]`.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
from homes import ENVIRONMENT, new_home, run
from measuring import ROOT, Cost, measure, median

from opora.demo.country import write_country

# Schools and participant rows a year; a list takes two years.
SIZES = {
    "district": (20, 20_000),
    "region": (650, 325_000),
    "5m": (2_500, 2_500_000),
    "40m": (20_000, 20_000_000),
    "country": (40_000, 40_000_000),
}
SCRIPTS = ("duckdb", "polars", "pandas")
INTAKE = "import sys; from opora.home import Home; from opora.intake import ingest; from opora.reference import *; "
INTAKE += "from pathlib import Path; ingest(Home(Path(sys.argv[1])), load_reference())"
LATE = "регион-01/2022/05_matematika.csv"
Listed = set[tuple[str, str]]
# Rows and sums of the second year, by which the marts of a script and of a release are known to be the same. Headers of
# the first tell no greatest scores: there are no tasks, and of one work nobody can say which totals are too high.
SCRIPTED = {
    "tasks": "count(*), sum(answers), sum(points), sum(max_points) from {} where answers > 0",
    "pupils": "count(*), sum(points), sum(max_points), sum(deficits) from {}",
    "scores": "count(*), sum(pupils), sum(pupils * score) from {}",
}
RELEASED = {
    "tasks": "count(*), sum(answers_count), sum(points), sum(max_points) from task_deficit "
    "where academic_year = '2021-2022' and item_kind = 'task' and answers_count > 0",
    "pupils": "count(*), sum(points), sum(max_points), sum(deficits_count) from pupil_task_deficit "
    "where academic_year = '2021-2022'",
    "scores": "count(*), sum(pupils_count), sum(pupils_count * primary_score) from score_count "
    "where academic_year = '2021-2022'",
}
Sums = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    size: str
    what: str
    cost: Cost
    note: str = ""


def script(name: str, landing: Path, output: Path) -> Cost:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    command = [sys.executable, str(ROOT / "benchmarks" / f"analyst_{name}.py"), str(landing), str(output)]
    return measure(command, ENVIRONMENT)


def sums_of_script(output: Path) -> Sums:
    """What the marts of a script add up to."""
    with duckdb.connect() as connection:
        return {
            mart: _sums(
                connection, query.format(f"read_parquet('{output}/{mart}-2022-*.parquet', union_by_name = true)")
            )
            for mart, query in SCRIPTED.items()
        }


def sums_of_release(home: Path) -> Sums:
    """The same of the release in force."""
    with duckdb.connect(str(home / "releases" / "current" / "official" / "marts.duckdb"), read_only=True) as connection:
        return {mart: _sums(connection, query) for mart, query in RELEASED.items()}


def _sums(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return tuple(int(value or 0) for value in connection.execute(f"select {query}").fetchone() or ())


def listed(path: Path) -> Listed:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["academic_year"], row["school_id"]) for row in csv.DictReader(file) if row["is_shnor"] == "true"}


def listed_by_script(path: Path) -> Listed:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row[0], row[1]) for row in csv.reader(file)}


def correct_one_file(landing: Path) -> None:
    """The first who wrote the work is gone from a file: it arrives again, in place of the former."""
    path = landing / LATE
    header, *rows = path.read_bytes().splitlines(keepends=True)
    variant = header.decode().split(";").index("Вариант")  # a number of those who were there
    gone = next(place for place, row in enumerate(rows) if row.split(b";")[variant].isdigit())
    path.write_bytes(b"".join([header, *rows[:gone], *rows[gone + 1 :]]))


def counted_results(home: Path) -> int:
    """How many results of participants the release in force counts, all procedures of the list together."""
    marts = home / "releases" / "current" / "official" / "marts.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        row = connection.execute("select sum(own_participants) from procedure_result").fetchone()
    return int(row[0]) if row else 0


def books(landing: Path, work: Path) -> tuple[int, Cost]:
    """Intake of the xlsx files alone, less intake of nothing."""
    found = sorted(landing.glob("регион-*/*/книги/*.xlsx"))
    home, empty = new_home(work / "books"), new_home(work / "empty")
    for path in found:
        target = home / "landing" / path.relative_to(landing)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path)
    command = [sys.executable, "-c", INTAKE]
    full, nothing = (measure([*command, str(one)], ENVIRONMENT) for one in (home, empty))
    return len(found), Cost(full.wall - nothing.wall, full.cpu - nothing.cpu, full.megabytes)


def bench(size: str, runs: int, work: Path, scripts: Sequence[str], fixed: Cost) -> Iterator[Row]:
    """All measurements of one size. Raises ClickException where a list is not the true one."""
    schools, participants = SIZES[size]
    country, home = work / size, work / f"{size}-home"
    summary = write_country(country, schools, participants)
    landing, truth = country / "landing", listed(country / "truth" / "school_status.csv")
    yardsticks: dict[str, Cost] = {}
    sums: dict[str, Sums] = {}
    for name in scripts:
        yardsticks[name] = median([script(name, landing, work / name) for _ in range(runs)])
        _agree(size, name, listed_by_script(work / name / "list.csv"), truth)
        sums[name] = sums_of_script(work / name)
        shutil.rmtree(work / name)
        yield Row(size, f"{name} script", yardsticks[name])
    whole = median([run(new_home(home, landing.iterdir())) for _ in range(runs)])
    _agree(size, "opora run", listed(home / "releases" / "current" / "official" / "school_status.csv"), truth)
    released = sums_of_release(home)
    for name, found in sums.items():
        if found != released:
            raise click.ClickException(
                f"{size}: the marts of {name} add up to {found}, those of the run to {released}."
            )
    yield Row(size, "opora run", whole, f"{summary.rows:,} rows, {summary.deliveries:,} files")
    beyond = Cost(whole.wall - fixed.wall, whole.cpu - fixed.cpu, whole.megabytes)
    words = [f"{beyond.cpu / cost.cpu:.1f} × {name}" for name, cost in yardsticks.items()]
    yield Row(size, "the same less the fixed start", beyond, ", ".join(words))
    count, cost = books(landing, work)
    if count:
        yield Row(size, f"{count} xlsx files", cost, f"{count / cost.cpu:.1f} files per processor second")
    counted = counted_results(home)
    correct_one_file(landing)
    late = run(home)
    if (after := counted_results(home)) != counted - 1:
        raise click.ClickException(f"{size}: after the late file {after} results, before {counted}.")
    yield Row(size, "one late file", late, f"{100 * late.cpu / whole.cpu:.0f} % of the run")
    for folder in (country, home, work / "books", work / "empty"):
        shutil.rmtree(folder, ignore_errors=True)


def _agree(size: str, name: str, found: Listed, truth: Listed) -> None:
    if found != truth:
        raise click.ClickException(
            f"{size}: the list of {name} differs from the truth in {len(found ^ truth)} schools."
        )


def tell(row: Row) -> None:
    cost = row.cost
    cells = (row.size, row.what, f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.megabytes:.0f}", row.note)
    click.echo(f"| {' | '.join(cells)} |")


@click.command()
@click.option("--size", "sizes", multiple=True, type=click.Choice(list(SIZES)), default=("district", "region"))
@click.option("--runs", default=1, show_default=True, help="Runs of each command; medians are printed.")
@click.option("--script", "scripts", multiple=True, type=click.Choice(SCRIPTS), default=SCRIPTS, help="Which scripts.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, resolve_path=True),
    default=None,
    help="Where countries and homes are written.",
)
def main(sizes: Sequence[str], runs: int, scripts: Sequence[str], work: Path | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        place = Path(folder)
        run(new_home(place / "small"))  # dbt compiles, caches fill
        fixed = median([run(new_home(place / "small")) for _ in range(runs)])
        click.echo("| size | what | wall, s | processor, s | peak, MB | |\n|---|---|--:|--:|--:|---|")
        tell(Row("one small register", "opora run: the fixed start", fixed))
        for size in sizes:
            for row in bench(size, runs, place, scripts, fixed):
                tell(row)


if __name__ == "__main__":
    main()
