"""Names that assets of all stages share: owners, pools, metadata of columns.

What belongs here: words, and the translation of the registry into Dagster's metadata. What does not: assets.
"""

import dagster as dg

from schemas.registry import Table

OWNERS = ["team:data-engineering"]
# Two runs never take files in, nor build and publish, at the same time: each pool has one slot.
INTAKE_POOL = "intake"
PUBLISH_POOL = "publish"
POOLS = (INTAKE_POOL, PUBLISH_POOL)


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
