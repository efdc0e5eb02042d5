"""Empty forms that people fill in, and templates of documents to change."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from opora.cli.telling import Refused, say, with_home
from opora.home import Home


@click.group()
def template() -> None:
    """Пустые формы, которые заполняют люди."""


@template.command("returns")
@with_home
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="Отчёты исполнителей.xlsx")
def template_returns(home: Home, path: Path) -> None:
    """Книга для отчётов исполнителей: списки программ, мер и школ для выбора, памятка."""
    from opora.programmes import load_programmes
    from opora.release import current_release
    from opora.templates import schools_of_release, write_returns_template

    _refuse_existing(path)
    release = current_release(home)
    written = write_returns_template(path, load_programmes(), schools_of_release(release) if release else ())
    say(f"Форма: {written}. Заполните её и положите в {home.landing}.")


@template.command("passport")
@with_home
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="Социальные паспорта.xlsx")
@click.option("--year", default=None, metavar="2022-2023", help="Учебный год, о котором ответы; без него идущий.")
@click.option("--municipality", default=None, help="Только школы этого муниципалитета, как он назван в выпуске.")
def template_passport(home: Home, path: Path, year: str | None, municipality: str | None) -> None:
    """Книга социальных паспортов, кадров и ресурсов: строка на школу, списки ответов, памятка."""
    from opora.context_facts import load_context
    from opora.reference import load_reference
    from opora.release import current_release
    from opora.templates import schools_of_release, write_passport_template

    _refuse_existing(path)
    reference = load_reference()
    years = [item.academic_year for item in reference.academic_years if item.is_open]
    asked = year or reference.academic_year_of(dt.date.today())
    if asked not in years:
        raise click.UsageError(f"Учебного года {asked} нет; есть: {', '.join(years)}.")
    release = current_release(home)
    schools = schools_of_release(release) if release else []
    if municipality:
        known = sorted({school.municipality for school in schools})
        if municipality not in known:
            raise click.UsageError(f"Муниципалитета «{municipality}» в выпуске нет; есть: {', '.join(known) or '—'}.")
        schools = [school for school in schools if school.municipality == municipality]
    written = write_passport_template(path, load_context(), asked, years, schools)
    say(f"Форма на {asked}, школ {len(schools)}: {written}. Заполните её и положите в {home.landing}.")


@template.command("risk-profile")
@with_home
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="Рисковые профили.xlsx")
@click.option("--year", default=None, metavar="2021-2022", help="Чей список факторов; без него последний.")
def template_risk_profile(home: Home, path: Path, year: str | None) -> None:
    """Книга для рисковых профилей: уровни факторов, этапы антирисковых планов, ответы анкет."""
    from opora.release import current_release
    from opora.risk import load_risk
    from opora.templates import schools_of_release, write_risk_template

    _refuse_existing(path)
    release = current_release(home)
    try:
        written = write_risk_template(path, load_risk(), year, schools_of_release(release) if release else ())
    except LookupError as error:
        raise Refused(str(error)) from error
    say(f"Форма: {written}. Заполните её и положите в {home.landing}.")


@template.command("documents")
@with_home
def template_documents(home: Home) -> None:
    """Шаблоны документов в папку templates: исправленный шаблон заменяет прежний вид документа."""
    from opora.documents.docx import shipped_template
    from opora.documents.kinds import SHAPES
    from opora.documents.output import templates_folder
    from opora.documents.pdf import TEMPLATE

    shipped = {f"{shape.kind}.docx": shipped_template(shape) for shape in SHAPES}
    shipped[TEMPLATE.name] = TEMPLATE.read_bytes()
    folder = templates_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in shipped.items():
        path = folder / name
        if path.exists():
            say(f"Уже есть, не тронут: {path}")
        else:
            path.write_bytes(content)
            say(f"Шаблон: {path}")


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise Refused(f"Файл «{path}» уже есть. Назовите другое имя или уберите прежний.")
