"""Files of runs: mlflow.artifacts."""

from typing import List, Optional

from mlflow._api import active_run
from mlflow._client import MlflowClient
from mlflow._model import parse_runs_uri
from mlflow.entities import FileInfo


def download_artifacts(
    artifact_uri: Optional[str] = None,
    run_id: Optional[str] = None,
    artifact_path: Optional[str] = None,
    dst_path: Optional[str] = None,
    tracking_uri: Optional[str] = None,
) -> str:
    """Where the file or folder lies afterwards."""
    if artifact_uri is not None:
        run_id, artifact_path = parse_runs_uri(artifact_uri)
    return MlflowClient(tracking_uri).download_artifacts(run_id, artifact_path or "", dst_path)


def list_artifacts(run_id: Optional[str] = None, artifact_path: Optional[str] = None, **_kwargs) -> List[FileInfo]:
    run = active_run()
    return MlflowClient().list_artifacts(run_id or run.info.run_id, artifact_path)


def load_text(artifact_uri: str) -> str:
    with open(download_artifacts(artifact_uri), encoding="utf-8") as file:
        return file.read()
