"""How pages show the closed vocabularies of the marts, and names that a release does not hold yet.

What belongs here: a code in, words out, with a sign and a tone where it is a status. What does not: words that
documents say too (`opora/labels.py`), formats of numbers (`opora/russian.py`) and colours
(`assets/opora.css`). Texts that a mart holds (`*_ru`) are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opora import labels
from opora.methods import unreliable_ru
from opora.programmes import load_programmes
from opora.reference import load_reference


def _pills(words: labels.Labels, looks: Mapping[str, tuple[str, str]]) -> Mapping[str, tuple[str, str, str]]:
    return {code: (*look, words[code]) for code, look in looks.items()}


# A status is a sign, a tone and words: never colour alone.
STATUS: Mapping[str, tuple[str, str, str]] = {
    "shnor": ("●", "alert", "в списке"),
    "risk": ("▲", "warn", "в зоне риска"),
    "none": ("○", "calm", "не в списке"),
    "not_assessed": ("–", "mute", "не оценивается"),
    "excluded": ("×", "mute", "вне списка"),
    "hidden": ("?", "mute", "скрыто"),
}
LISTING = labels.LISTING
BASIS = labels.BASIS
SUPPORT = labels.SUPPORT_FORMAT
RELIABILITY: Mapping[str, tuple[str, str, str]] = {
    "ok": ("■■■", "calm", "достаточно"),
    "limited": ("■■□", "calm", "ограниченно"),
    "low": ("■□□", "warn", "ненадёжно"),
    "very_low": ("□□□", "warn", "очень ненадёжно"),
}
STATE = labels.RESULT_STATE
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
SEVERITY = _pills(
    labels.SEVERITY,
    {
        "high": ("▲", "alert"),
        "medium": ("◆", "warn"),
        "low": ("▽", "warn"),
        "none": ("○", "calm"),
        "too_few": ("–", "mute"),
        "not_taught": ("–", "mute"),
        "no_answers": ("–", "mute"),
    },
)
STAGE = _pills(
    labels.STAGE_STATUS,
    {
        "done": ("✓", "good"),
        "done_late": ("✓", "warn"),
        "in_progress": ("◐", "calm"),
        "not_due": ("○", "mute"),
        "overdue": ("!", "alert"),
    },
)
INDICATOR = _pills(
    labels.INDICATOR_STATUS,
    {
        "met": ("✓", "good"),
        "not_met": ("!", "alert"),
        "no_data": ("–", "mute"),
        "not_due": ("○", "mute"),
    },
)
MEASURE = _pills(
    labels.MEASURE_STATUS,
    {
        "done": ("✓", "good"),
        "in_progress": ("◐", "calm"),
        "overdue": ("!", "alert"),
        "not_due": ("○", "mute"),
        "no_data": ("–", "mute"),
    },
)
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
SETTLEMENT = labels.SETTLEMENT
ORIGIN = labels.ORIGIN
SOURCE = {"computed": "рассчитан", "published": "опубликован"}
COMPONENT_GROUP = {
    "territory": "Территория",
    "social": "Социальный состав",
    "staff": "Кадры",
    "resources": "Ресурсы",
}
MATURITY = labels.MATURITY
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
    unreliable_ru: str

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
        thresholds={item.method_id: item.settings.low_share for item in reference.methods},
        unreliable_ru=unreliable_ru(reference.official_method.settings),
    )
