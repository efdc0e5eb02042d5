"""The gate: what must hold of a candidate before readers may get it.

What belongs here: the order of the checks of the exported files, as a reader would find them, and what their outcome
means for the candidate. What does not: single checks (`opora/quality/`), checks of rows while they are read
(`opora/checks.py`) and of relations inside the build (dbt tests, which run before).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opora.public.attack import narrowed, shown_but_small
from opora.public.facts import load_public_facts
from opora.quality.differences import DIFFERENCES, Found, differences
from opora.quality.facts import ExpectedRows, GateFacts
from opora.quality.pages import settle, write_index
from opora.quality.suites import SITE, SuiteResult, hold_marts, no_rows, open_context, run_suite
from opora.release import DATABASE, OFFICIAL, PUBLIC, Release, read_release
from schemas.registry import Table, tables

QUALITY = "quality"
_SHOWN = 3


@dataclass(frozen=True)
class GateCheck:
    """One verdict: the check, whether it passed, whether a failure refuses, what was seen and what to look at."""

    check_id: str
    passed: bool
    message_ru: str
    refuses: bool = True

    @property
    def lets_pass(self) -> bool:
        return self.passed or not self.refuses

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


RESTATEMENT = "old_lists_are_not_restated"
PROTECTION = "public_profile_gives_nothing_back"
CHECK_IDS: dict[str, str] = {
    **{
        f"{mart.table}_matches_registry": f"Витрина {mart.table} такова, как сказано в реестре."
        for mart in tables("marts")
    },
    **{difference.check_id: difference.holds_ru for difference in DIFFERENCES},
    RESTATEMENT: "Списки старше тех, что ещё уточняются, не изменились.",
    PROTECTION: "По публичным файлам скрытое число нельзя уточнить больше, чем обещано.",
    "there_are_schools": "В выпуске есть школы.",
}


def judge_candidate(
    candidate: Path,
    facts: GateFacts,
    *,
    former: Release | None = None,
    expected: Sequence[ExpectedRows] | None = None,
    restated: Sequence[str] | None = None,
    accepted_ru: str = "",
) -> list[GateCheck]:
    """All checks of a candidate folder, failed ones included; their pages are written to `quality/` in it.

    `former` is the release readers have now, `expected` the reviewed counts, `restated` the lists that changed although
    they are older than the restatement window (None where there is nothing to compare with). A reason in `accepted_ru`
    turns refusals that a person may accept into warnings that carry it.
    """
    official, pages = candidate / OFFICIAL, candidate / QUALITY
    found = differences(official / DATABASE, former.database if former else None, expected, facts)
    context = open_context(pages)
    results = hold_marts(context, official, tables("marts"))
    for item in found:
        run_suite(context, item.difference.check_id, item.rows.to_pandas(), no_rows())
    context.build_data_docs(site_names=[SITE])
    checks = [
        *(_of_suite(mart, result) for mart, result in zip(tables("marts"), results, strict=True)),
        *(_of_difference(item, facts, accepted_ru) for item in found),
        _restated(restated, accepted_ru),
        _protected(candidate / PUBLIC),
        _has_schools(candidate),
    ]
    _write_pages(candidate, checks, {result.name: result.looked_for_ru for result in results})
    return checks


def _of_suite(mart: Table, result: SuiteResult) -> GateCheck:
    name = f"{mart.table}_matches_registry"
    if not result.failed_ru:
        words = f"Столбцы по реестру; строк, нарушающих одно из {len(result.looked_for_ru)} условий, нет."
        return GateCheck(name, True, words)
    return GateCheck(
        name,
        False,
        f"Не выполнено ожиданий {len(result.failed_ru)} из {result.expectations}: "
        f"{'; '.join(result.failed_ru[:_SHOWN])}. "
        f"Смотрите schemas/marts/{mart.table}.yaml и модель {mart.table} в dbt.",
    )


def _of_difference(found: Found, facts: GateFacts, accepted_ru: str) -> GateCheck:
    difference, rows = found.difference, found.rows
    if rows.is_empty():
        return GateCheck(difference.check_id, True, found.note_ru or difference.holds_ru)
    message = f"{difference.look_ru} Расхождений: {rows.height}, первое: {_row(rows.row(0, named=True))}."
    if difference.check_id == "published_totals_agree" and facts.published_totals.value == "warn":
        return GateCheck(difference.check_id, False, message, refuses=False)
    if difference.can_be_accepted and accepted_ru:
        return GateCheck(difference.check_id, False, f"{message} Принято: {accepted_ru}", refuses=False)
    return GateCheck(difference.check_id, False, message)


def _row(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)


def _restated(years: Sequence[str] | None, accepted_ru: str) -> GateCheck:
    if years is None:
        return GateCheck(RESTATEMENT, True, "Прежнего выпуска нет, сравнивать не с чем.")
    if not years:
        return GateCheck(RESTATEMENT, True, CHECK_IDS[RESTATEMENT])
    message = (
        f"Изменились старые списки: {', '.join(years)}. Какие школы и почему — в diff.md кандидата. "
        "Если так и должно быть, запустите opora run --accept с причиной."
    )
    if accepted_ru:
        return GateCheck(RESTATEMENT, False, f"{message} Принято: {accepted_ru}", refuses=False)
    return GateCheck(RESTATEMENT, False, message)


def _protected(public: Path) -> GateCheck:
    facts = load_public_facts()
    wrong, small = narrowed(public, facts), shown_but_small(public, facts)
    if not wrong and not small:
        return GateCheck(PROTECTION, True, CHECK_IDS[PROTECTION])
    return GateCheck(
        PROTECTION,
        False,
        f"Публичный профиль раскрывает числа: показано малых {small}, уточняется скрытых {len(wrong)}"
        f"{', первое: ' + wrong[0] if wrong else ''}. Это ошибка расчёта: сообщите о ней.",
    )


def _has_schools(candidate: Path) -> GateCheck:
    counts = read_release(candidate).manifest["row_counts"]
    passed = counts.get("school", 0) > 0
    words = f"Школ {counts.get('school', 0)}." if passed else "Нет ни одной школы: проверьте, что поставки приняты."
    return GateCheck("there_are_schools", passed, words)


def _write_pages(candidate: Path, checks: Sequence[GateCheck], looked_for: Mapping[str, Sequence[str]]) -> None:
    addresses = settle(candidate / QUALITY, looked_for)
    rows = [
        {
            **check.as_dict(),
            "holds_ru": CHECK_IDS[check.check_id],
            "outcome_ru": "прошла" if check.passed else "отклоняет" if check.refuses else "предупреждает",
            "page": addresses.get(check.check_id.removesuffix("_matches_registry")) or addresses.get(check.check_id),
        }
        for check in checks
    ]
    write_index(candidate / QUALITY, str(read_release(candidate).manifest["release_id"]), rows)
