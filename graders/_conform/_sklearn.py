"""scikit-learn's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from graders._conform import Documented, Function

DISTRIBUTIONS = ("scikit-learn",)
URL = "https://scikit-learn.org/stable/modules/generated/{}.html"


def functions() -> dict[str, Documented]:
    """Return scikit-learn's functions by exercise."""
    from sklearn import metrics, model_selection, preprocessing, utils
    from sklearn.utils import extmath

    def one_hot(labels: Any, *, num_classes: int) -> Any:
        encoder = preprocessing.OneHotEncoder(categories=[list(range(num_classes))], sparse_output=False)
        return encoder.fit_transform(labels[:, None])

    def feature_statistics(x: Any) -> Any:
        scaler = preprocessing.StandardScaler().fit(x)
        return scaler.mean_, np.sqrt(scaler.var_)

    def feature_range(x: Any) -> Any:
        scaler = preprocessing.MinMaxScaler().fit(x)
        return scaler.data_min_, scaler.data_max_

    def seed(generator: Any) -> int:
        return int(generator.integers(2**31))

    def majority_vote(labels: Any, *, num_classes: int) -> Any:
        return extmath.weighted_mode(labels, np.ones(labels.shape), axis=0)[0][0].astype(int)

    def k_fold(n: int, generator: Any, *, k: int) -> Any:
        folds = model_selection.KFold(k, shuffle=True, random_state=seed(generator))
        return tuple(folds.split(np.arange(n)))

    def bootstrap_sample(n: int, generator: Any, *, size: int | None = None) -> Any:
        return utils.resample(np.arange(n), n_samples=size, random_state=seed(generator))

    table: dict[str, tuple[str, Function]] = {
        "activations.softmax": ("sklearn.utils.extmath.softmax", lambda z: extmath.softmax(z)),
        "losses.mse": (
            "sklearn.metrics.mean_squared_error",
            lambda predictions, targets: metrics.mean_squared_error(targets, predictions),
        ),
        "losses.accuracy": (
            "sklearn.metrics.accuracy_score",
            lambda logits, labels: metrics.accuracy_score(labels, np.argmax(logits, axis=1)),
        ),
        "training.confusion_matrix": (
            "sklearn.metrics.confusion_matrix",
            lambda labels, predicted, *, num_classes: metrics.confusion_matrix(
                labels, predicted, labels=range(num_classes)
            ),
        ),
        "preprocessing.one_hot": ("sklearn.preprocessing.OneHotEncoder", one_hot),
        "preprocessing.feature_statistics": ("sklearn.preprocessing.StandardScaler", feature_statistics),
        "preprocessing.k_fold": ("sklearn.model_selection.KFold", k_fold),
        "ensembles.bootstrap_sample": ("sklearn.utils.resample", bootstrap_sample),
        "ensembles.majority_vote": ("sklearn.utils.extmath.weighted_mode", majority_vote),
        "preprocessing.feature_range": ("sklearn.preprocessing.MinMaxScaler", feature_range),
    }  # fmt: skip
    return {name: Documented(called, URL.format(called), function) for name, (called, function) in table.items()}
