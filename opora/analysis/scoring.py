"""How good forecasts of a yes or no were: scores with intervals, for several predictors side by side, by group.

What belongs here: Brier score, log loss, ROC AUC, calibration, what one predictor gains on another. What does not:
where the forecasts come from (`outlook_model.py`) and what follows from the scores (`outlook.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from opora.analysis.resampling import draws

Vector = NDArray[np.float64]
Bounds = tuple[float | None, float | None]
NONE: Bounds = (None, None)
_LEAST_RANGE = 0.5  # logits: a slope over less says nothing
_LEAST = 1e-6  # a probability of 0 or 1 that fails would cost infinitely much


@dataclass(frozen=True)
class Resamples:
    """Schools drawn anew with replacement: how often each was drawn, one row a draw."""

    drawn: NDArray[np.int64]
    tail: float

    @classmethod
    def of(cls, schools: int, samples: int, seed: int, confidence: float) -> Resamples:
        return cls(draws(schools, samples, seed), (1 - confidence) / 2)

    def bounds(self, values: Vector) -> Bounds:
        """The middle of what the draws gave; nothing where most of them gave nothing."""
        given = values[np.isfinite(values)]
        if len(given) < len(values) / 2:
            return NONE
        low, high = np.quantile(given, [self.tail, 1 - self.tail])
        return float(low), float(high)

    def mean(self, school: NDArray[np.int64], losses: Vector) -> Bounds:
        """Bounds of a mean over rows, rows of a school being drawn together."""
        size = self.drawn.shape[1]
        total = self.drawn @ np.bincount(school, losses, minlength=size)
        count = self.drawn @ np.bincount(school, minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.bounds(total / count)

    def area(self, school: NDArray[np.int64], happened: Vector, probability: Vector) -> Bounds:
        """Bounds of the area under the ROC curve, rows of a school being drawn together.

        What is equal in all draws, the order of the forecasts, is found once: a draw only counts anew.
        """
        from sklearn.metrics import auc

        _, level = np.unique(-probability, return_inverse=True)

        def of(drawn: NDArray[np.int64]) -> float:
            true, false = (np.cumsum(np.bincount(level, drawn * outcome)) for outcome in (happened, 1 - happened))
            if not true[-1] or not false[-1]:
                return float("nan")
            return float(auc(np.append(0, false), np.append(0, true)) / (true[-1] * false[-1]))

        return self.bounds(np.array([of(drawn[school]) for drawn in self.drawn]))


def losses(happened: Vector, probability: Vector) -> dict[str, Vector]:
    """What each forecast costs by Brier score and by log loss."""
    sure = np.clip(probability, _LEAST, 1 - _LEAST)
    return {
        "brier": (probability - happened) ** 2,
        "log_loss": -np.where(happened == 1, np.log(sure), np.log(1 - sure)),
    }


def roc_auc(happened: Vector, probability: Vector) -> float:
    """Area under the ROC curve; not a number where all or nothing happened."""
    from sklearn.metrics import roc_auc_score

    if len(happened) == 0 or happened.min() == happened.max():
        return float("nan")
    return float(roc_auc_score(happened, probability))


def calibration(
    happened: Vector, probability: Vector, school: NDArray[np.int64], confidence: float
) -> dict[str, float]:
    """Slope and intercept of what happened on the forecast's logit, and their bounds, schools being clusters.

    `intercept` is taken at slope 1: below 0, less happened than was said. A slope below 1: too sure. Empty where
    forecasts hardly differ or nothing happened.
    """
    import warnings

    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    sure = np.clip(probability, _LEAST, 1 - _LEAST)
    logit = np.log(sure / (1 - sure))
    if happened.min() == happened.max() or np.ptp(logit) < _LEAST_RANGE:
        return {}

    def fitted(design: Vector, offset: Vector | None) -> tuple[Vector, Vector]:
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("error", PerfectSeparationWarning)
            model = sm.GLM(happened, design, family=sm.families.Binomial(), offset=offset)
            found = model.fit(cov_type="cluster", cov_kwds={"groups": school})
        return found.params, found.conf_int(1 - confidence)

    try:
        both, both_bounds = fitted(sm.add_constant(logit), None)
        level, level_bounds = fitted(np.ones((len(logit), 1)), logit)
    except (PerfectSeparationWarning, np.linalg.LinAlgError):
        return {}
    return {
        "calibration_slope": float(both[1]),
        "calibration_slope_lower": float(both_bounds[1][0]),
        "calibration_slope_upper": float(both_bounds[1][1]),
        "calibration_intercept": float(level[0]),
        "calibration_intercept_lower": float(level_bounds[0][0]),
        "calibration_intercept_upper": float(level_bounds[0][1]),
    }


@dataclass(frozen=True)
class Scorer:
    """Scores predictors over rows with `school_id`, `happened` and one column of probabilities a predictor."""

    predictors: Sequence[str]
    reference: str
    resamples: Resamples
    school_of: dict[str, int]
    confidence: float
    minimum: int

    def score(self, rows: pl.DataFrame, *, is_full: bool) -> list[dict[str, object]]:
        """One record a predictor. `is_full`: with bounds of the area under the curve, which take long."""
        happened = rows["happened"].to_numpy().astype(float)
        school = np.array([self.school_of[name] for name in rows["school_id"]], dtype=np.int64)
        counts = {
            "pairs_count": rows.height,
            "schools_count": rows["school_id"].n_unique(),
            "low_count": int(happened.sum()),
        }
        if rows.height < self.minimum:
            reason = f"Пар школа × процедура {rows.height}, а нужно не меньше {self.minimum}: меры не считаются."
            return [{"predictor": name, **counts, "note_ru": reason} for name in self.predictors]
        best = losses(happened, rows[self.reference].to_numpy())
        return [
            {"predictor": name, **counts, **self._of(rows[name].to_numpy(), happened, school, best, name, is_full)}
            for name in self.predictors
        ]

    def _of(
        self,
        probability: Vector,
        happened: Vector,
        school: NDArray[np.int64],
        best: dict[str, Vector],
        name: str,
        is_full: bool,
    ) -> dict[str, object]:
        found: dict[str, object] = {
            "observed_share": float(happened.mean()),
            "mean_probability": float(probability.mean()),
            "roc_auc": _number(roc_auc(happened, probability)),
        }
        for measure, cost in losses(happened, probability).items():
            found[measure] = float(cost.mean())
            found |= _bounded(measure, self.resamples.mean(school, cost))
            if name != self.reference:
                gain = cost - best[measure]
                found[f"{measure}_gain"] = float(gain.mean())
                found |= _bounded(f"{measure}_gain", self.resamples.mean(school, gain))
        found |= _bounded("excess", self.resamples.mean(school, happened - probability))
        if is_full:
            found |= _bounded("roc_auc", self.resamples.area(school, happened, probability))
        return found | calibration(happened, probability, school, self.confidence)


def _bounded(name: str, bounds: Bounds) -> dict[str, float | None]:
    return {f"{name}_lower": bounds[0], f"{name}_upper": bounds[1]}


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
