"""Models name no engine: what only DuckDB understands stands in dbt/macros/dialect.sql, the form of Spark beside it.

`make spark-test` compares the marts of Spark; this says at once, and without Spark, which words would stop it there.
"""

from __future__ import annotations

import re

import pytest

from opora.dbt_project import PROJECT_DIR

DIALECT = PROJECT_DIR / "macros" / "dialect.sql"
FILES = [
    path for folder in ("models", "macros") for path in sorted((PROJECT_DIR / folder).rglob("*.sql")) if path != DIALECT
]
# What only DuckDB runs, or runs otherwise than Spark, and what to write instead.
ONLY_DUCKDB = {
    r"\bexclude\s*\(": "{{ without('a, b') }}",
    r"\*\s*replace\s*\(": "{{ without('a') }} and the column anew",
    r"union all by name": "union all, columns in one order",
    r"(?<!\{ )(?<!call )\bstring_agg\(": "{{ string_agg(…) }}",
    r"\blist\(": "array_agg(…)",
    r"\b(?:list|array_agg|sum|first)\([^()]*\border by\b": "array_sort(array_agg(…)), {{ stable_sum(…) }}, min_by(…)",
    r"\blist_(?:sort|distinct|contains)\(": "array_sort, array_distinct, array_contains",
    r"\blambda\b": "{{ list_transform(…) }}, {{ list_filter(…) }}",
    r"\bstruct_pack\(": "{{ struct({…}) }}",
    r"(?<![\w.])unnest\(": "{{ unnested(…) }}",
    r"\barray_to_string\(": "{{ joined(…) }}, {{ distinct_ids(…) }}",
    r"\b(?:string_split|starts_with|strftime|printf|lgamma)\(": "split, position, {{ date_ru(…) }}, {{ number_ru(…) }}",
    r"\bdatediff\(": "{{ days_between(…) }}",
    r"\bquantile_(?:cont|disc)\(": "percentile_cont(p) within group (order by …)",
    r"regexp_replace\([^\n]*'g'": "{{ replace_all(…) }}",
    r"\bas varchar\b": "string",
    r"\b100\.0\b": "1e2, which is no decimal",
    r"::\w": "cast(… as …)",
    r"\bselect \([a-z_]+, ": "select a, b: a row of two is one column on Spark",
}


@pytest.mark.parametrize("pattern", ONLY_DUCKDB)
def test_models_use_what_both_engines_understand(pattern: str) -> None:
    found = [
        f"{path.relative_to(PROJECT_DIR)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line.split(" -- ")[0]) and not line.lstrip().startswith(("--", "{#"))
    ]
    assert not found, f"write {ONLY_DUCKDB[pattern]}:\n" + "\n".join(found)


def test_every_macro_of_the_dialect_has_both_forms() -> None:
    text = DIALECT.read_text(encoding="utf-8")
    asked = set(re.findall(r"adapter\.dispatch\('(\w+)'", text))
    forms = {form: set(re.findall(rf"macro {form}__(\w+)\(", text)) for form in ("default", "spark")}
    assert asked == forms["default"] == forms["spark"] != set()
