"""The tables of the public profile, made from the official marts of a candidate.

What belongs here: which rows and columns everybody may see, and the words and symbols in place of hidden ones. What
does not: which cells are hidden (`suppression.py`) and how files are written (`opora/release.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from opora.methods import MethodSettings
from opora.public.facts import PublicFacts
from opora.public.suppression import ROOT, Before, Hidden, Tree, edge_of, suppress
from schemas.arrow import polars_schema

Frames = dict[str, pl.DataFrame]
_HIDDEN_RU = "скрыто: решают результаты, которые не показаны"
_PLACE = ("academic_year", "procedure_id", "region_code", "municipality_id", "school_id")
_ABSENT = {"not_held_federally": "z", "no_such_grade": "z", "no_participants": "x", "not_delivered": "x"}


@dataclass(frozen=True)
class Former:
    """What a former release held and showed: its official and public folders."""

    official: Path
    public: Path


def public_tables(
    official: Path,
    years: Sequence[str],
    facts: PublicFacts,
    methods: Mapping[str, MethodSettings],
    former: Sequence[Former] = (),
) -> Frames:
    """The tables of the registry's layer `public`, by name, for the given academic years.

    `former` are the releases that readers have had, latest first: what one of them hid stays hidden.

    Raises ValueError where an edge of a share reaches a method's threshold: the flag would tell what the edge hides.
    """
    _edges_stay_off_thresholds(facts, methods)
    schools = pl.read_parquet(official / "school.parquet")
    results = pl.read_parquet(official / "procedure_result.parquet").filter(pl.col("academic_year").is_in(years))
    shown = _shown(_hide(_leaves(results, schools), facts, former), facts)
    public_results = _results(results, schools, shown, facts)
    statuses = pl.read_parquet(official / "school_status.parquet").filter(pl.col("academic_year").is_in(years))
    tables = {
        "public_school": schools,
        "public_procedure_result": public_results,
        "public_municipality_summary": shown.filter(pl.col("level") == 1),
        "public_region_summary": shown.filter(pl.col("level") == 0),
        "public_school_status": _statuses(statuses, public_results, methods),
    }
    return {name: _as_registered(name, frame) for name, frame in tables.items()}


def _edges_stay_off_thresholds(facts: PublicFacts, methods: Mapping[str, MethodSettings]) -> None:
    edge = max(band.edge_pct for band in facts.coding.value)
    for name, method in methods.items():
        share = 100 * method.low_share_numerator.value / method.low_share_denominator.value
        if not edge < share < 100 - edge:
            raise ValueError(
                f"release/public.yaml: coding: an edge of {edge} % reaches the threshold of {name}: {share} %"
            )


def _as_registered(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    schema = polars_schema(name)
    return frame.select(pl.col(column).cast(kind) for column, kind in schema.items()).sort(schema.names()[:4])


# --- cells -------------------------------------------------------------------------------------------


def _leaves(results: pl.DataFrame, schools: pl.DataFrame) -> pl.DataFrame:
    """Every school that adds to its municipality and region, with n and k."""
    return (
        results.join(schools.select("school_id", "region_code", "municipality_id", "is_school"), on="school_id")
        .filter(pl.col("is_school") & (pl.col("own_unknown_count") == 0) & (pl.col("own_participants") > 0))
        .select(
            "academic_year",
            "procedure_id",
            pl.col("region_code").fill_null(""),
            pl.col("municipality_id").fill_null(""),
            "school_id",
            pl.col("own_participants").alias("n"),
            pl.col("own_below_minimum").alias("k"),
        )
    )


def _cells(leaves: pl.DataFrame) -> pl.DataFrame:
    """Every cell that adds up: schools, municipalities, regions; level 2, 1, 0, with n and k."""
    levels = [leaves.with_columns(level=pl.lit(2))]
    for level, keys in ((1, _PLACE[:4]), (0, _PLACE[:3])):
        total = leaves.group_by(keys).agg(pl.col("n", "k").sum()).with_columns(level=pl.lit(level))
        levels.append(total)
    return pl.concat(levels, how="diagonal").select(*_PLACE, "level", "n", "k").sort(*_PLACE, nulls_last=False)


def _no_cells() -> pl.DataFrame:
    text = dict.fromkeys(_PLACE, pl.String)
    kinds = {"level": pl.Int32, "n": pl.Int64, "k": pl.Int64}
    return pl.DataFrame(schema={**text, **kinds, "hide_n": pl.Boolean, "hide_k": pl.Boolean, "edge": pl.Int64})


def _hide(leaves: pl.DataFrame, facts: PublicFacts, former: Sequence[Former]) -> pl.DataFrame:
    """Cells with what is hidden of each, a tree of a procedure and year at a time."""
    if not former:
        cells = _cells(leaves)
    else:
        shown = pl.concat([_hid(release).with_columns(age=pl.lit(age)) for age, release in enumerate(former)])
        held = _held(former, shown)
        cells = _with_former(_cells(_with_gone(leaves, held)), _cells(held), shown)
    parts = [_no_cells()]
    for tree in cells.partition_by("academic_year", "procedure_id", maintain_order=True):
        found = _hide_tree(tree, facts)
        parts.append(
            tree.select(
                *_PLACE,
                pl.col("level").cast(pl.Int32),
                "n",
                "k",
                hide_n=pl.Series(found.participants),
                hide_k=pl.Series(found.below),
                edge=pl.Series(found.edge),
            )
        )
    return pl.concat(parts).filter(pl.col("n") > 0)


def _hide_tree(cells: pl.DataFrame, facts: PublicFacts) -> Hidden:
    tree = Tree(_parents(cells), cells["n"].to_numpy(), cells["k"].to_numpy())
    if "n_before" not in cells.columns or cells["n_before"].is_null().all():
        return suppress(tree, facts)
    columns = ("n_before", "k_before", "hid_n", "hid_k", "edge_before")
    former = cells.with_columns(pl.col("n_before", "k_before").fill_null(-1)).select(columns)
    return suppress(tree, facts, Before(*(former[name].to_numpy() for name in columns)))


def _parents(cells: pl.DataFrame) -> np.ndarray:
    """The place of each cell's parent: the municipality of a school, the region of a municipality."""
    placed = cells.with_row_index("place")
    regions = placed.filter(pl.col("level") == 0).select("region_code", parent=pl.col("place"))
    towns = placed.filter(pl.col("level") == 1).select("region_code", "municipality_id", parent=pl.col("place"))
    found = (
        placed.join(regions, on="region_code", how="left", maintain_order="left")
        .join(towns, on=["region_code", "municipality_id"], how="left", suffix="_town", maintain_order="left")
        .select(
            pl.when(pl.col("level") == 2)
            .then(pl.col("parent_town").cast(pl.Int64))
            .when(pl.col("level") == 1)
            .then(pl.col("parent").cast(pl.Int64))
            .otherwise(ROOT)
            .alias("parent")
        )
    )
    return found["parent"].to_numpy()


def _held(former: Sequence[Former], shown: pl.DataFrame) -> pl.DataFrame:
    """What readers have seen last of each year: the counts that the latest release which showed it held."""
    latest = shown.group_by("academic_year").agg(pl.col("age").min())
    parts = []
    for (age,), years in latest.partition_by("age", as_dict=True).items():
        official = former[int(str(age))].official
        results, schools = (pl.read_parquet(official / f"{name}.parquet") for name in ("procedure_result", "school"))
        parts.append(_leaves(results, schools).join(years, on="academic_year", how="semi"))
    return pl.concat(parts)


def _with_gone(leaves: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """With schools of the former release that have no results any more: the totals have lost theirs."""
    gone = held.join(leaves, on=list(_PLACE), how="anti").with_columns(pl.col("n", "k") * 0)
    return pl.concat([leaves, gone])


def _with_former(cells: pl.DataFrame, held: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Cells with what readers have seen of them last, and what any release hid of them.

    A school is known wherever it lies: one that was moved is new to its total, and what was hidden of it stays hidden.
    """
    keys = list(_PLACE)
    before = held.select(*keys, n_before="n", k_before="k")
    hidden = _known_by(shown.sort("age")).group_by(_KNOWN_BY)
    flags = hidden.agg(pl.col("hid_n", "hid_k").any(), pl.col("edge_before").first())
    placed = cells.join(before, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return (
        _known_by(placed)
        .join(flags, on=_KNOWN_BY, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(pl.col("hid_n", "hid_k").fill_null(False), pl.col("edge_before").fill_null(0))
    )


_KNOWN_BY = ("academic_year", "procedure_id", "region_of_total", "municipality_of_total", "school_id")


def _known_by(cells: pl.DataFrame) -> pl.DataFrame:
    is_total = pl.col("school_id").is_null()
    return cells.with_columns(
        region_of_total=pl.when(is_total).then("region_code"),
        municipality_of_total=pl.when(is_total).then("municipality_id"),
    )


def _hid(former: Former) -> pl.DataFrame:
    """Which cells the former release showed, and which of their counts it hid."""
    places = pl.read_parquet(former.public / "school.parquet").select("school_id", "region_code", "municipality_id")
    found = []
    for name, keys in (
        ("procedure_result", ("school_id",)),
        ("municipality_summary", ("region_code", "municipality_id")),
        ("region_summary", ("region_code",)),
    ):
        table = pl.read_parquet(former.public / f"{name}.parquet").select(
            "academic_year",
            "procedure_id",
            *keys,
            hid_n=(pl.col("participants_symbol") == "c").fill_null(False),
            hid_k=pl.col("below_symbol").is_in(["c", "low", "high"]).fill_null(False),
            edge_before=pl.col("below_symbol").replace_strict({"low": -1, "high": 1}, default=0).cast(pl.Int64),
        )
        if "school_id" in keys:
            table = table.join(places, on="school_id").with_columns(
                pl.col("region_code", "municipality_id").fill_null("")
            )
        found.append(table)
    return pl.concat(found, how="diagonal")


# --- symbols and words ---------------------------------------------------------------------------------


def _shown(hidden: pl.DataFrame, facts: PublicFacts) -> pl.DataFrame:
    """Counts, shares, intervals and symbols as everybody sees them."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hidden["k"].to_numpy(), hidden["n"].to_numpy(), method="wilson")
    exact, n = ~pl.col("hide_k"), pl.col("n")
    widths = pl.Series("edge_pct", edge_of(hidden["n"].to_numpy(), facts))
    return hidden.with_columns(widths, ci_low=pl.Series(low), ci_high=pl.Series(high)).with_columns(
        participants=pl.when(~pl.col("hide_n")).then(n),
        participants_symbol=pl.when(pl.col("hide_n")).then(pl.lit("c")),
        below_minimum=pl.when(exact).then(pl.col("k")),
        below_share=pl.when(exact).then(pl.col("k") / n),
        share_ci_low=pl.when(exact).then(pl.col("ci_low").clip(0, 1)),
        share_ci_high=pl.when(exact).then(pl.col("ci_high").clip(0, 1)),
        below_symbol=pl.when(exact)
        .then(None)
        .when(pl.col("edge") < 0)
        .then(pl.lit("low"))
        .when(pl.col("edge") > 0)
        .then(pl.lit("high"))
        .otherwise(pl.lit("c")),
        below_ru=pl.when(exact)
        .then(percent_ru(pl.col("k"), n))
        .when(pl.col("edge") < 0)
        .then(pl.format("не больше {} %", "edge_pct"))
        .when(pl.col("edge") > 0)
        .then(pl.format("не меньше {} %", 100 - pl.col("edge_pct")))
        .otherwise(pl.lit("скрыто")),
    )


def percent_ru(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """«6,3 %» of 1 of 16: halves of a tenth are rounded up, in whole numbers, as in the other texts of the marts."""
    tenths = (2000 * part + whole) // (2 * whole)
    return pl.format("{},{} %", tenths // 10, tenths % 10)


def _results(results: pl.DataFrame, schools: pl.DataFrame, shown: pl.DataFrame, facts: PublicFacts) -> pl.DataFrame:
    """The complete matrix: cells that add up, and rows of schools that have nothing to add."""
    keys = ["academic_year", "school_id", "procedure_id"]
    cells = shown.filter(pl.col("level") == 2).drop("region_code", "municipality_id", "level")
    joined = results.select(
        *keys, "state", "own_participants", "own_unknown_count", "is_low", all_participants=pl.col("participants")
    ).join(cells, on=keys, how="left")
    outside = pl.col("n").is_null()
    enough = pl.col("own_participants") >= facts.minimum_participants.value
    nobody = (pl.col("own_participants") == 0).fill_null(False)
    absent = pl.col("state").replace_strict(_ABSENT, default=None)
    reason = absent.fill_null("x")
    completed = joined.with_columns(
        participants=pl.when(outside & absent.is_null() & (enough | nobody))
        .then(pl.col("own_participants"))
        .otherwise(pl.col("participants")),
    ).with_columns(
        participants_symbol=pl.when(pl.col("participants").is_not_null())
        .then(None)
        .when(outside & absent.is_null() & pl.col("own_participants").is_not_null())
        .then(pl.lit("c"))
        .when(outside)
        .then(reason)
        .otherwise(pl.col("participants_symbol")),
        below_symbol=pl.when(outside).then(reason).otherwise(pl.col("below_symbol")),
        below_ru=pl.when(outside).then(pl.lit("нет данных")).otherwise(pl.col("below_ru")),
    )
    return _flags(completed, schools)


def _flags(cells: pl.DataFrame, schools: pl.DataFrame) -> pl.DataFrame:
    """The formal flag where it follows from what is shown: of the school and, if counted with them, of its branches."""
    branches = schools.filter(pl.col("parent_school_id").is_not_null()).select(
        "school_id", head_id=pl.col("parent_school_id")
    )
    of_head = (
        cells.join(branches, on="school_id")
        .group_by("academic_year", "procedure_id", pl.col("head_id").alias("school_id"))
        .agg(
            branches_n=pl.col("own_participants").sum(),
            branches_shown=pl.col("below_minimum").is_not_null().all()
            | (pl.col("own_participants").fill_null(0) == 0).all(),
        )
    )
    keys = ["academic_year", "procedure_id", "school_id"]
    joined = cells.join(of_head, on=keys, how="left").with_columns(pl.col("branches_n").fill_null(0))
    alone = pl.col("all_participants") == pl.col("own_participants")
    exact = pl.col("below_minimum").is_not_null()
    with_branches = (
        exact
        & pl.col("branches_shown").fill_null(False)
        & (pl.col("all_participants") == pl.col("own_participants") + pl.col("branches_n"))
    )
    told = pl.when(alone).then(exact | pl.col("below_symbol").is_in(["low", "high"])).otherwise(with_branches)
    known = pl.col("is_low").is_not_null()
    absent = pl.col("state").replace_strict(_ABSENT, default=None)
    return joined.with_columns(
        is_low_symbol=pl.when(told.fill_null(False) & known)
        .then(None)
        .when(absent.is_not_null())
        .then(absent)
        .when(pl.col("all_participants").is_null())
        .then(pl.lit("x"))
        .otherwise(pl.lit("c")),
    ).with_columns(is_low=pl.when(pl.col("is_low_symbol").is_null()).then(pl.col("is_low")))


# --- the list ----------------------------------------------------------------------------------------


def _statuses(statuses: pl.DataFrame, results: pl.DataFrame, methods: Mapping[str, MethodSettings]) -> pl.DataFrame:
    """The standing of each school where it follows from shown flags, whatever the hidden ones are."""
    low = results.group_by("academic_year", "school_id").agg(
        sure=(pl.col("is_low").fill_null(False)).sum().cast(pl.Int64),
        doubtful=(pl.col("is_low_symbol") == "c").fill_null(False).sum().cast(pl.Int64),
    )
    joined = statuses.with_columns(start=pl.col("academic_year").str.head(4).cast(pl.Int64))
    for name, back in (("current", 0), ("previous", 1), ("before", 2)):
        year = pl.col("start") - back
        keyed = joined.with_columns(of_year=pl.format("{}-{}", year, year + 1))
        counted = low.rename({"academic_year": "of_year", "sure": f"sure_{name}", "doubtful": f"doubtful_{name}"})
        joined = keyed.join(counted, on=["of_year", "school_id"], how="left").with_columns(
            pl.col(f"sure_{name}", f"doubtful_{name}").fill_null(0)
        )
    parts = [
        _decided(rows, methods[method])
        for (method,), rows in joined.partition_by("method_id", as_dict=True).items()
        if isinstance(method, str)
    ]
    return pl.concat(parts) if parts else joined


def _decided(rows: pl.DataFrame, method: MethodSettings) -> pl.DataFrame:
    def listed(previous: pl.Expr, before: pl.Expr) -> pl.Expr:
        both = method.both_years_low_procedures.value
        return (previous >= method.previous_year_low_procedures.value) | ((previous >= both) & (before >= both))

    sure = {name: pl.col(f"sure_{name}") for name in ("current", "previous", "before")}
    possible = {name: count + pl.col(f"doubtful_{name}") for name, count in sure.items()}
    no_doubt = sum((pl.col(f"doubtful_{name}") for name in sure), pl.lit(0)) == 0
    risk = method.at_risk_low_procedures.value
    list_told = listed(sure["previous"], sure["before"]) == listed(possible["previous"], possible["before"])
    risk_told = (sure["current"] >= risk) == (possible["current"] >= risk)
    if method.same_procedure_required.value:
        list_told = no_doubt
    # that a school is not assessed is said where «at risk» would be said too: of the two one would tell the other
    told = (
        pl.when(pl.col("status") == "excluded")
        .then(pl.lit(True))
        .when(pl.col("status") == "shnor")
        .then(list_told)
        .otherwise(list_told & risk_told)
    )
    return rows.with_columns(
        status=pl.when(told).then(pl.col("status")).otherwise(pl.lit("hidden")),
        status_ru=pl.when(told).then(pl.col("status_ru")).otherwise(pl.lit(_HIDDEN_RU)),
    )
