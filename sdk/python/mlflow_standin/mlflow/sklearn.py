"""Models of scikit-learn, by pickle, as MLflow keeps them: mlflow.sklearn."""

import os
import pickle
import tempfile
from typing import Any, Optional

from mlflow import _model
from mlflow._api import _run_id
from mlflow._client import MlflowClient

_MODEL_FILE = "model.pkl"


def autolog(*_args, **_kwargs) -> None:
    """Does nothing: the stand-in does not reach into scikit-learn."""


def save_model(sk_model: Any, path: str, *_args, **_kwargs) -> None:
    """Writes the model into a folder that is new or empty."""
    folder = _model.make_folder(path)
    with open(os.path.join(folder, _MODEL_FILE), "wb") as file:
        pickle.dump(sk_model, file)
    try:
        import sklearn

        version = sklearn.__version__
    except ImportError:  # anything with a predict may be saved
        version = "unknown"
    _model.write_mlmodel(folder, _MODEL_FILE, version)


def load_model(model_uri: str, dst_path: Optional[str] = None) -> Any:
    """The model of a folder or of runs:/RUN/PATH. It is unpickled: load only what you trust."""
    folder = _model.local_folder(model_uri, dst_path)
    name = _model.read_flavor(folder, "sklearn").get("pickled_model", _MODEL_FILE)
    with open(os.path.join(folder, name), "rb") as file:
        return pickle.load(file)


def log_model(
    sk_model: Any, artifact_path: Optional[str] = None, *_args, name: Optional[str] = None, **_kwargs
) -> _model.ModelInfo:
    """Saves the model among the files of the active run."""
    run_id = _run_id()
    path = artifact_path or name or "model"
    with tempfile.TemporaryDirectory() as folder:
        save_model(sk_model, os.path.join(folder, "model"))
        MlflowClient().log_artifacts(run_id, os.path.join(folder, "model"), path)
    return _model.ModelInfo(f"runs:/{run_id}/{path}", run_id, path)


def _load_pyfunc(path: str) -> Any:
    """How mlflow.pyfunc loads it; the path is that of the pickled model."""
    with open(path, "rb") as file:
        return pickle.load(file)
