"""Outlook: forecasts of low results in the next year, how good they were in past years, and whether they are shown.

What belongs here: the groups by which forecasts are checked, the rule by which they are shown, the tables. What does
not: the model (`outlook_model.py`), scores (`scoring.py`), the formal flag, which a forecast never touches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from opora.analysis.base import Analysis, Frames, registry_frame
from opora.analysis.outlook_model import (
    BASELINES,
    KEYS,
    MODEL,
    Forecast,
    OutlookFacts,
    Threshold,
    backtest,
    forecast_after,
    standings,
)
from opora.analysis.scoring import Resamples, Scorer
from opora.facts import read_file
from opora.russian import number

ALL = "all"
MEASURES_RU = {"brier": "мера Брайера", "log_loss": "логарифмические потери"}


# --- how good it was ---------------------------------------------------------------------------------


def quality(judged: pl.DataFrame, titles: dict[str, str], facts: OutlookFacts) -> pl.DataFrame:
    """Scores of model and simple rules over all judged years, by year, and by the groups of schools."""
    schools = judged["school_id"].unique().sort().to_list()
    scorer = Scorer(
        predictors=(MODEL, *BASELINES),
        reference=MODEL,
        resamples=Resamples.of(len(schools), facts.bootstrap_samples.value, facts.seed.value, facts.confidence.value),
        school_of={school: number for number, school in enumerate(schools)},
        confidence=facts.confidence.value,
        minimum=facts.minimum_group.value,
    )
    records = []
    for group in _groups(judged, titles, facts):
        about = {
            "judged_year": group.year,
            "group_kind": group.kind,
            "group_id": group.group_id,
            "group_ru": group.label_ru,
            "fit_kind": _listed(group.rows["fit_kind"]),
            "fit_years": _listed(group.rows["fit_years"].str.split(";").explode()),
        }
        records += [about | record for record in scorer.score(group.rows, is_full=group.year == group.kind == ALL)]
    return pl.DataFrame(records, infer_schema_length=None)


def _listed(values: pl.Series) -> str | None:
    return ";".join(values.unique().sort().to_list()) or None


@dataclass(frozen=True)
class _Group:
    year: str
    kind: str
    group_id: str
    label_ru: str
    rows: pl.DataFrame


def _groups(judged: pl.DataFrame, titles: dict[str, str], facts: OutlookFacts) -> Iterable[_Group]:
    yield _Group(ALL, ALL, ALL, "все школы и процедуры", judged)
    for year in judged["judged_year"].unique().sort():
        yield _Group(year, ALL, ALL, "все школы и процедуры", judged.filter(pl.col("judged_year") == year))
    for procedure in judged["procedure_id"].unique().sort():
        rows = judged.filter(pl.col("procedure_id") == procedure)
        yield _Group(ALL, "procedure", procedure, titles.get(procedure, procedure), rows)
    for band in facts.size_bands:
        top = band.participants_to or judged["participants"].max()
        rows = judged.filter(pl.col("participants").is_between(band.participants_from, top))
        yield _Group(ALL, "size", band.group_id, band.label_ru, rows)
    for kind in facts.type_groups:
        yield _Group(ALL, "school_type", kind.group_id, kind.label_ru, judged.filter(type_group=kind.group_id))
    for settlement, label in (("urban", "городские"), ("rural", "сельские")):
        yield _Group(ALL, "settlement", settlement, label, judged.filter(settlement=settlement))
    for low, high in pairwise(facts.probability_bins):
        above = pl.col(MODEL) >= low if low == 0 else pl.col(MODEL) > low
        rows = judged.filter(above & (pl.col(MODEL) <= high))
        yield _Group(ALL, "probability", f"{low:g}-{high:g}", f"вероятность модели {low:g}–{high:g}", rows)


@dataclass(frozen=True)
class Decision:
    """Whether forecasts are shown, and why."""

    is_published: bool
    reason_ru: str


def decide(scores: pl.DataFrame, decided_by: str, facts: OutlookFacts) -> Decision:
    """The rule of the settings: better than both simple rules by every named measure, all judged years together.

    `decided_by`: what the method calls a low result by. The model knows shares only.
    """
    if not facts.is_enabled.value:
        return Decision(False, "Прогноз выключен в настройках (is_enabled).")
    if decided_by != "share":
        return Decision(False, "Методика решает о низком результате не по доле, а модель прогноза знает только долю.")
    if scores.is_empty():
        return Decision(False, "Проверить модель не на чем: нет двух соседних лет, в которых результатов достаточно.")
    whole = scores.filter(group_kind=ALL, judged_year=ALL)
    found = {row["predictor"]: row for row in whole.to_dicts()}
    told: list[str] = []
    is_better = True
    for measure in facts.must_beat.value:
        mine, flag, region = (found[name].get(measure) for name in (MODEL, *BASELINES))
        if mine is None or flag is None or region is None:
            return Decision(False, found[MODEL].get("note_ru") or "Меры качества не посчитаны.")
        is_better &= mine < min(flag, region)
        told.append(
            f"{MEASURES_RU[measure]}: модель {number(mine, 4)}, прошлогодний признак {number(flag, 4)}, "
            f"доля региона {number(region, 4)}"
        )
        flag_gain = found["last_flag"].get(f"{measure}_gain_lower")
        if flag_gain is not None and flag_gain <= 0 and is_better:
            told.append("различие с прошлогодним признаком в пределах случайного")
    verdict = "Модель лучше обоих простых правил" if is_better else "Модель не лучше обоих простых правил"
    return Decision(is_better, f"{verdict} (чем меньше, тем лучше). {'; '.join(told)}.")


# --- tables ------------------------------------------------------------------------------------------


def forecast_rows(made: Forecast, decision: Decision, facts: OutlookFacts) -> pl.DataFrame:
    """The forecast as it is shown; where it is not, only the rows and the reason."""
    from scipy.stats import beta

    share, weight = (made.rows[name].to_numpy() for name in ("expected_share", "share_weight"))
    tail = (1 - facts.confidence.value) / 2
    low, high = (beta.ppf(end, share * weight, (1 - share) * weight) for end in (tail, 1 - tail))
    shown: dict[str, pl.Expr | pl.Series] = {
        MODEL: pl.col(MODEL),
        "baseline_probability": pl.col("last_flag"),
        "region_probability": pl.col("region_rate"),
        "expected_share": pl.col("expected_share"),
        "expected_share_ci_low": pl.Series(low),
        "expected_share_ci_high": pl.Series(high),
        "drivers_ru": drivers(made, facts),
    }
    last = pl.col("start_year")
    rows = made.rows.select(
        "method_id",
        *KEYS,
        "participants",
        **shown,
        model_id=pl.lit(facts.model_id),
        academic_year=(last + 1).cast(pl.String) + "-" + (last + 2).cast(pl.String),
        results_year="academic_year",
        fit_kind=pl.lit(made.learnt.kind),
        is_published=pl.lit(decision.is_published),
        reason_ru=pl.lit(None if decision.is_published else decision.reason_ru, dtype=pl.String),
    )
    hidden = [] if decision.is_published else [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in shown]
    return rows.with_columns(hidden).sort(KEYS)


def drivers(made: Forecast, facts: OutlookFacts) -> pl.Expr:
    """In words: what raises the forecast and what lowers it, of what moves it by more than the named threshold."""
    slopes = dict(zip(made.model.features, made.model.coefficients, strict=True))
    least = facts.driver_threshold.value
    parts = []
    for word, sign in (("повышают", 1), ("понижают", -1)):
        moved = [
            pl.when(sign * slopes[feature.feature_id] * pl.col(feature.feature_id) >= least).then(
                pl.lit(feature.label_ru)
            )
            for feature in facts.features
        ]
        words = pl.concat_str(moved, separator=", ", ignore_nulls=True)
        parts.append(pl.when(words != "").then(pl.lit(f"{word}: ") + words))
    told = pl.concat_str(parts, separator="; ", ignore_nulls=True)
    return pl.when(told != "").then(told).otherwise(pl.lit("как у региона в целом"))


def untested(judged: pl.DataFrame, made: Forecast) -> str | None:
    """That the forecast is fitted in a way that no past year has tried, in words."""
    if judged.is_empty() or made.learnt.kind in judged["fit_kind"].to_list():
        return None
    return "Модель прогноза подобрана на парах лет, а на проверке — на одном году: другой пары лет до неё нет."


def skipped_years(results: pl.DataFrame, known: pl.DataFrame) -> str | None:
    """Years with too few schools after the last that is used, in words."""
    if known.is_empty():
        return None
    late = results.filter(pl.col("start_year") > known["start_year"].max())
    years = late.group_by("academic_year").agg(schools=pl.col("school_id").n_unique()).sort("academic_year")
    if years.is_empty():
        return None
    told = ", ".join(f"{year} ({schools})" for year, schools in years.iter_rows())
    return f"Следующий год отсчитан от последнего, где школ достаточно; позже результаты есть у немногих школ: {told}."


def score_rows(scores: pl.DataFrame, decision: Decision, told: str, facts: OutlookFacts) -> pl.DataFrame:
    """Scores as they are shown: with the decision on every row, and its reason on that of the model as a whole."""
    if scores.is_empty():
        return registry_frame("outlook_score", [])
    is_verdict = (pl.col("group_kind") == ALL) & (pl.col("judged_year") == ALL) & (pl.col("predictor") == MODEL)
    shown = registry_frame(
        "outlook_score",
        [scores.with_columns(model_id=pl.lit(facts.model_id), is_published=pl.lit(decision.is_published))],
    )
    return shown.with_columns(note_ru=pl.when(is_verdict).then(pl.lit(told)).otherwise("note_ru"))


def _compute(frames: Frames) -> Frames:
    facts = read_file("analysis/outlook.yaml", OutlookFacts)
    results = frames["intermediate.int_result_history"]
    known = standings(
        results,
        frames["analysis.pooled_result"],
        frames["intermediate.int_school_trait"],
        frames["analysis.context_index"],
        facts,
    )
    if known.is_empty():
        return {name: registry_frame(name, []) for name in OUTLOOK.writes}
    method = frames["reference.method"].filter(method_id=known["method_id"][0])
    threshold = Threshold(method["low_share_numerator"][0], method["low_share_denominator"][0])
    titles = dict(frames["reference.procedure"].select("procedure_id", "title_ru").iter_rows())
    judged = backtest(known, threshold, facts) if facts.is_enabled.value else pl.DataFrame()
    scores = pl.DataFrame() if judged.is_empty() else quality(judged, titles, facts)
    decision = decide(scores, method["low_result_decided_by"][0], facts)
    made = forecast_after(known, known["start_year"].to_list()[-1], threshold, facts)
    told = " ".join(filter(None, [decision.reason_ru, untested(judged, made), skipped_years(results, known)]))
    return {
        "outlook_forecast": forecast_rows(made, decision, facts),
        "outlook_score": score_rows(scores, decision, told, facts),
    }


OUTLOOK = Analysis(
    name="outlook",
    title_ru="Прогноз: вероятность низкого результата в следующем году",
    reads=(
        "intermediate.int_result_history",
        "intermediate.int_school_trait",
        "analysis.pooled_result",
        "analysis.context_index",
        "reference.method",
        "reference.procedure",
    ),
    writes=("outlook_forecast", "outlook_score"),
    compute=_compute,
)
