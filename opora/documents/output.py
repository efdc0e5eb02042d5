"""Documents as files: rendered, named, put in their place whole, many at once.

Belongs here: formats, folders, the process pool. Does not belong here: what a document says and how it looks.
`<home>/documents/<release id>/` is written beside its place and renamed: nobody sees a set half made.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from opora.documents.docx import write_docx
from opora.documents.kinds import Wanted, make
from opora.documents.model import Document
from opora.documents.pdf import TEMPLATE, write_pdf
from opora.documents.reader import Marts
from opora.documents.xlsx import write_xlsx
from opora.home import Home, write_whole
from opora.release import Release, is_old

_ALONE = 8  # so few documents are made sooner than a second process starts
Tell = Callable[[int], None]


def documents_folder(home: Home, release: Release) -> Path:
    return home.root / "documents" / release.release_id


def templates_folder(home: Home) -> Path:
    """Where templates of the user's own lie, by the names of the shipped ones."""
    return home.root / "templates"


def own_template(home: Home, name: str) -> Path | None:
    path = templates_folder(home) / name
    return path if path.is_file() else None


def render(document: Document, kind: str, home: Home) -> bytes:
    if kind == "docx":
        return write_docx(document, own_template(home, f"{document.shape.kind}.docx"))
    if kind == "pdf":
        return write_pdf(document, own_template(home, TEMPLATE.name) or TEMPLATE)
    return write_xlsx(document)


def write_document(document: Document, formats: Iterable[str], home: Home, folder: Path) -> list[Path]:
    """The files of one document under a folder, each put there whole."""
    written = []
    for kind in formats:
        path = folder / document.folder / f"{document.stem}.{kind}"
        content = render(document, kind, home)
        write_whole(path, lambda part, content=content: part.write_bytes(content))  # type: ignore[misc]
        written.append(path)
    return written


# --- many ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Order:
    """What a process needs to make documents by itself."""

    home: Home
    release: Release
    folder: Path
    formats: tuple[str, ...]


def write_set(
    home: Home,
    release: Release,
    wanted: Sequence[Wanted],
    name: str,
    formats: Sequence[str] = ("docx", "pdf"),
    *,
    processes: int | None = None,
    tell: Tell = lambda done: None,
) -> Path:
    """All wanted documents as the folder `name` of the release's documents; what stood there is replaced in one step.

    An error of one document leaves the former folder as it was.
    """
    target = documents_folder(home, release) / name
    making = target.parent / f".making-{os.getpid()}-{name}"
    for left in (making, *_left_behind(target.parent)):
        shutil.rmtree(left, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        _make_all(_Order(home, release, making, tuple(formats)), wanted, processes or os.cpu_count() or 1, tell)
        _replace(making, target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return target


def _make_all(order: _Order, wanted: Sequence[Wanted], processes: int, tell: Tell) -> None:
    if processes == 1 or len(wanted) <= _ALONE:
        with Marts(order.release) as marts:
            for done, item in enumerate(wanted, start=1):
                write_document(make(marts, item), order.formats, order.home, order.folder)
                tell(done)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn, initializer=_open, initargs=(order,)) as pool:
        pending = [pool.submit(_make_one, item) for item in wanted]
        try:
            for done, future in enumerate(as_completed(pending), start=1):
                future.result()
                tell(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_worker: tuple[_Order, Marts] | None = None


def _open(order: _Order) -> None:
    """The release of this process, opened once."""
    global _worker
    _worker = (order, Marts(order.release).__enter__())


def _make_one(item: Wanted) -> None:
    assert _worker is not None
    order, marts = _worker
    write_document(make(marts, item), order.formats, order.home, order.folder)


def _left_behind(folder: Path) -> list[Path]:
    """What killed processes had begun or put aside, a day ago or longer."""
    found = [path for path in folder.glob(".*-*") if path.name.startswith((".making-", ".former-"))]
    return [path for path in found if is_old(path)]


def _replace(making: Path, target: Path) -> None:
    former = target.parent / f".former-{os.getpid()}-{target.name}"
    if target.exists():
        target.rename(former)
    making.rename(target)
    shutil.rmtree(former, ignore_errors=True)
