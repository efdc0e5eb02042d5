"""Messages quote what can be nobody's name, and mask the rest."""

from __future__ import annotations

import polars as pl
import pytest

from opora.masking import masked, names_somebody, shown


@pytest.mark.parametrize(
    "text",
    [
        "12,5",
        "-3",
        "31.02.2023",
        "2023-04-20 00:00:00",
        "ж",
        "9 Б",
        "нет",
        "Русский язык",
        "отсутствовал",
        "?",
        "edu9900123",
    ],
)
def test_numbers_dates_and_our_own_words_are_quoted(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Каннарейкина Мария", "Ка…(18 знаков)"),
        ("Цой", "Ц…(3 знака)"),
        ("112-233-445 95", "11…(14 знаков)"),
        ("678901", "67…(6 знаков)"),
        ("Schmidtke", "Sc…(9 знаков)"),
        ("Русский язык, учитель Каннарейкина", "Ру…(34 знака)"),
        ("7" * 21, "77…(21 знак)"),
        ("нет " * 20, "не…(79 знаков)"),
        ("Ка\nн\u202eн\x00а", "Ка…(8 знаков)"),
    ],
)
def test_anything_else_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_a_column_is_masked_as_its_cells_are() -> None:
    frame = pl.DataFrame({"cell": ["Каннарейкина", None, "5", "5"]})
    assert frame.select(shown(pl.col("cell"))).to_series().to_list() == ["Ка…(12 знаков)", None, "5", "5"]


PEOPLE = ("Иванова Мария Петровна", "ИВАНОВ ПЁТР ИЛЬИЧ", "Иванов-Цой И.И.", "И. И. Иванов", "Мария Петровна")
PAPERS = ("112-233-445 95", "паспорт 4512 678901", "45 12 № 678901")
CONTACTS = ("тел. +7 (923) 123-45-67", "a.b@school.example.ru")
SCHOOLS = ("МБОУ «СОШ № 5 им. И. И. Иванова»", "Лицей имени Ивана Петровича Сидорова, г. Н", "Берёзовка", "СОШ 12")
NOTES = ("Приказ № 5 от 12.02.2023", "Решение совета 4512", "Согласие получено")


def test_people_in_texts_are_known() -> None:
    def said(texts: tuple[str, ...], *, anywhere: bool) -> list[bool]:
        frame = pl.DataFrame({"text": texts})
        return frame.select(names_somebody(pl.col("text"), anywhere=anywhere)).to_series().to_list()

    assert all(said((*PEOPLE[:1], *PEOPLE[2:], *PAPERS), anywhere=False))
    assert not any(said((*SCHOOLS, *NOTES), anywhere=False))
    within = tuple(f"исполнитель {person}, школа 5" for person in (PEOPLE[0], *PEOPLE[2:]))
    assert all(said((*within, *PAPERS, *CONTACTS), anywhere=True))
    assert not any(said(NOTES, anywhere=True))
