"""Russian words for the closed vocabularies of the marts: the same on pages, in documents and on the terminal.

What belongs here: a code in, words out. What does not: signs and tones of pages (`dashboards/words.py`), texts that a
mart holds itself (`*_ru`).
"""

from __future__ import annotations

from collections.abc import Mapping

Labels = Mapping[str, str]

RESULT_STATE: Labels = {
    "held": "",
    "not_held_federally": "не проводилась в стране",
    "no_such_grade": "нет таких классов",
    "no_participants": "никто не участвовал",
    "not_delivered": "результатов не прислали",
}
LISTING: Labels = {"new": "новая", "continuing": "осталась", "left": "вышла", "none": "—"}
BASIS: Labels = {
    "two_procedures": "не меньше двух процедур с низким результатом в предыдущем учебном году",
    "two_years": "низкий результат хотя бы по одной процедуре в каждом из двух предыдущих лет",
    "both": "оба условия: две процедуры в предыдущем году и хотя бы одна в каждом из двух лет",
}
SUPPORT_FORMAT: Labels = {
    "none": "—",
    "first_year": "первый год",
    "repeated": "второй год подряд или дольше",
}
STAGE_STATUS: Labels = {
    "done": "пройден в срок",
    "done_late": "пройден позже срока",
    "in_progress": "идёт",
    "not_due": "срок не наступил",
    "overdue": "просрочен",
}
SEVERITY: Labels = {
    "high": "недостаточно и хуже региона",
    "medium": "недостаточно",
    "low": "хуже региона",
    "none": "дефицита нет",
    "too_few": "мало участников",
    "not_taught": "тема не пройдена",
    "no_answers": "нет ответов",
}
INDICATOR_STATUS: Labels = {
    "met": "достигнут",
    "not_met": "не достигнут",
    "no_data": "нет данных",
    "not_due": "срок не наступил",
}
MEASURE_STATUS: Labels = {
    "done": "сделано",
    "in_progress": "идёт",
    "overdue": "просрочено",
    "not_due": "срок не наступил",
    "no_data": "нет данных",
}
SETTLEMENT: Labels = {"urban": "город", "rural": "село"}
ORIGIN: Labels = {"agreement": "соглашение", "proposal": "предложение"}
# Of a release, and of the data in it.
MATURITY: Labels = {"final": "окончательный", "provisional": "предварительный"}
DATA_MATURITY: Labels = {"final": "окончательные", "provisional": "предварительные"}
