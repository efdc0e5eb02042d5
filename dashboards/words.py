"""Russian words for the closed vocabularies of the marts, and names that a release does not hold yet.

What belongs here: a code in, words for people out. What does not: formats of numbers (`opora/russian.py`) and colours
(`assets/opora.css`). Texts that a mart holds (`*_ru`) are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opora.methods import Method
from opora.programmes import load_programmes
from opora.reference import load_reference

# A status is a sign, a tone and words: never colour alone.
STATUS: Mapping[str, tuple[str, str, str]] = {
    "shnor": ("●", "alert", "в списке"),
    "risk": ("▲", "warn", "в зоне риска"),
    "none": ("○", "calm", "не в списке"),
    "not_assessed": ("–", "mute", "не оценивается"),
    "excluded": ("×", "mute", "вне списка"),
    "hidden": ("?", "mute", "скрыто"),
}
LISTING = {"new": "новая", "continuing": "остаётся", "left": "вышла", "none": "—"}
BASIS = {
    "two_procedures": "две процедуры и больше за год",
    "two_years": "низкие результаты два года подряд",
    "both": "и две процедуры, и два года",
}
SUPPORT = {"none": "—", "first_year": "первый год", "repeated": "повторная"}
RELIABILITY: Mapping[str, tuple[str, str, str]] = {
    "ok": ("■■■", "calm", "достаточно"),
    "limited": ("■■□", "calm", "ограниченно"),
    "low": ("■□□", "warn", "ненадёжно"),
    "very_low": ("□□□", "warn", "очень ненадёжно"),
}
STATE = {
    "held": "",
    "not_held_federally": "не проводилась",
    "no_such_grade": "нет таких классов",
    "no_participants": "никто не участвовал",
    "not_delivered": "результатов не прислали",
}
# The symbols of the public profile, with what they mean.
SYMBOL = {
    "c": ("c", "скрыто: мало участников или по этому числу вычислялось бы другое скрытое"),
    "low": ("low", "доля у нижнего края: точное число скрыто"),
    "high": ("high", "доля у верхнего края: точное число скрыто"),
    "x": ("x", "нет данных"),
    "z": ("z", "неприменимо: не проводилась или нет таких классов"),
}
LEVEL: Mapping[str, tuple[str, str, str]] = {
    "high": ("▲", "alert", "высокая"),
    "medium": ("◆", "warn", "средняя"),
    "low": ("▽", "calm", "низкая"),
}
SEVERITY: Mapping[str, tuple[str, str, str]] = {
    "high": ("▲", "alert", "большой дефицит"),
    "medium": ("◆", "warn", "дефицит"),
    "low": ("▽", "warn", "небольшой дефицит"),
    "none": ("○", "calm", "дефицита нет"),
    "too_few": ("–", "mute", "мало участников"),
    "not_taught": ("–", "mute", "тема не пройдена"),
    "no_answers": ("–", "mute", "нет ответов"),
}
STAGE: Mapping[str, tuple[str, str, str]] = {
    "done": ("✓", "good", "пройден в срок"),
    "done_late": ("✓", "warn", "пройден позже срока"),
    "in_progress": ("◐", "calm", "идёт"),
    "not_due": ("○", "mute", "срок не наступил"),
    "overdue": ("!", "alert", "просрочен"),
}
INDICATOR: Mapping[str, tuple[str, str, str]] = {
    "met": ("✓", "good", "достигнут"),
    "not_met": ("!", "alert", "не достигнут"),
    "no_data": ("–", "mute", "нет данных"),
    "not_due": ("○", "mute", "срок не наступил"),
}
MEASURE: Mapping[str, tuple[str, str, str]] = {
    "done": ("✓", "good", "выполнено"),
    "in_progress": ("◐", "calm", "выполняется"),
    "overdue": ("!", "alert", "просрочено"),
    "not_due": ("○", "mute", "срок не наступил"),
    "no_data": ("–", "mute", "нет данных"),
}
DELIVERY: Mapping[str, tuple[str, str, str]] = {
    "accepted": ("✓", "good", "принята"),
    "accepted_with_quarantine": ("◐", "warn", "принята не целиком"),
    "refused": ("×", "alert", "отклонена"),
}
ISSUE: Mapping[str, tuple[str, str, str]] = {
    "refusal": ("×", "alert", "файл отклонён"),
    "quarantine": ("◐", "warn", "строка отложена"),
    "warning": ("i", "calm", "предупреждение"),
}
MOVEMENT: Mapping[str, tuple[str, str, str]] = {
    "enters": ("+", "warn", "входит"),
    "leaves": ("\u2212", "calm", "выходит"),
    "both": ("●", "mute", "в обоих списках"),
    "neither": ("○", "mute", "ни в одном"),
}
CONTEXT_CLASS: Mapping[str, tuple[str, str, str]] = {
    "adverse_low": ("▲", "warn", "сложные условия, низкий результат"),
    "resilient": ("★", "good", "сложные условия, результат выше ожидаемого"),
    "favourable_low": ("▼", "warn", "благоприятные условия, результат ниже ожидаемого"),
    "leader": ("★", "good", "благоприятные условия, результат выше ожидаемого"),
    "typical": ("○", "calm", "ни один из четырёх классов"),
}
DYNAMICS: Mapping[str, tuple[str, str, str]] = {
    "improved": ("↓", "good", "доля ниже минимума уменьшилась"),
    "unchanged": ("→", "calm", "не изменилась"),
    "worsened": ("↑", "warn", "доля ниже минимума выросла"),
}
SETTLEMENT = {"urban": "город", "rural": "село"}
ORIGIN = {"agreement": "соглашение", "proposal": "предложение"}
CRITERION = {
    "high_mean": "завышенный средний балл",
    "against_journal": "отметки расходятся с журналом",
    "fall": "падение",
    "rise": "рост",
    "published_list": "опубликованный список",
}
SOURCE = {"computed": "рассчитан", "published": "опубликован"}
COMPONENT_GROUP = {
    "territory": "Территория",
    "social": "Социальный состав",
    "staff": "Кадры",
    "resources": "Ресурсы",
}
MATURITY = {"final": "окончательный", "provisional": "предварительный"}
PROFILE = {"official": "официальный профиль", "public": "публичный профиль"}
PROFILE_NOTE = {
    "official": "Для органа управления образованием. Точные числа малых групп: не публиковать.",
    "public": "Числа малых групп скрыты. Можно показывать всем.",
}
# How a plan reads beside its value; {} is the value.
COMPARATOR = {
    "=": "план {}",
    ">=": "план: не меньше {}",
    "<=": "план: не больше {}",
    ">": "план: больше {}",
    "<": "план: меньше {}",
    "divide_by": "план: меньше в {} раза",
    "multiply_by": "план: больше в {} раза",
    "decrease_at_least_pct": "план: снизить не меньше чем на {}",
}


@dataclass(frozen=True)
class Names:
    """Names by id that stand in the reference files and not in the release."""

    procedures: Mapping[str, str]
    short_procedures: Mapping[str, str]
    programmes: Mapping[str, str]
    territories: Mapping[str, str]
    documents: Mapping[str, str]
    school_types: Mapping[str, str]
    thresholds: Mapping[str, float]

    def procedure(self, procedure_id: str) -> str:
        return self.procedures.get(procedure_id, procedure_id)

    def short(self, procedure_id: str) -> str:
        return self.short_procedures.get(procedure_id, procedure_id)

    def programme(self, programme_id: str) -> str:
        return self.programmes.get(programme_id, programme_id)


def load_names() -> Names:
    """Read once when the pages start."""
    reference, programmes = load_reference(), load_programmes()
    return Names(
        procedures={item.procedure_id: item.title_ru for item in reference.procedures},
        short_procedures={item.procedure_id: item.short_ru for item in reference.procedures},
        programmes={item.programme_id: item.title_ru for item in programmes},
        territories={item.programme_id: item.territory.title_ru for item in programmes},
        documents={item.programme_id: item.document.title_ru for item in programmes},
        school_types={item.school_type: item.title_ru for item in reference.school_types},
        thresholds={item.method_id: _threshold(item) for item in reference.methods},
    )


def _threshold(method: Method) -> float:
    settings = method.settings
    return settings.low_share_numerator.value / settings.low_share_denominator.value
