"""The vocabulary of cell conversions that a layout may name.

What belongs here: cleaned text → typed value, as polars expressions. A null result for a text that is there
means «cannot be read»; what follows from that is decided in `extract.py`. What does not belong here: rows,
headers, files.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from opora.reading import clean

Converter = Callable[[pl.Expr], pl.Expr]

NOT_A_VALUE = ("-", "–", "—", "нет отметки", "нет данных", "н/д", "#н/д", "nan")
ABSENT = r"(?i)^\s*отсутств"
# The least number that counts nothing here: numbers of passports and insurances begin there.
BEYOND_COUNTS = 10**9
# Another year is a slip: nobody was born or examined in it.
YEARS = (1900, 2100)
# How an absentee stands in place of a variant; in place of a class «Н» is a letter.
_ABSENT_IN_SHORT = r"(?i)^\s*(н|н/я|н/б|нб|неявка|не\s*явил\p{L}*|не\s+писал\p{L}?)\.?\s*$"
# edu and sch are one series of numbers, ksh (schools of the region itself) is another
_LOGIN = r"(?i)\b(?:edu|sch|(ksh))\s?(\d{6})\b"
_SCHOOL_WORDS = (
    r"(?i)\b(?:школ|гимнази|лице[йя]|интернат|кадетск|[а-я]{0,3}(?:сош|оош|нош)\b|м[абк]?оу\b|[гкч][а-я]{0,3}оу\b)"
    r"|\((?:[еe]du|s[сc]h)"
)
_MUNICIPALITY = r"(?i)\breg(\d{2})_(?:vpr_)?(m\d{3})\b"
_VARIANT = r"(?i)^((?:var|вар(?:иант)?\.?|в)?[\s№-]*\d{1,4}|[xх])$"
# one short run of letters, or single letters, or the capitals of a group of a college
_CLASS = r"^\P{L}*(?:\p{L}{1,3}|\p{L}(?:\P{L}+\p{L})*|\p{Lu}{4,5}-\d{2})?\P{L}*$"
_CLASS_WORDS = ("филиал", "класс", "11 класс", "надомник", "наименование класса")
_LONGEST_CLASS = 10
_APPEAL_STATUS = (
    r"(?i)^(апелляция\s+)?(не\s+|частично\s+)?"
    r"(удовлетвор|отклон|отказ|отозв|принят|выполнен|обработ|отправ|ожида|создан|подан)\p{L}*"
)


def _value(text: pl.Expr) -> pl.Expr:
    return pl.when(~text.str.to_lowercase().is_in(list(NOT_A_VALUE))).then(text)


def text(cell: pl.Expr) -> pl.Expr:
    return cell


def number(cell: pl.Expr) -> pl.Expr:
    """A number with a decimal comma or point; a closing per cent sign and inner spaces are ignored."""
    bare = _value(cell).str.replace_all(r"[\s%]", "").str.replace(",", ".", literal=True)
    value = bare.cast(pl.Float64, strict=False)
    return pl.when(value.abs() < BEYOND_COUNTS).then(value)


def integer(cell: pl.Expr) -> pl.Expr:
    """A whole number; `12.0` is one, `12.5` is not."""
    value = number(cell)
    return pl.when(value == value.round(0)).then(value).cast(pl.Int64, strict=False)


def code(cell: pl.Expr) -> pl.Expr:
    """A code that a spreadsheet may have turned into a number: `9306.0` is `9306`; zeros in front stay."""
    return _value(cell).str.replace(r"^(\d+)\.0+$", "$1")


def digits(cell: pl.Expr) -> pl.Expr:
    """A code of digits only: whatever else slipped into the column goes no further."""
    return code(cell).str.extract(r"^(\d{1,20})$")


def any_key(cell: pl.Expr) -> pl.Expr:
    """A key of a school of any kind; a login is written as everywhere, by its digits."""
    login = pl.when(cell.str.contains(r"(?i)^\s*(?:edu|sch|ksh)\s?\d{6}\s*$")).then(vpr_login(cell))
    return pl.coalesce(login, code(cell))


def exam_code(cell: pl.Expr) -> pl.Expr:
    """The code of a school in ГИА: up to seven digits."""
    return code(cell).str.extract(r"^(\d{1,7})$")


def class_label(cell: pl.Expr) -> pl.Expr:
    """`11`, `11Б`, `9 «а»`, `А`: never a word, since columns of a protocol may be shifted and hold a name."""
    return code(cell).str.extract(r'^(\d{1,2}[\s\-./"«]*\w{0,3}["»]?|\p{L})$')


def pupil_code(cell: pl.Expr) -> pl.Expr:
    """The code of a participant of ВПР: up to nine digits, so no number of a passport or an insurance."""
    return code(cell).str.extract(r"^(\d{1,9})$")


def pupil_class(cell: pl.Expr) -> pl.Expr:
    """`5`, `Б`, `а(2)`, `кб`, `А, Б`, `СЭЗС-01`, «нет»: as short as classes are called, never a name."""
    is_short = cell.str.contains(_CLASS) & ~cell.str.contains(r"\d{4}") & (cell.str.len_chars() <= _LONGEST_CLASS)
    word = cell.str.to_lowercase()
    return pl.when(is_short | word.is_in(_CLASS_WORDS) | word.str.contains(ABSENT)).then(cell)


def variant(cell: pl.Expr) -> pl.Expr:
    """`1`, `Var1`, `вариант 5`, `X`, «отсутствовал», «н/я»: a number, or one word of the systems."""
    return pl.coalesce(
        code(cell).str.extract(_VARIANT),
        cell.str.extract(r"(?i)^\s*(отсутств\p{L}{0,8})"),
        pl.when(cell.str.contains(_ABSENT_IN_SHORT)).then(pl.lit("отсутствовал")),
    )


def appeal_status(cell: pl.Expr) -> pl.Expr:
    """States of an appeal as the systems word them, without what stands behind them."""
    return cell.str.extract(_APPEAL_STATUS, 0)


def date(cell: pl.Expr) -> pl.Expr:
    """A date written 2026-04-20, 20.04.2026, 2026.04.20 or 20.04.26, with or without a time; of our times."""
    day = cell.str.extract(r"^(\d{1,4}[.\-/]\d{1,2}[.\-/]\d{1,4})").str.replace_all(r"[./]", "-")
    short = day.str.contains(r"^\d{1,2}-\d{1,2}-\d{2}$")
    read = (
        pl.when(short)
        .then(day.str.to_date("%d-%m-%y", strict=False))
        .otherwise(pl.coalesce(day.str.to_date("%Y-%m-%d", strict=False), day.str.to_date("%d-%m-%Y", strict=False)))
    )
    return pl.when(read.dt.year().is_between(*YEARS)).then(read)


def boolean(cell: pl.Expr) -> pl.Expr:
    """1/0, да/нет, true/false, + and a bare cell."""
    word = cell.str.to_lowercase()
    return (
        pl.when(word.is_in(["1", "1.0", "да", "true", "+", "есть"]))
        .then(pl.lit(True))
        .when(word.is_in(["0", "0.0", "нет", "false", "-"]))
        .then(pl.lit(False))
    )


def sex(cell: pl.Expr) -> pl.Expr:
    word = cell.str.to_lowercase().str.slice(0, 3)
    return (
        pl.when(word.is_in(["м", "муж", "m"])).then(pl.lit("m")).when(word.is_in(["ж", "жен", "f"])).then(pl.lit("f"))
    )


def vpr_login(cell: pl.Expr) -> pl.Expr:
    """The digits of a ФИС ОКО login, wherever it stands in the cell; of the prefixes only ksh is kept."""
    number = cell.str.extract(_LOGIN, 2)
    return pl.concat_str(cell.str.extract(_LOGIN, 1).str.to_lowercase().fill_null(""), number)


def found_login(cell: pl.Expr) -> pl.Expr:
    """The digits of a login if the cell has one; a cell without one is no error."""
    return vpr_login(cell)


def municipality_code(cell: pl.Expr) -> pl.Expr:
    """`reg22_m004` or `reg22_vpr_m004`, wherever it stands, as `22_m004`."""
    return cell.str.extract(_MUNICIPALITY, 1) + "_" + cell.str.extract(_MUNICIPALITY, 2)


def after_bar(cell: pl.Expr) -> pl.Expr:
    """`edu223855 | МКОУ "Зайцевская СОШ"` → the words after the bar."""
    return pl.coalesce(cell.str.extract(r"^[^|]*\|\s*(.+)$"), cell)


def before_bracket(cell: pl.Expr) -> pl.Expr:
    """`МБОУ СОШ № 5(edu990012)` → the words before the code in brackets."""
    return cell.str.replace(r"(?i)\s*\((?:edu|sch|ksh|reg)[^)]*\)\s*$", "")


def group_level(cell: pl.Expr) -> pl.Expr:
    """Level of a report row, told by the code in brackets: none, `regRR_mNNN` or a school login."""
    return (
        pl.when(cell.str.contains(_LOGIN))
        .then(pl.lit("school"))
        .when(cell.str.contains(_MUNICIPALITY))
        .then(pl.lit("municipality"))
        .when(cell.str.contains(r"(?i)^(вся выборка|россия|российская федерация|рф)$"))
        .then(pl.lit("country"))
        # a school whose login cannot be read is no region: without a key it is told, and goes into no total
        .when(cell.str.contains(_SCHOOL_WORDS))
        .then(pl.lit("school"))
        .otherwise(pl.lit("region"))
    )


def name_key(cell: pl.Expr) -> pl.Expr:
    """A name as it is compared: lower case, ё → е, without quotes and repeated spaces."""
    return (
        cell.str.to_lowercase()
        .str.replace_all("ё", "е", literal=True)
        .str.replace_all(r"[«»\"'“”„]", "")
        .str.replace_all(r"№\s+", "№")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def settlement(cell: pl.Expr) -> pl.Expr:
    """Town or village: посёлки городского типа count as urban, as Росстат counts them."""
    word = cell.str.to_lowercase()
    return (
        pl.when(word.str.contains(r"сельск|^село|деревн|^2$"))
        .then(pl.lit("rural"))
        .when(word.str.contains(r"город|центр|пгт|^1$"))
        .then(pl.lit("urban"))
    )


def participant_category(cell: pl.Expr) -> pl.Expr:
    """Categories of ЕГЭ participants as protocols word them."""
    word = cell.str.to_lowercase()
    return (
        pl.when(word.str.contains(r"прошлых лет|\bвпл\b"))
        .then(pl.lit("previous_years"))
        .when(word.str.contains(r"\bспо\b|колледж|техникум"))
        .then(pl.lit("spo"))
        .when(word.str.contains(r"экстерн"))
        .then(pl.lit("extern"))
        .when(word.str.contains(r"текущего года|\bвтг\b|обучающ"))
        .then(pl.lit("current_year"))
    )


def risk_level(cell: pl.Expr) -> pl.Expr:
    """«Высокая значимость», «средний», `low`; another word stays, for the check of the vocabulary to name it."""
    word = after_bar(cell).str.to_lowercase()
    return (
        pl.when(word.str.contains(r"^высок(ая|ий|ое)\b"))
        .then(pl.lit("high"))
        .when(word.str.contains(r"^средн(яя|ий|ее)\b"))
        .then(pl.lit("medium"))
        .when(word.str.contains(r"^низк(ая|ий|ое)\b"))
        .then(pl.lit("low"))
        .otherwise(word)
    )


def respondent_group(cell: pl.Expr) -> pl.Expr:
    """Who answered a questionnaire; another word stays, for the check of the vocabulary to name it."""
    word = after_bar(cell).str.to_lowercase()
    return (
        pl.when(word.str.contains(r"^(директор|руководител)"))
        .then(pl.lit("director"))
        .when(word.str.contains(r"^(учител|педагог)"))
        .then(pl.lit("teachers"))
        .when(word.str.contains(r"^(обучающ|ученик|учащ)"))
        .then(pl.lit("pupils"))
        .when(word.str.contains(r"^родител"))
        .then(pl.lit("parents"))
        .otherwise(word)
    )


def task_score(cell: pl.Expr) -> pl.Expr:
    """One task: a score, `X` not attempted, `N` not taught, `?` cannot be read; nothing stays null."""
    word = clean(cell).str.to_uppercase().str.replace(r"^(\d{1,2})\.0$", "$1")
    return (
        pl.when(word.is_null())
        .then(None)
        .when(word.str.contains(r"^\d{1,2}$"))
        .then(word)
        .when(word.is_in(["X", "Х", "-", "–", "—"]))
        .then(pl.lit("X"))
        .when(word.str.starts_with("НЕ ПРОЙД"))
        .then(pl.lit("N"))
        .otherwise(pl.lit("?"))
    )


CONVERTERS: dict[str, Converter] = {
    function.__name__: function
    for function in (
        text,
        number,
        integer,
        code,
        any_key,
        digits,
        exam_code,
        class_label,
        pupil_code,
        pupil_class,
        variant,
        appeal_status,
        date,
        boolean,
        sex,
        vpr_login,
        found_login,
        municipality_code,
        after_bar,
        before_bracket,
        group_level,
        name_key,
        settlement,
        participant_category,
        risk_level,
        respondent_group,
    )
}
# These look for something that need not be in the cell.
FINDERS = ("found_login", "municipality_code", "after_bar", "before_bracket", "group_level", "settlement")
# What these leave is a number: a code, whatever it looks like.
OF_DIGITS = ("digits", "exam_code", "pupil_code", "vpr_login", "found_login")
BY_TYPE: dict[str, Converter] = {
    "string": text,
    "integer": integer,
    "number": number,
    "boolean": boolean,
    "date": date,
}
