"""Pace of the notes of schools: docx and PDF a second, as ratios of reading their marts alone, in one run.

Reading is the content of a note without rendering. Ratios are of processor time, which other work on the machine does
not change; the set, made in processes and written to disk, is told in wall time.
Usage: `python benchmarks/documents.py HOME [--schools N] [--processes P]` on a home with a release.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from opora.documents.docx import write_docx
from opora.documents.kinds import make, wanted_schools
from opora.documents.model import Document
from opora.documents.output import write_set
from opora.documents.pdf import write_pdf
from opora.documents.reader import Marts
from opora.home import Home
from opora.release import require_release


def pace(work: Callable[[Document], object], documents: Sequence[Document]) -> float:
    """Documents a second of processor time, after one that pays for imports and caches."""
    work(documents[0])
    started = time.process_time()
    for document in documents[1:]:
        work(document)
    return (len(documents) - 1) / (time.process_time() - started)


@click.command()
@click.argument("home", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--schools", type=click.IntRange(min=2), default=40, show_default=True)
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True)
def main(home: Path, schools: int, processes: int) -> None:
    release = require_release(Home(home))
    with Marts(release) as marts:
        wanted = wanted_schools(marts)[:schools]
        documents = [make(marts, wanted[0])]
        started = time.process_time()
        documents += [make(marts, item) for item in wanted[1:]]
        reading = (len(wanted) - 1) / (time.process_time() - started)
    docx, pdf = pace(write_docx, documents), pace(write_pdf, documents)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        write_set(replace(Home(home), root=Path(folder)), release, wanted, "notes", processes=processes)
        both = len(wanted) / (time.perf_counter() - started)
    print(f"schools: {len(wanted)} of {release.release_id}")
    print(f"marts alone {reading:8.2f} notes a second of processor time")
    for name, found in (("docx", docx), ("PDF", pdf)):
        print(f"{name:<11} {found:8.2f} notes a second of processor time, {reading / found:.1f} times the reading")
    print(f"docx + PDF  {both:8.2f} notes a second of wall time, {processes} processes with their start")


if __name__ == "__main__":
    main()
