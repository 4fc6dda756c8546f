"""A stand-in for MLflow, shipped with Potok. This is NOT the `mlflow` package of the MLflow project.

Potok puts it last on PYTHONPATH of every step, so that training scripts which log to MLflow run where
MLflow is not installed. It has the common calls (`log_*`, `start_run`, `search_runs`, models of
scikit-learn), needs nothing but Python's standard library, and talks MLflow's REST protocol to
MLFLOW_TRACKING_URI. Where the real MLflow can be imported it gives way to it by itself. `autolog` does
nothing. What it does not have says so, and names `pip install mlflow` as the way on.
"""

import os as _os
import sys as _sys
from importlib.machinery import PathFinder as _PathFinder

_FOLDER = _os.path.dirname(_os.path.dirname(_os.path.abspath(__file__)))


def _give_way() -> bool:
    """True if the real MLflow is elsewhere on the path and stands in sys.modules now instead of this."""
    others = [path for path in _sys.path if _os.path.abspath(path or _os.curdir) != _FOLDER]
    spec = _PathFinder.find_spec("mlflow", others)
    if spec is None or not spec.origin:
        return False
    _sys.path[:] = others
    del _sys.modules["mlflow"]
    import mlflow  # noqa: F401  the real one

    return True


if not _give_way():
    from mlflow import artifacts, entities, exceptions, models, pyfunc, sklearn, tracking
    from mlflow._api import (
        ActiveRun,
        active_run,
        autolog,
        create_experiment,
        delete_tag,
        end_run,
        get_artifact_uri,
        get_experiment,
        get_experiment_by_name,
        get_run,
        get_tracking_uri,
        last_active_run,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_text,
        search_runs,
        set_experiment,
        set_tag,
        set_tags,
        set_tracking_uri,
        start_run,
    )
    from mlflow._client import MlflowClient
    from mlflow.exceptions import MlflowException

    __version__ = "0+potok.standin"
    __all__ = [
        "ActiveRun",
        "MlflowClient",
        "MlflowException",
        "active_run",
        "artifacts",
        "autolog",
        "create_experiment",
        "delete_tag",
        "end_run",
        "entities",
        "exceptions",
        "get_artifact_uri",
        "get_experiment",
        "get_experiment_by_name",
        "get_run",
        "get_tracking_uri",
        "last_active_run",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "log_text",
        "models",
        "pyfunc",
        "search_runs",
        "set_experiment",
        "set_tag",
        "set_tags",
        "set_tracking_uri",
        "sklearn",
        "start_run",
        "tracking",
    ]

    def __getattr__(name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"Potok's stand-in for MLflow has no mlflow.{name}; install the real one in the step's environment "
            "(pip install mlflow), and it is used instead"
        )
