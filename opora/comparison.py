"""What differs between two releases: marts and columns, rows, and every school whose standing changed, with the cause.

What belongs here: the comparison and its words. What does not: which releases are compared and what version follows
(`opora/versions.py`), and figures, which the marts hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb

from opora.home import write_json, write_whole
from opora.release import Release
from opora.safe_text import safe_markdown
from opora.sql import quoted, rows_of
from schemas.registry import tables

Cause = Literal["new_year", "new_data", "corrected_data", "withdrawn_data", "register", "method", "code_or_reference"]
CAUSES_RU: dict[Cause, str] = {
    "new_year": "новый учебный год",
    "new_data": "новые данные",
    "corrected_data": "исправленные данные",
    "withdrawn_data": "данные отозваны",
    "register": "сведения о школе",
    "method": "методика",
    "code_or_reference": "код или справочники",
}
DIFF_JSON, DIFF_MD = "diff.json", "diff.md"
_ABSENT_RU = "не было в выпуске"
# Fractions no further apart are the same: sums and fits end in other digits on another machine.
_ROUNDING = 1e-9
# Columns of keys by which large marts fall into parts.
_PARTS = ("academic_year", "procedure_id")
# The columns whose change is a change of a school's standing.
_STANDING = ("status", "shnor_basis", "listing", "support_format", "is_at_risk")


@dataclass(frozen=True)
class MartChange:
    """How one mart differs: rows by key, columns by name."""

    mart: str
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        moved = self.added or self.removed or self.changed
        return not (moved or self.columns_added or self.columns_removed or self.columns_retyped)


@dataclass(frozen=True)
class ResultChange:
    """One result behind a school's standing that differs between the releases."""

    academic_year: str
    procedure_id: str
    before_ru: str
    after_ru: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class SchoolChange:
    """A school whose standing in the list of a year changed, and why."""

    academic_year: str
    school_id: str
    school_name: str
    municipality_name: str
    before: str | None
    after: str | None
    before_ru: str
    after_ru: str
    causes: tuple[Cause, ...]
    results: tuple[ResultChange, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between a former release and a later one."""

    former_id: str
    release_id: str
    marts_added: tuple[str, ...]
    marts_removed: tuple[str, ...]
    years_added: tuple[str, ...]
    years_removed: tuple[str, ...]
    list_years: tuple[str, ...]
    schools_removed: int
    methods_changed: tuple[str, ...]
    inputs_added: tuple[str, ...]
    inputs_replaced: tuple[str, ...]
    inputs_removed: tuple[str, ...]
    marts: tuple[MartChange, ...] = ()
    schools: tuple[SchoolChange, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


# --- comparing -----------------------------------------------------------------------------------------


def compare(former: Release, later: Release, means: Mapping[str, Any] | None = None) -> Comparison:
    """The later release against the former one. Both are only read; `means` are settings of the connection."""
    inputs = _inputs(former, later)
    with duckdb.connect(config=dict(means or {})) as connection:
        for name, release in (("former", former), ("later", later)):
            connection.execute(f"attach {quoted(release.database)} as {name} (read_only)")
        marts_before, marts_after = _marts(connection, "former"), _marts(connection, "later")
        years = _years(connection, "former"), _years(connection, "later")
        common = [mart for mart in marts_after if mart in marts_before]
        return Comparison(
            former_id=former.release_id,
            release_id=later.release_id,
            marts_added=tuple(sorted(set(marts_after) - set(marts_before))),
            marts_removed=tuple(sorted(set(marts_before) - set(marts_after))),
            years_added=tuple(sorted(years[1] - years[0])),
            years_removed=tuple(sorted(years[0] - years[1])),
            list_years=tuple(sorted(years[1])),
            schools_removed=_one(
                connection, "select count(*) from former.school anti join later.school using (school_id)"
            ),
            methods_changed=_methods(former, later),
            inputs_added=inputs.added,
            inputs_replaced=inputs.replaced,
            inputs_removed=inputs.removed,
            marts=tuple(_mart_change(connection, mart, marts_before[mart], marts_after[mart]) for mart in common),
            schools=tuple(_school_changes(connection, former, later, inputs, years[0])),
        )


@dataclass(frozen=True)
class _Inputs:
    """Deliveries that the later release rests on and the former did not, and the other way round."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    replacements: frozenset[str]
    files: Mapping[str, str]


def _inputs(former: Release, later: Release) -> _Inputs:
    before, after = _active(former), _active(later)
    all_after = {item["delivery_id"]: item for item in later.manifest["inputs"]}
    gone = set(before) - set(after)
    replaced = {name for name in gone if (all_after.get(name) or {}).get("replaced_by")}
    files = {
        item["delivery_id"]: Path(item["paths"][0]).name if item["paths"] else item["delivery_id"]
        for item in (*former.manifest["inputs"], *later.manifest["inputs"])
    }
    return _Inputs(
        added=tuple(sorted(set(after) - set(before))),
        replaced=tuple(sorted(replaced)),
        removed=tuple(sorted(gone - replaced)),
        replacements=frozenset(str(all_after[name]["replaced_by"]) for name in replaced),
        files=files,
    )


def _active(release: Release) -> dict[str, Mapping[str, Any]]:
    return {
        item["delivery_id"]: item
        for item in release.manifest["inputs"]
        if item["status"] != "refused" and not item["replaced_by"]
    }


def _methods(former: Release, later: Release) -> tuple[str, ...]:
    """Methods whose settings differ, came or went."""
    before, after = (
        {item["method_id"]: item.get("settings_hash") for item in release.manifest["methods"]}
        for release in (former, later)
    )
    return tuple(sorted(name for name in before | after if before.get(name) != after.get(name)))


def _marts(connection: duckdb.DuckDBPyConnection, release: str) -> dict[str, dict[str, str]]:
    """Marts of a release: their columns and types."""
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = $1 order by all",
        [release],
    ).fetchall()
    for mart, column, kind in rows:
        found.setdefault(mart, {})[column] = kind
    return found


def _years(connection: duckdb.DuckDBPyConnection, release: str) -> set[str]:
    return {
        year for (year,) in connection.execute(f"select distinct academic_year from {release}.school_status").fetchall()
    }


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _mart_change(
    connection: duckdb.DuckDBPyConnection, mart: str, before: Mapping[str, str], after: Mapping[str, str]
) -> MartChange:
    key = [name for name in _keys().get(mart, ()) if name in before and name in after]
    common = {name: after[name] for name in sorted(after) if before.get(name) == after[name]}
    counts = (_one(connection, f"select count(*) from {release}.{mart}") for release in ("former", "later"))
    rows_before, rows_after = counts
    moved = [_moved(connection, mart, key, common, where) for where in _differing(connection, mart, key, common)]
    return MartChange(
        mart=mart,
        rows_before=rows_before,
        rows_after=rows_after,
        added=sum(added for added, _, _ in moved),
        removed=sum(removed for _, removed, _ in moved),
        changed=sum(changed for _, _, changed in moved),
        columns_added=tuple(sorted(set(after) - set(before))),
        columns_removed=tuple(sorted(set(before) - set(after))),
        columns_retyped=tuple(sorted(name for name in before if name in after and before[name] != after[name])),
    )


def _differing(
    connection: duckdb.DuckDBPyConnection, mart: str, key: Sequence[str], common: Mapping[str, str]
) -> Iterator[str]:
    """Conditions on a row, each for a part of a mart that differs: its years and procedures, if its key has them.

    What is the same need not be joined, and a part of a country fits into memory where the whole does not.
    """
    if not key:
        return
    by = [name for name in _PARTS if name in key]
    columns = ", ".join(f'"{name}"' for name in common)
    sums = f"select {', '.join([*by, 'count(*) as n'])}, sum(cast(hash({columns}) as hugeint)) as total from"
    grouped = "group by all" if by else ""
    parts = connection.execute(f"""
        select {", ".join(f"coalesce(f.{name}, l.{name})" for name in by) or "true"}
        from ({sums} former.{mart} {grouped}) as f full join ({sums} later.{mart} {grouped}) as l on {_same(by)}
        where (f.n, f.total) is distinct from (l.n, l.total)
        order by all
    """).fetchall()
    for values in parts:
        told = zip(by, values, strict=True) if by else ()
        yield " and ".join(f"{name} is not distinct from {_literal(value)}" for name, value in told) or "true"


def _same(names: Sequence[str]) -> str:
    """That a row of both has the same there; rows without names are all the same."""
    return " and ".join(f'f."{name}" is not distinct from l."{name}"' for name in names) or "true"


def _differs(name: str, kind: str) -> str:
    """That a column of a row differs; a fraction by more than another machine's last digits."""
    was, now = f'f."{name}"', f'l."{name}"'
    differs = f"{was} is distinct from {now}"
    if kind != "DOUBLE":
        return differs
    is_more = f"abs({was} - {now}) > {_ROUNDING} * greatest(1, abs({was}), abs({now}))"
    return f"({differs} and coalesce({is_more}, true))"


def _literal(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _moved(
    connection: duckdb.DuckDBPyConnection, mart: str, key: Sequence[str], common: Mapping[str, str], where: str
) -> tuple[int, int, int]:
    """Rows by key that were added, removed and changed in a part of a mart."""
    differs = " or ".join(_differs(name, kind) for name, kind in common.items() if name not in key)
    rows = "select *, true as is_there from"
    return connection.execute(f"""
        select
            count(*) filter (where f.is_there is null),
            count(*) filter (where l.is_there is null),
            count(*) filter (where f.is_there and l.is_there and ({differs or "false"}))
        from ({rows} former.{mart} where {where}) as f
        full join ({rows} later.{mart} where {where}) as l on {_same(key)}
    """).fetchone() or (0, 0, 0)


def _keys() -> dict[str, tuple[str, ...]]:
    return {mart.table: mart.primary_key for mart in tables("marts")}


# --- schools -------------------------------------------------------------------------------------------


def _school_changes(
    connection: duckdb.DuckDBPyConnection, former: Release, later: Release, inputs: _Inputs, years_before: set[str]
) -> Iterator[SchoolChange]:
    """Every school × list year whose standing differs, in the order of years and names."""
    methods = _methods(former, later)
    results = _result_changes(connection, inputs)
    registered = _register_changes(connection)
    before, after = _deliveries(connection, "former"), _deliveries(connection, "later")
    for row in _standings(connection):
        year, school_id = row["academic_year"], row["school_id"]
        mine = [item for item in results.get(school_id, ()) if _reaches(item.academic_year, year)]
        causes = set(_causes_of_results(_behind(before, school_id, year), _behind(after, school_id, year), inputs))
        if school_id in registered:
            causes.add("register")
        if methods and (row["method_before"] != row["method_after"] or row["method_after"] in methods):
            causes.add("method")
        if year not in years_before:
            causes.add("new_year")
        yield SchoolChange(
            academic_year=year,
            school_id=school_id,
            school_name=row["school_name"] or school_id,
            municipality_name=row["municipality_name"] or "",
            before=row["status_before"],
            after=row["status_after"],
            before_ru=row["reason_before"] or _ABSENT_RU,
            after_ru=row["reason_after"] or _ABSENT_RU,
            causes=tuple(cause for cause in CAUSES_RU if cause in (causes or {"code_or_reference"})),
            results=tuple(mine),
        )


def _standings(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    differs = " or ".join(f"before.{name} is distinct from after.{name}" for name in _STANDING)
    # a year that is new is told by its list; only what differs from «not in a list» is a change of a school
    found = connection.execute(
        f"""
        select coalesce(after.academic_year, before.academic_year) as academic_year,
               coalesce(after.school_id, before.school_id) as school_id,
               coalesce(named.school_name, gone.school_name) as school_name,
               coalesce(named.municipality_name, gone.municipality_name) as municipality_name,
               before.status as status_before, after.status as status_after,
               before.status_ru || coalesce(' (' || before.reason_ru || ')', '') as reason_before,
               after.status_ru || coalesce(' (' || after.reason_ru || ')', '') as reason_after,
               before.method_id as method_before, after.method_id as method_after
        from former.school_status as before
        full join later.school_status as after using (academic_year, school_id)
        left join later.school as named on named.school_id = coalesce(after.school_id, before.school_id)
        left join former.school as gone on gone.school_id = coalesce(after.school_id, before.school_id)
        where ({differs})
          and (coalesce(before.status, 'none') not in ('none', 'not_assessed')
               or coalesce(after.status, 'none') not in ('none', 'not_assessed')
               or (before.status is not null and after.status is not null and before.status <> after.status))
        order by academic_year, municipality_name, school_name, school_id
        """
    )
    return rows_of(found)


def _result_changes(connection: duckdb.DuckDBPyConnection, inputs: _Inputs) -> dict[str, list[ResultChange]]:
    """Results that differ, by school: counts before and after, and the files they rest on now."""
    rows = connection.execute(
        """
        select school_id, academic_year, procedure_id,
               before.below_minimum, before.participants, before.state,
               after.below_minimum, after.participants, after.state, after.delivery_ids
        from former.procedure_result as before
        full join later.procedure_result as after using (academic_year, school_id, procedure_id)
        where (before.participants, before.below_minimum, before.is_low)
              is distinct from (after.participants, after.below_minimum, after.is_low)
        order by all
        """
    ).fetchall()
    found: dict[str, list[ResultChange]] = {}
    for school, year, procedure, k0, n0, state0, k1, n1, state1, deliveries in rows:
        files = tuple(inputs.files.get(name, name) for name in (deliveries or "").split(";") if name)
        change = ResultChange(year, procedure, _result_ru(k0, n0, state0), _result_ru(k1, n1, state1), files)
        found.setdefault(school, []).append(change)
    return found


def _result_ru(below: int | None, participants: int | None, state: str | None) -> str:
    if participants is None:
        return {"not_delivered": "не прислано", None: _ABSENT_RU}.get(state, "результата нет")
    return f"{below if below is not None else '?'} из {participants}"


def _deliveries(connection: duckdb.DuckDBPyConnection, release: str) -> dict[str, list[tuple[str, frozenset[str]]]]:
    """The deliveries behind the results of every school, by year."""
    found: dict[str, list[tuple[str, frozenset[str]]]] = {}
    rows = connection.execute(
        f"""
        select school_id, academic_year, string_agg(distinct delivery_ids, ';')
        from {release}.procedure_result where delivery_ids is not null group by all
        """
    ).fetchall()
    for school, year, names in rows:
        found.setdefault(school, []).append((year, frozenset(names.split(";"))))
    return found


def _behind(
    deliveries: Mapping[str, Sequence[tuple[str, frozenset[str]]]], school_id: str, year: str
) -> frozenset[str]:
    """What a school's place in the list of a year rests on."""
    reached = [names for of, names in deliveries.get(school_id, ()) if _reaches(of, year)]
    return frozenset().union(*reached)


def _causes_of_results(before: frozenset[str], after: frozenset[str], inputs: _Inputs) -> Iterator[Cause]:
    """What happened to the deliveries behind a school's results."""
    came, went = after - before, before - after
    if came & inputs.replacements or went & set(inputs.replaced):
        yield "corrected_data"
    if came & set(inputs.added) - inputs.replacements:
        yield "new_data"
    if went & set(inputs.removed):
        yield "withdrawn_data"


def _reaches(result_year: str, list_year: str) -> bool:
    """Whether results of a year bear on a list: its own year (risk zone) and the two before it."""
    return 0 <= int(list_year[:4]) - int(result_year[:4]) <= 2


def _register_changes(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        """
        select school_id from former.school as f join later.school as l using (school_id)
        where (f.school_type, f.is_excluded, f.excluded_reason, f.is_branch, f.merged_into_school_id, f.is_school)
              is distinct from
              (l.school_type, l.is_excluded, l.excluded_reason, l.is_branch, l.merged_into_school_id, l.is_school)
        """
    ).fetchall()
    return {school for (school,) in rows}


# --- words ---------------------------------------------------------------------------------------------


def write_comparison(folder: Path, comparison: Comparison, version: str) -> None:
    """`diff.json` and `diff.md` in a folder."""
    write_json(folder / DIFF_JSON, comparison.as_dict() | {"version": version})
    text = comparison_markdown(comparison, version)
    write_whole(folder / DIFF_MD, lambda part: part.write_text(text, encoding="utf-8"))


def comparison_markdown(comparison: Comparison, version: str) -> str:
    """The comparison for people: what changed, then every school by year."""
    lines = [
        f"# Что изменилось: версия {version}",
        "",
        f"Выпуск {comparison.release_id} против {comparison.former_id}.",
        "",
        *_summary_ru(comparison),
        "",
        "## Школы, положение которых изменилось",
        "",
        *(_schools_ru(comparison.schools) or ["Таких школ нет."]),
        "",
        "## Витрины",
        "",
        "| витрина | строк было | строк стало | новых | убыло | изменено | столбцы |",
        "|---|--:|--:|--:|--:|--:|---|",
        *(
            f"| {item.mart} | {item.rows_before} | {item.rows_after} | {item.added} | {item.removed} | {item.changed} "
            f"| {_columns_ru(item)} |"
            for item in comparison.marts
            if not item.is_same
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _summary_ru(comparison: Comparison) -> Iterator[str]:
    told = (
        ("Новые учебные годы", comparison.years_added),
        ("Учебных годов больше нет", comparison.years_removed),
        ("Новые витрины", comparison.marts_added),
        ("Витрин больше нет", comparison.marts_removed),
        ("Изменены методики", comparison.methods_changed),
    )
    for words, names in told:
        if names:
            yield f"* {words}: {', '.join(names)}."
    yield (
        f"* Поставок новых {len(comparison.inputs_added)}, заменено {len(comparison.inputs_replaced)}, "
        f"больше нет {len(comparison.inputs_removed)}."
    )
    if comparison.schools_removed:
        yield f"* Школ, которых больше нет: {comparison.schools_removed}."


def _schools_ru(schools: Sequence[SchoolChange]) -> list[str]:
    lines: list[str] = []
    for year in sorted({school.academic_year for school in schools}):
        lines += ["", f"### Список {year}", ""]
        for school in (item for item in schools if item.academic_year == year):
            causes = ", ".join(CAUSES_RU[cause] for cause in school.causes)
            where = ", ".join(
                part for part in (safe_markdown(school.school_name), safe_markdown(school.municipality_name)) if part
            )
            lines.append(f"* **{where}** ({school.school_id}). Причина: {causes}.")
            lines.append(f"    * было: {safe_markdown(school.before_ru)}")
            lines.append(f"    * стало: {safe_markdown(school.after_ru)}")
            lines += _results_ru(school.results)
    return lines[1:]


def _results_ru(results: Iterable[ResultChange]) -> Iterator[str]:
    for item in results:
        files = f" ({safe_markdown(', '.join(item.files))})" if item.files else ""
        yield f"    * {item.procedure_id} {item.academic_year}: было {item.before_ru}, стало {item.after_ru}{files}"


def _columns_ru(item: MartChange) -> str:
    parts = (("+", item.columns_added), ("−", item.columns_removed), ("тип: ", item.columns_retyped))
    return " ".join(f"{sign}{name}" for sign, names in parts for name in names)
