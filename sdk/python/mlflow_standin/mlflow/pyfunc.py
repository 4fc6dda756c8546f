"""Models by their predict: mlflow.pyfunc."""

import importlib
import os
from typing import Any, Optional

from mlflow import _model


class PyFuncModel:
    """A model that predicts."""

    def __init__(self, model: Any):
        self._model = model

    def predict(self, data: Any, params: Optional[dict] = None) -> Any:
        return self._model.predict(data)

    def unwrap_python_model(self) -> Any:
        return self._model


def load_model(model_uri: str, *_args, dst_path: Optional[str] = None, **_kwargs) -> PyFuncModel:
    """The model of a folder or of runs:/RUN/PATH. It is unpickled: load only what you trust."""
    folder = _model.local_folder(model_uri, dst_path)
    flavor = _model.read_flavor(folder, "python_function")
    loader = importlib.import_module(flavor.get("loader_module", "mlflow.sklearn"))
    path = os.path.join(folder, flavor.get("model_path", ""))
    return PyFuncModel(loader._load_pyfunc(path))
