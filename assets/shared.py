"""What assets of all stages share: owners, pools, the run they work for, metadata of columns.

What belongs here: words, and the translation between Opora and Dagster. What does not: assets.
"""

import dagster as dg

from schemas.registry import Table

OWNERS = ["team:data-engineering"]
# Two runs never take files in, nor build and publish, at the same time: each pool has one slot.
INTAKE_POOL = "intake"
PUBLISH_POOL = "publish"
POOLS = (INTAKE_POOL, PUBLISH_POOL)


def run_of(context: dg.AssetExecutionContext) -> str:
    """The run whose build file is used: a retry goes on with the file of the first try."""
    return context.run.root_run_id or context.run_id


def column_schema(spec: Table) -> dg.TableSchema:
    """Columns with type, Russian description and constraints, as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=". ".join(part for part in (column.label_ru, column.description_ru) if part),
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required,
                    other=[f"одно из: {', '.join(column.vocabulary)}"] if column.vocabulary else [],
                ),
            )
            for column in spec.columns
        ]
    )
