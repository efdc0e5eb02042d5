"""Time and peak memory of a whole run on the real region against a bare DuckDB script, in one run.

Prints three things apart: the fixed start of Dagster and dbt (a run on a home with one small file), the bare
scripts, and `opora run`; then the ratios. Figures of the bare script and of the marts are compared first: a
ratio of different work says nothing. Usage: `make bench`, or `python benchmarks/region.py [REGION] [--runs N]`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import duckdb
from homes import new_home, run
from measuring import ROOT, Cost, measure, median

DEFAULT_REGION = ROOT.parent / "shared" / "data" / "real" / "altai-krai-vpr"
PARTS = ("participants", "registry", "context", "reference", "manifest.csv")
BARE = str(ROOT / "benchmarks" / "bare_region.py")


def hold_together(home: Path, bare: Path) -> str:
    """That marts and bare script count the same participants, in words. Raises ClickException where they do not.

    The script checks nothing, so that it may count a row more for each that was put into quarantine.
    """
    marts = home / "releases" / "current" / "official"
    with duckdb.connect(str(marts / "marts.duckdb"), read_only=True) as connection:
        figures, alone, apart, quarantined = connection.execute(
            f"""
            with theirs as (
                select academic_year, school_key, participants, below_minimum,
                       'vpr_' || grade || '_' || replace(replace(subject, 'russkiy', 'russian'),
                                                         'matematika', 'mathematics') as procedure_id
                from read_parquet('{bare / "results.parquet"}')
            ),
            ours as (
                select academic_year, substr(school_id, 2) as school_key, procedure_id,
                       own_participants, own_below_minimum
                from procedure_result
                where state = 'held' and procedure_id in (select procedure_id from theirs)
            )
            select
                count(*),
                count(*) filter (own_participants is null or participants is null),
                sum(abs(coalesce(own_participants, 0) - coalesce(participants, 0))
                    + abs(coalesce(own_below_minimum, 0) - coalesce(below_minimum, 0))),
                (select sum(rows_quarantined) from delivery)
            from ours full join theirs using (academic_year, school_key, procedure_id)
            """
        ).fetchone() or (0, 0, 0, 0)
    words = f"{figures} school × procedure figures, {alone} on one side only, participants apart {apart}"
    if not figures or alone or apart > 2 * quarantined:
        raise click.ClickException(f"{words}, rows in quarantine {quarantined}: not the same work.")
    return words


@click.command()
@click.argument("region", type=click.Path(path_type=Path, resolve_path=True), default=DEFAULT_REGION)
@click.option("--runs", default=3, show_default=True, help="Runs of each command; medians are printed.")
def main(region: Path, runs: int) -> None:
    """Measure and print."""
    if not region.is_dir():
        click.echo(f"{region} is not there: the real region is left out. Name its folder to measure it.")
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "bare").mkdir()
        bare_command = [sys.executable, BARE, str(region), str(work / "bare")]
        fixed, bare, keeping, whole = [], [], [], []
        run(new_home(work / "small"))  # parses dbt and fills caches
        for _ in range(runs):
            fixed.append(run(new_home(work / "small")))
            bare.append(measure(bare_command))
            keeping.append(measure([*bare_command, "--keep"]))
            whole.append(run(new_home(work / "region", (region / part for part in PARTS))))
            same = hold_together(work / "region", work / "bare")
        again = run(work / "region")
    report(median(fixed), median(bare), median(keeping), median(whole), again, same)


def report(fixed: Cost, bare: Cost, keeping: Cost, whole: Cost, again: Cost, same: str) -> None:
    """The table, and the ratios with the fixed start taken off."""
    lines = (
        ("fixed start: opora run, one small register", fixed),
        ("bare script, aggregation only", bare),
        ("bare script that also keeps all cells", keeping),
        ("opora run, whole region", whole),
        ("opora run again, nothing new", again),
    )
    for name, cost in lines:
        click.echo(f"{name:<46} {cost.wall:7.2f} s {cost.cpu:7.2f} s of processors {cost.megabytes:8.0f} MB")
    work = whole.cpu - fixed.cpu
    click.echo(f"processor time of the run without the fixed start {work:7.2f} s")
    click.echo(f"  / bare script that keeps all cells              {work / keeping.cpu:7.2f} ×")
    click.echo(f"  / bare script, aggregation only                 {work / bare.cpu:7.2f} ×")
    click.echo(same)


if __name__ == "__main__":
    main()
