"""The analytical note of one school: why it is listed, the evidence, conditions, risks, deficits, partner, advice.

Belongs here: which rows of the marts the note shows and in what words. Does not belong here: figures and rendering.
Only marts of schools are read; rows of pupils have no place in a document.
"""

from __future__ import annotations

from opora import labels
from opora import russian as fmt
from opora.documents.model import Column, Document, IntervalChart, Mark, Section, SectionShape, Shape
from opora.documents.parts import (
    LIMITS,
    RECOMMENDATIONS,
    SHARE_COLUMNS,
    SOURCES,
    document,
    limits,
    recommendations,
    sources,
)
from opora.documents.reader import DocumentRefused, MartRow, Marts, split_ids
from opora.list_years import years_before

DEFICITS_SHOWN = 3
DASH = fmt.DASH

NOTE = Shape(
    "school",
    "Аналитическая справка по школе",
    (
        SectionShape("reasons", "Почему школа в списке"),
        SectionShape(
            "evidence",
            "Результаты по процедурам",
            (
                Column("year", "Учебный год", 1.0),
                Column("procedure", "Процедура", 1.2),
                *SHARE_COLUMNS,
                Column("is_low", "Низкий", 0.8),
                Column("reliability", "Надёжность", 1.3),
            ),
            has_chart=True,
        ),
        SectionShape(
            "conditions",
            "Условия работы и ожидаемый результат",
            (
                Column("title", "Показатель условий", 4.0),
                Column("value", "Значение", 2.2),
                Column("source", "Источник", 2.0),
            ),
        ),
        SectionShape(
            "risks",
            "Рисковый профиль",
            (
                Column("factor", "Фактор риска", 4.0),
                Column("level", "Значимость", 1.6),
                Column("chosen", "Выбран", 0.9),
                Column("stage", "Этап плана", 3.0),
            ),
        ),
        SectionShape(
            "deficits",
            "Дефициты в порядке повторения",
            (
                Column("order", "№", 0.5, True),
                Column("procedure", "Работа", 1.3),
                Column("item", "Задание и что проверяется", 3.0),
                Column("pupils", "n", 0.7, True),
                Column("completion", "Выполнение", 1.6, True),
                Column("interval", "Интервал 95\u00a0%", 1.4, True),
                Column("region", "Регион", 1.0, True),
                Column("gap", "Разница", 1.3, True),
                Column("severity", "Вывод", 1.5),
            ),
            has_chart=True,
        ),
        SectionShape("partner", "Школа-партнёр"),
        SectionShape(
            "measures",
            "Программы и мероприятия",
            (
                Column("programme", "Программа", 2.0),
                Column("measure", "Мероприятие", 4.0),
                Column("due", "Срок", 1.2),
                Column("status", "Состояние", 1.3),
                Column("who", "Кто отвечает", 2.0),
            ),
        ),
        RECOMMENDATIONS,
        LIMITS,
        SOURCES,
    ),
)


def school_note(marts: Marts, school_id: str, year: str | None = None) -> Document:
    """The note of a school for a list year, the newest without one. Raises DocumentRefused."""
    school = marts.one("select * from school where school_id = $1", school_id)
    if school is None:
        raise DocumentRefused(f"Школы {school_id} в выпуске нет.")
    list_year = marts.checked_year(year)
    status = marts.one("select * from school_status where school_id = $1 and academic_year = $2", school_id, list_year)
    if status is None:
        raise DocumentRefused(f"Для школы {school_id} нет списка за {list_year}.")
    results = _results(marts, school_id, list_year)
    context = marts.one(
        "select * from school_context where school_id = $1 and academic_year < $2 order by academic_year desc limit 1",
        school_id,
        list_year,
    )
    components = _components(marts, school_id, context, list_year)
    risks = marts.rows(
        """
        select * from risk_profile where school_id = $1 and academic_year = (
            select max(academic_year) from risk_profile where school_id = $1 and academic_year <= $2)
        order by sort_order
        """,
        school_id,
        list_year,
    )
    deficits = deficit_rows(marts, "school", school_id, list_year)
    partners = marts.rows(
        "select * from partnership where school_id = $1 and academic_year = $2 order by leader_number",
        school_id,
        list_year,
    )
    markers = marts.rows(
        "select * from objectivity where school_id = $1 and academic_year in ($2, $3) and is_marked order by marker_id",
        school_id,
        *years_before(list_year, 2),
    )
    rows = {
        "school_status": [status],
        "procedure_result": results,
        "school_context": [context] if context else [],
        "risk_profile": risks,
        "task_deficit": deficits,
        "partnership": partners,
        "objectivity": markers,
    }
    used = split_ids(*(r["delivery_ids"] for r in (*results, *components, *risks, *markers)))
    return document(
        marts,
        NOTE,
        stem=f"{school_id} {school['school_name']}",
        folder=school["municipality_name"] or "Муниципалитет неизвестен",
        title_ru="Аналитическая справка",
        subtitle_ru=fmt.text(school["school_name"]),
        facts=_facts(marts, school, status, list_year),
        sections={
            "reasons": _reasons(status),
            "evidence": _evidence(marts, results, list_year),
            "conditions": _conditions(status, context, components),
            "risks": _risks(risks),
            "deficits": deficit_section(marts, deficits, "школа"),
            "partner": _partner(marts, partners),
            "measures": _measures(marts, school, list_year),
            "recommendations": recommendations(marts, "school", rows, list_year),
            "limits": limits(marts, "school"),
            "sources": sources(
                marts,
                used,
                list_year,
                "Файлы, по которым посчитаны результаты, условия и риски этой справки; строки назовёт opora explain.",
            ),
        },
        year=list_year,
    )


def _facts(marts: Marts, school: MartRow, status: MartRow, year: str) -> tuple[tuple[str, str], ...]:
    enrolment = DASH if school["enrolment"] is None else fmt.number(school["enrolment"])
    return (
        ("Код школы", fmt.text(school["school_id"])),
        ("Муниципалитет", fmt.text(school["municipality_name"])),
        ("Вид школы", school_type(marts, school["school_type"])),
        ("Местность", labels.SETTLEMENT.get(school["settlement_type"] or "", DASH)),
        ("Обучающихся", enrolment),
        ("Учебный год списка", fmt.year(year)),
        ("Положение", fmt.text(status["status_ru"])),
        ("Формат поддержки", labels.SUPPORT_FORMAT[status["support_format"]]),
        ("Сведения", f"{marts.maturity_ru(year)}, {marts.release_ru} от {fmt.day(marts.release_day)}"),
    )


def school_type(marts: Marts, known: str | None) -> str:
    titles = {item.school_type: item.title_ru for item in marts.reference.school_types}
    return fmt.text(titles.get(known or "", known))


def _reasons(status: MartRow) -> Section:
    lines = [_sentence(f"Школа {status['status_ru']} на {fmt.year(status['academic_year'])} учебный год")]
    if status["shnor_basis"]:
        lines.append(_sentence(f"Основание по методике: {labels.BASIS[status['shnor_basis']]}"))
    if status["is_shnor"] and status["years_listed_in_a_row"] > 1:
        years = fmt.counted(status["years_listed_in_a_row"], "год", "года", "лет")
        lines.append(f"В списке {years} подряд.")
    if status["is_at_risk"]:
        lines.append("По результатам текущего года школа в зоне риска.")
    if status["evidence_participants"] is not None:
        n = fmt.counted(status["evidence_participants"], "участнике", "участниках", "участниках")
        holds = {True: "; признак держится и с учётом интервалов", False: "; с учётом интервалов признак не держится"}
        lines.append(
            _sentence(
                f"Основание держится на {n}, надёжность: {status['reliability_ru']}"
                + holds.get(status["holds_at_confidence"], "")
            )
        )
    if status["undecided_reason_ru"]:
        lines.append(_sentence(f"Чего не хватило для решения: {status['undecided_reason_ru']}"))
    if status["credibility_ru"]:
        lines.append(_sentence(f"Достоверность: {status['credibility_ru']}"))
    if status["decided_from_years"]:
        lines.append(_sentence(f"Решено по: {status['decided_from_years']}"))
    head, _, listed = str(status["reason_ru"]).partition(": ")
    points = tuple(fmt.text(part) for part in listed.split("; ")) if "; " in listed else ()
    lines.append(_sentence(head[:1].upper() + head[1:] + (":" if points else f": {listed}" if listed else "")))
    return Section(tuple(lines), points, title_ru="" if status["is_shnor"] else "Почему школа не в списке")


def _sentence(said: str) -> str:
    said = fmt.text(said).strip()
    return said if said.endswith((".", ":", "!", "?")) else f"{said}."


# --- evidence ------------------------------------------------------------------------------------------


def _results(marts: Marts, school_id: str, list_year: str) -> list[MartRow]:
    """Both years that decide and the current one, newest first, procedures in the order of showing."""
    found = marts.rows(
        "select * from procedure_result where school_id = $1 and academic_year in ($2, $3, $4)",
        school_id,
        list_year,
        *years_before(list_year, 2),
    )
    return sorted(marts.in_order(found), key=lambda row: row["academic_year"], reverse=True)


def _evidence(marts: Marts, results: list[MartRow], list_year: str) -> Section:
    current = [row for row in results if row["academic_year"] == list_year]
    if all(row["participants"] is None for row in current):
        results = [row for row in results if row["academic_year"] != list_year]
    rows = tuple(evidence_row(marts, row) for row in results)
    held = [row for row in results if row["below_share"] is not None]
    note = (
        "Доля — участники, не преодолевшие минимум, ко всем участникам процедуры. Интервал Уилсона, 95 %. "
        "Низкий результат — доля не меньше "
        f"{fmt.share(marts.threshold, 0)}; сравниваются целые числа, а не округлённые проценты."
    )
    chart = None
    if held:
        marks = tuple(
            Mark(
                f"{fmt.year(row['academic_year'])}  {marts.short(row['procedure_id'])}  {_n(row['participants'])}",
                row["below_share"],
                row["share_ci_low"],
                row["share_ci_high"],
                is_flagged=bool(row["is_low"]),
            )
            for row in held
        )
        told = "; ".join(
            f"{said['year']} {said['procedure']}: {said['below_share']}"
            for said in (evidence_row(marts, row) for row in held)
        )
        chart = IntervalChart(
            title_ru="Доля участников ниже минимума по процедурам и годам, %, с интервалом 95 %",
            axis_ru="Участников ниже минимума, %",
            marks=marks,
            alt_ru=f"Доля участников ниже минимума по процедурам и годам: {told}. Те же величины стоят в таблице.",
            value_ru="результат не низкий",
            flag_ru="результат низкий",
            limit=marts.threshold,
            limit_ru=f"порог {fmt.share(marts.threshold, 0)}",
        )
    lines = () if rows else ("Результатов за эти годы нет.",)
    return Section(lines, rows=rows, note_ru=fmt.text(note), chart=chart)


def _n(count: int) -> str:
    return f"(n = {fmt.number(count)})"


def evidence_row(marts: Marts, row: MartRow) -> dict[str, str]:
    state = labels.RESULT_STATE[row["state"]]
    unknown = row["state"] == "held" and row["below_minimum"] is None
    return {
        "year": fmt.year(row["academic_year"]),
        "procedure": marts.short(row["procedure_id"]),
        "participants": fmt.number(row["participants"]),
        "below_minimum": fmt.number(row["below_minimum"]),
        "below_share": fmt.share(row["below_share"]),
        "interval": fmt.interval(row["share_ci_low"], row["share_ci_high"]),
        "is_low": fmt.yes(row["is_low"]),
        "reliability": state or ("отметок нет" if unknown else fmt.text(row["reliability_ru"])),
    }


# --- conditions, risks ---------------------------------------------------------------------------------


def _components(marts: Marts, school_id: str, context: MartRow | None, list_year: str) -> list[MartRow]:
    """Known conditions of the year that the expectation was made with, else of the newest year before the list's."""
    year = context["context_year"] if context else None
    return marts.rows(
        """
        select * from context_component where school_id = $1 and is_known and academic_year = coalesce(
            $2, (select max(academic_year) from context_component where school_id = $1 and academic_year <= $3))
        order by component_group = 'territory' desc, component_group = 'social' desc, component_group, title_ru
        """,
        school_id,
        year,
        list_year,
    )


def _conditions(status: MartRow, context: MartRow | None, components: list[MartRow]) -> Section:
    lines = [
        _sentence(f"Неблагоприятные социальные условия: {status['adverse_conditions_ru']}"),
        _sentence(f"Ресурсы: {status['resource_deficit_ru']}"),
    ]
    if context is not None and context["observed_result"] is not None and context["expected_result"] is not None:
        lines.append(
            fmt.text(
                f"Сопоставимый результат {fmt.year(context['academic_year'])} учебного года — "
                f"{fmt.number(context['observed_result'], 1)} %, обычный для таких условий — "
                f"{fmt.number(context['expected_result'], 1)} %, "
                f"по региону — {fmt.number(context['region_result'], 1)} %; "
                f"разница с ожидаемым — от {fmt.number(context['residual_low'], 1)} до "
                f"{fmt.number(context['residual_high'], 1)} п. п. (участий {fmt.number(context['participants'])}, "
                f"школ в оценке {fmt.number(context['schools_in_fit'])})."
            )
        )
        lines.append(_sentence(f"Класс условий и результата: {context['context_class_ru']}"))
    elif context is not None and context["reason_ru"]:
        lines.append(_sentence(f"Ожидаемого результата нет: {context['reason_ru']}"))
    else:
        lines.append("Ожидаемого результата нет: условия школы неизвестны.")
    if context is not None and context["note_ru"]:
        lines.append(_sentence(f"Оговорка: {context['note_ru']}"))
    rows = tuple(
        {
            "title": fmt.text(row["title_ru"]),
            "value": component_value(row),
            "source": fmt.text(row["source_ru"]),
        }
        for row in components
    )
    if rows:
        lines.append(f"Условия {fmt.year(components[0]['academic_year'])} учебного года:")
    return Section(tuple(lines), rows=rows)


def component_value(row: MartRow) -> str:
    if row["value_ru"]:
        return fmt.text(row["value_ru"])
    if row["unit"] == "share":
        return fmt.share(row["value"])
    return fmt.short_number(row["value"])


def _risks(risks: list[MartRow]) -> Section:
    if not risks:
        return Section(("Рискового профиля школы в данных нет.",))
    rows = tuple(
        {
            "factor": fmt.text(row["factor_ru"]),
            "level": fmt.text(row["level_ru"] and str(row["level_ru"]).removesuffix(" значимость")),
            "chosen": fmt.yes(row["is_chosen"]),
            "stage": _stage(row),
        }
        for row in risks
    )
    known = sum(row["level"] is not None for row in risks)
    lines = [f"Цикл {risks[0]['cycle_year']} года; значимость известна у {known} из {len(risks)} факторов."]
    if any(row["origin"] == "scored" for row in risks):
        lines.append("Часть уровней посчитана по анкетам, а не прислана готовой.")
    return Section(tuple(fmt.text(line) for line in lines), rows=rows)


def _stage(row: MartRow) -> str:
    if not row["stage_ru"]:
        return DASH
    status = labels.STAGE_STATUS.get(row["stage_status"] or "", "")
    return fmt.text(f"{row['stage_ru']}: {status}" + (f", срок {fmt.day(row['stage_due_on'])}" if status else ""))


# --- deficits ------------------------------------------------------------------------------------------


def deficit_rows(marts: Marts, level: str, territory_id: str, list_year: str) -> list[MartRow]:
    """The first tasks to teach again, by work: of the newest year before the list that has any."""
    return marts.rows(
        """
        with newest as (
            select max(academic_year) as academic_year from task_deficit
            where territory_level = $1 and territory_id = $2 and academic_year < $3 and teach_again_order is not null)
        select d.*, i.title_ru, i.tasks_ru
        from task_deficit as d join newest using (academic_year)
        left join task_item as i using (academic_year, procedure_id, item_kind, item_id)
        where d.territory_level = $1 and d.territory_id = $2 and d.teach_again_order between 1 and $4
            and d.item_kind = 'task'
        order by d.procedure_id, d.teach_again_order
        """,
        level,
        territory_id,
        list_year,
        DEFICITS_SHOWN,
    )


def deficit_section(marts: Marts, deficits: list[MartRow], whose_ru: str) -> Section:
    if not deficits:
        return Section(("Заданий к повторению нет: либо их не нашлось, либо ответов по заданиям не прислали.",))
    rows = tuple(
        {
            "order": fmt.number(row["teach_again_order"]),
            "procedure": marts.short(row["procedure_id"]),
            "item": fmt.text(f"Задание {row['item_id']}" + (f". {row['title_ru']}" if row["title_ru"] else "")),
            "pupils": fmt.number(row["pupils_count"]),
            "completion": fmt.share(row["completion_share"]),
            "interval": fmt.interval(row["share_ci_low"], row["share_ci_high"]),
            "region": fmt.share(row["region_completion_share"]),
            "gap": fmt.points(row["gap"]),
            "severity": labels.SEVERITY[row["severity"]],
        }
        for row in deficits
    )
    first = [row for row in deficits if row["teach_again_order"] <= 2 and row["completion_share"] is not None][:16]
    chart = IntervalChart(
        title_ru="Первые задания к повторению: выполнение, %, с интервалом 95 %",
        axis_ru="Выполнение задания, % от возможных баллов",
        marks=tuple(
            Mark(
                f"{marts.short(row['procedure_id'])}, задание {row['item_id']}  {_n(row['pupils_count'])}",
                row["completion_share"],
                row["share_ci_low"],
                row["share_ci_high"],
                other=row["region_completion_share"],
            )
            for row in first
        ),
        alt_ru="Выполнение заданий к повторению рядом с регионом: "
        + "; ".join(
            f"{marts.short(row['procedure_id'])}, задание {row['item_id']}: {fmt.share(row['completion_share'])} "
            f"при {fmt.share(row['region_completion_share'])} в регионе"
            for row in first
        )
        + ". Те же величины стоят в таблице.",
        value_ru=whose_ru,
        other_ru="регион",
    )
    year = fmt.year(deficits[0]["academic_year"])
    return Section(
        (f"Работы {year} учебного года; у каждой работы не больше {DEFICITS_SHOWN} заданий, с которых начать.",),
        rows=rows,
        note_ru=fmt.text("Разница — выполнение минус выполнение в регионе. n — участники, у которых есть ответ."),
        chart=chart,
    )


# --- partner, measures ---------------------------------------------------------------------------------


def _partner(marts: Marts, partners: list[MartRow]) -> Section:
    if not partners:
        return Section(("Партнёр не подбирался: школы нет в списках поддержки этого года.",))
    lines = []
    for row in partners:
        leader = marts.one("select * from school where school_id = $1", row["leader_school_id"])
        if leader is not None:
            name = f"{fmt.text(leader['school_name'])}, {fmt.text(leader['municipality_name'])}"
            signed = f" от {fmt.day(row['signed_on'])}" if row["signed_on"] else ""
            number = f" № {row['agreement_number']}" if row["agreement_number"] else ""
            lines.append(fmt.text(f"{name} — {labels.ORIGIN[row['origin']]}{number}{signed}."))
        lines.append(_sentence(row["reason_ru"]))
    return Section(tuple(lines))


def _measures(marts: Marts, school: MartRow, list_year: str) -> Section:
    """Programmes whose list has the school, and the roadmap of those of its territory."""
    rows = marts.rows(
        """
        select m.*, l.list_year from measure as m
        join programme_list as l on l.programme_id = m.programme_id and l.period = m.period
        where l.school_id = $1 and l.is_listed and l.list_year = $2 and m.status <> 'done'
            and m.territory_id in ($3, $4)
        order by m.programme_id, m.status <> 'overdue', m.sort_order
        """,
        school["school_id"],
        list_year,
        school["municipality_id"],
        school["region_code"],
    )
    if not rows:
        return Section(("Ни в одну из описанных программ этого года школа не входит.",))
    return Section(
        ("Мероприятия программ, в списки которых входит школа; сделанные не показаны.",),
        rows=tuple(
            {
                "programme": fmt.text(row["programme_id"]),
                "measure": fmt.text(f"{row['number']} {row['title_ru']}"),
                "due": fmt.day(row["due_on"]),
                "status": labels.MEASURE_STATUS[row["status"]],
                "who": fmt.text(row["responsible_ru"]),
            }
            for row in rows
        ),
    )
