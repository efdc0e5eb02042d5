"""Expectations of marts, derived from the registry, and how Great Expectations holds files against them.

What belongs here: the screen that finds rows which break something, the translation of a table into a suite, and the
run over pandas frames. What does not: which columns a mart has and what they may hold (`schemas/marts/`,
`schemas/conditions.py`), and pages (`pages.py`).

A suite costs seconds whatever it is held against, so DuckDB looks for the rows first. Of most marts there are none, and
that is what is expected of them; only a mart that has some is held against the suite of all its columns (ADR 18).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq

from opora.means import duckdb_settings
from opora.sql import quoted
from schemas.conditions import Condition, bad_value, missing_value
from schemas.registry import Column, Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation

SITE = "quality"
_FRAMES = "frames"
# Great Expectations holds a frame in memory several times over.
MOST_ROWS = 250_000
_COLUMNS_RU = "Столбцы по реестру."


@dataclass(frozen=True)
class SuiteResult:
    """How one frame fared: the expectations that do not hold, in words, of how many.

    `looked_for_ru` says which rows a frame is made of, where its expectations are only that there are none.
    """

    name: str
    expectations: int
    failed_ru: tuple[str, ...]
    looked_for_ru: tuple[str, ...] = ()


def expectations_of(mart: Table) -> list[Expectation]:
    """Exactly the columns of the registry; the key; what is required; vocabularies, ranges and patterns, one by one."""
    import great_expectations.expectations as gxe

    key = list(mart.primary_key)
    found: list[Expectation] = [
        gxe.ExpectTableColumnsToMatchSet(column_set=mart.names, exact_match=True, notes=_COLUMNS_RU),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=key, notes="Ключ не повторяется.")
        if len(key) > 1
        else gxe.ExpectColumnValuesToBeUnique(column=key[0], notes="Ключ не повторяется."),
    ]
    for column in mart.columns:
        found += _expectations_of_column(column)
    return found


def _expectations_of_column(column: Column) -> Iterator[Expectation]:
    import great_expectations.expectations as gxe

    named: dict[str, Any] = {"column": column.name, "notes": column.label_ru}
    if column.required:
        yield gxe.ExpectColumnValuesToNotBeNull(**named)
    if column.vocabulary:
        yield gxe.ExpectColumnValuesToBeInSet(value_set=list(column.vocabulary), **named)
    if column.at_least is not None or column.at_most is not None:
        yield gxe.ExpectColumnValuesToBeBetween(min_value=column.at_least, max_value=column.at_most, **named)
    if column.pattern:
        yield gxe.ExpectColumnValuesToMatchRegex(regex=column.pattern, **named)


def no_breaking_rows(mart: Table) -> list[Expectation]:
    """What the rows that the screen found must be: of the columns of the registry, and none."""
    import great_expectations.expectations as gxe

    columns = gxe.ExpectTableColumnsToMatchSet(column_set=mart.names, exact_match=True, notes=_COLUMNS_RU)
    return [columns, *no_rows()]


def no_rows() -> list[Expectation]:
    """What a frame of differences, or of rows that break something, must be."""
    import great_expectations.expectations as gxe

    return [gxe.ExpectTableRowCountToEqual(value=0, notes="Таких строк нет.")]


def open_context(pages: Path) -> EphemeralDataContext:
    """A context in memory that reports nowhere and whose site lies in a folder."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    settings = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    context = gx.get_context(mode="ephemeral", project_config=settings)
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(pages)}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    context.add_data_docs_site(SITE, {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": index})
    # one source for all frames: with each that is added the whole configuration is written anew
    context.data_sources.add_pandas(_FRAMES).add_dataframe_asset(_FRAMES).add_batch_definition_whole_dataframe(_FRAMES)
    return context


def run_suite(
    context: EphemeralDataContext, name: str, frame: pd.DataFrame, expectations: Iterable[Expectation]
) -> SuiteResult:
    """Hold a frame against expectations; the result is kept in the context for its pages."""
    import great_expectations as gx

    batch = context.data_sources.get(_FRAMES).get_asset(_FRAMES).get_batch_definition(_FRAMES)
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    run_id = gx.RunIdentifier(run_name=name)
    outcome = definition.run(batch_parameters={"dataframe": frame}, result_format="BOOLEAN_ONLY", run_id=run_id)
    if not outcome.success:  # counts and examples cost twice the verdict, so only those that fail tell them
        outcome = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY", run_id=run_id)
    failed = tuple(_words(item.to_json_dict()) for item in outcome.results if not item.success)
    return SuiteResult(name, len(outcome.results), failed)


def _words(result: Mapping[str, Any]) -> str:
    """One expectation that does not hold: the column, what was expected, how many values differ, one of them."""
    config, found = result["expectation_config"], result.get("result") or {}
    where = config["kwargs"].get("column") or ", ".join(config["kwargs"].get("column_list", ())) or "таблица"
    if (result.get("exception_info") or {}).get("exception_message"):
        return f"{where}: {config['type']}: проверка не выполнена"
    counted = found.get("unexpected_count")
    examples = found.get("partial_unexpected_list") or [found.get("observed_value")]
    return f"{where}: {config['type']}: нарушений {counted if counted is not None else '—'}, например {examples[0]}"


# --- the screen --------------------------------------------------------------------------------------------


def hold_marts(
    context: EphemeralDataContext, folder: Path, marts: Sequence[Table], most_rows: int = MOST_ROWS
) -> list[SuiteResult]:
    """Hold the Parquet files of marts against the registry: rows that break something, against all expectations."""
    with duckdb.connect(config=duckdb_settings(folder)) as connection:
        return [_hold_mart(context, connection, folder, mart, most_rows) for mart in marts]


def _hold_mart(
    context: EphemeralDataContext, connection: duckdb.DuckDBPyConnection, folder: Path, mart: Table, most_rows: int
) -> SuiteResult:
    rows = breaking_rows(connection, folder / f"{mart.table}.parquet", mart, most_rows)
    if rows.num_rows:
        return run_suite(context, mart.table, _frame(rows), expectations_of(mart))
    result = run_suite(context, mart.table, _frame(rows), no_breaking_rows(mart))
    return replace(result, looked_for_ru=tuple(_looked_for(mart)))


def breaking_rows(connection: duckdb.DuckDBPyConnection, path: Path, mart: Table, most_rows: int) -> pa.Table:
    """Rows of a file that break a condition of a column, and those whose key is met again; not more than some.

    Every expectation is about a row or the key, so that the verdict on these is the verdict on all.
    """
    rows = f"read_parquet({quoted(path)})"
    present = set(pq.read_schema(path).names)
    broken = [condition.sql for condition in _conditions(mart) if condition.column in present]
    if key := ", ".join(f'"{name}"' for name in mart.primary_key if name in present):
        broken.append(f"({key}) in (select ({key}) from {rows} group by {key} having count(*) > 1)")
    query = f"select * from {rows} where {' or '.join(broken) or 'false'} limit {most_rows}"
    return connection.execute(query).to_arrow_table()


def _looked_for(mart: Table) -> Iterator[str]:
    """What the screen looks for, as the page of a mart tells it."""
    yield f"ключ {', '.join(mart.primary_key)} повторяется"
    for item in _conditions(mart):
        yield f"{item.column} ({mart.column(item.column).label_ru}): {item.words_ru}"


def _conditions(mart: Table) -> list[Condition]:
    return [condition for column in mart.columns for condition in (*missing_value(column), *bad_value(column))]


def _frame(rows: pa.Table) -> pd.DataFrame:
    """Rows as pandas sees them; whole numbers and flags stay what they are beside missing ones."""
    import pandas as pd
    import pyarrow as pa

    return rows.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get)
