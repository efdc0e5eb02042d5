"""Expectations of marts, derived from the registry, and how Great Expectations holds files against them.

What belongs here: the translation of a table into a suite, and the run over pandas frames. What does not: which
columns a mart has and what they may hold (`schemas/marts/`), and pages (`pages.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq

from opora.warehouse import duckdb_settings, quoted
from schemas.registry import Column, Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation

SITE = "quality"
# Great Expectations holds a frame in memory several times over.
MOST_ROWS = 250_000


@dataclass(frozen=True)
class SuiteResult:
    """How one frame fared: the expectations that do not hold, in words."""

    name: str
    expectations: int
    failed_ru: tuple[str, ...]


def expectations_of(mart: Table) -> list[Expectation]:
    """Exactly the columns of the registry; the key; what is required; vocabularies, ranges and patterns."""
    import great_expectations.expectations as gxe

    key = list(mart.primary_key)
    found: list[Expectation] = [
        gxe.ExpectTableColumnsToMatchSet(column_set=mart.names, exact_match=True, notes="Столбцы по реестру."),
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


def no_rows() -> list[Expectation]:
    """What a frame of differences must be."""
    import great_expectations.expectations as gxe

    return [gxe.ExpectTableRowCountToEqual(value=0, notes="Расхождений нет.")]


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
    return context


def run_suite(
    context: EphemeralDataContext, name: str, frame: pd.DataFrame, expectations: Iterable[Expectation]
) -> SuiteResult:
    """Hold a frame against expectations; the result is kept in the context for its pages."""
    import great_expectations as gx

    source = context.data_sources.add_or_update_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
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


def frame_of(path: Path, mart: Table, most_rows: int = MOST_ROWS) -> pd.DataFrame:
    """The Parquet file of a mart as pandas sees it; repeated texts are categories, whole numbers stay whole.

    Of a longer file the rows that DuckDB finds to break something, or the first ones if it finds none: every
    expectation is about a row or the key, so that the verdict on these is the verdict on all.
    """
    import pandas as pd
    import pyarrow as pa

    texts = [column.name for column in mart.columns if column.type == "string"]
    whole = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    file = pq.ParquetFile(path, read_dictionary=texts)
    if file.metadata.num_rows <= most_rows:
        rows = file.read()
    else:
        rows = _breaking(path, mart, most_rows)
        rows = rows if rows.num_rows else pa.Table.from_batches([next(file.iter_batches(batch_size=most_rows))])
    return rows.to_pandas(types_mapper=whole.get)


def _breaking(path: Path, mart: Table, most_rows: int) -> pa.Table:
    """Rows that break an expectation of a column, and those whose key is met again."""
    rows = f"read_parquet({quoted(str(path))})"
    present = set(pq.read_schema(path).names)
    broken = [condition for column in mart.columns if column.name in present for condition in _broken(column)]
    if key := ", ".join(f'"{name}"' for name in mart.primary_key if name in present):
        broken.append(f"row({key}) in (select row({key}) from {rows} group by {key} having count(*) > 1)")
    with duckdb.connect(config=duckdb_settings(path)) as connection:
        query = f"select * from {rows} where {' or '.join(broken)} limit {most_rows}"
        return connection.execute(query).to_arrow_table()


def _broken(column: Column) -> Iterator[str]:
    """The conditions of SQL that an expectation of a column breaks under."""
    name = f'"{column.name}"'
    if column.required:
        yield f"{name} is null"
    if column.vocabulary:
        yield f"{name} not in ({', '.join(map(quoted, column.vocabulary))})"
    if column.at_least is not None:
        yield f"{name} < {column.at_least}"
    if column.at_most is not None:
        yield f"{name} > {column.at_most}"
    if column.pattern:
        yield f"not regexp_matches({name}, {quoted(column.pattern)})"
