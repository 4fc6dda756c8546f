"""Models as folders: the file MLmodel, and where a model is found."""

import os
import platform
import re
import tempfile
from typing import Dict, Optional, Tuple

from mlflow._client import MlflowClient
from mlflow.exceptions import MlflowException


class ModelInfo:
    """What log_model says of the model."""

    def __init__(self, model_uri: str, run_id: str, artifact_path: str):
        self.model_uri = model_uri
        self.run_id = run_id
        self.artifact_path = artifact_path


def parse_runs_uri(uri: str) -> Tuple[str, str]:
    """Run and path of runs:/RUN/PATH."""
    match = re.fullmatch(r"runs:/+([^/]+)/?(.*)", uri)
    if not match:
        raise MlflowException(
            f"Potok's stand-in for MLflow finds runs:/RUN/PATH and folders, not '{uri}'; "
            "pip install mlflow has the other ways",
            "INVALID_PARAMETER_VALUE",
        )
    return match.group(1), match.group(2)


def local_folder(model_uri: str, dst_path: Optional[str] = None) -> str:
    """The folder of a model, fetched if it is not on this machine."""
    uri = os.fspath(model_uri)
    if uri.startswith("file://"):
        uri = uri[len("file://") :]
    if ":/" not in uri:
        return uri
    run_id, path = parse_runs_uri(uri)
    return MlflowClient().download_artifacts(run_id, path, dst_path or tempfile.mkdtemp())


def make_folder(path: str) -> str:
    """A new folder for a model. One that has something in it already is refused."""
    path = os.fspath(path)
    if os.path.exists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise MlflowException(f"Path '{path}' already exists and is not empty", "RESOURCE_ALREADY_EXISTS")
    os.makedirs(path, exist_ok=True)
    return path


def write_mlmodel(path: str, model_file: str, sklearn_version: str) -> None:
    """The description that MLflow reads, too."""
    text = (
        "flavors:\n"
        "  python_function:\n"
        "    loader_module: mlflow.sklearn\n"
        f"    model_path: {model_file}\n"
        f"    python_version: {platform.python_version()}\n"
        "  sklearn:\n"
        "    code: null\n"
        f"    pickled_model: {model_file}\n"
        "    serialization_format: pickle\n"
        f"    sklearn_version: {sklearn_version}\n"
        "written_by: Potok's stand-in for MLflow\n"
    )
    with open(os.path.join(path, "MLmodel"), "w", encoding="utf-8") as file:
        file.write(text)


def read_flavor(path: str, flavor: str) -> Dict[str, str]:
    """The settings of one flavor in the file MLmodel, which is YAML of two levels there."""
    settings: Dict[str, str] = {}
    inside = False
    try:
        with open(os.path.join(path, "MLmodel"), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise MlflowException(f"'{path}' holds no model: {error}", "RESOURCE_DOES_NOT_EXIST") from error
    for line in lines:
        if re.fullmatch(r"  \S.*:\s*", line):
            inside = line.strip() == flavor + ":"
        elif inside and re.match(r"    \S", line):
            key, _, value = line.strip().partition(":")
            settings[key] = value.strip().strip("'\"")
        elif not line.startswith("  "):
            inside = False
    if not settings:
        raise MlflowException(f"the model in '{path}' has no flavor '{flavor}'", "RESOURCE_DOES_NOT_EXIST")
    return settings
