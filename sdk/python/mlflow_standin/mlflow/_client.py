"""MlflowClient: what is logged to runs by their ids."""

import os
import tempfile
import time
from typing import Any, Dict, Iterable, List, Optional, Sequence

from mlflow import _http
from mlflow.entities import Experiment, FileInfo, Metric, Param, Run, RunInfo, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException

# MLflow's limits of one call.
_METRICS_A_CALL = 1000
_PARAMS_A_CALL = 100


def now_ms() -> int:
    return int(time.time() * 1000)


def number_json(value: Any) -> Any:
    """A number as protobuf's JSON has it."""
    number = float(value)
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _artifact_path(artifact_uri: str, path: str = "") -> str:
    """The path behind mlflow-artifacts:/ that a file of a run has."""
    scheme = "mlflow-artifacts:/"
    if not artifact_uri.startswith(scheme):
        raise MlflowException(f"Potok's stand-in for MLflow cannot reach files at {artifact_uri}")
    return "/".join(part for part in (artifact_uri[len(scheme) :].strip("/"), path.strip("/")) if part)


def _parts(path: str) -> List[str]:
    """The names in a path of the artifacts. Raises for one that would leave the folder that it is laid in."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise MlflowException(f"Invalid path {path!r}: it has empty parts, '.' or '..'", "INVALID_PARAMETER_VALUE")
    return parts


def _check_file(path: str) -> None:
    """Raises for what cannot be kept: a pipe would be waited for."""
    if not os.path.isfile(path):
        what = "is neither a file nor a folder" if os.path.exists(path) else "is not there"
        raise MlflowException(f"{path!r} cannot be logged: it {what}", "INVALID_PARAMETER_VALUE")
    if any("\udc80" <= character <= "\udcff" for character in os.path.basename(path)):  # bytes, as Python shows them
        raise MlflowException(f"{path!r} cannot be logged: its name is not UTF-8", "INVALID_PARAMETER_VALUE")


class MlflowClient:
    """Calls of the tracking server. Where there is none, what is logged goes nowhere."""

    def __init__(self, tracking_uri: Optional[str] = None, registry_uri: Optional[str] = None):
        self._own = _http.Server(tracking_uri) if tracking_uri else None

    def _server(self) -> Optional[_http.Server]:
        return self._own or _http.server()

    def _post(self, path: str, request: Dict[str, Any]) -> Dict[str, Any]:
        server = self._server()
        return server.call("POST", path, request) if server else {}

    def _get(self, path: str, request: Dict[str, Any]) -> Dict[str, Any]:
        server = self._server()
        if server is None:
            raise MlflowException("there is no tracking server: MLFLOW_TRACKING_URI is not set")
        return server.call("GET", path, request)

    # Runs.

    def create_run(
        self,
        experiment_id: str,
        start_time: Optional[int] = None,
        tags: Optional[Dict[str, Any]] = None,
        run_name: Optional[str] = None,
    ) -> Run:
        request = {
            "experiment_id": str(experiment_id),
            "start_time": start_time or now_ms(),
            "run_name": run_name or "",
            "tags": [{"key": key, "value": str(value)} for key, value in (tags or {}).items()],
        }
        answer = self._post("runs/create", request)
        if not answer:
            return Run(RunInfo(run_id="not-kept", run_name=run_name or "", start_time=request["start_time"]))
        return Run.from_json(answer["run"])

    def get_run(self, run_id: str) -> Run:
        return Run.from_json(self._get("runs/get", {"run_id": run_id})["run"])

    def update_run(self, run_id: str, status: Optional[str] = None, name: Optional[str] = None) -> None:
        request: Dict[str, Any] = {"run_id": run_id}
        if status:
            request["status"] = status
        if name:
            request["run_name"] = name
        self._post("runs/update", request)

    def set_terminated(self, run_id: str, status: Optional[str] = None, end_time: Optional[int] = None) -> None:
        request = {"run_id": run_id, "status": status or RunStatus.FINISHED, "end_time": end_time or now_ms()}
        self._post("runs/update", request)

    def delete_run(self, run_id: str) -> None:
        self._post("runs/delete", {"run_id": run_id})

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Optional[List[str]] = None,
        page_token: Optional[str] = None,
    ) -> List[Run]:
        request = {
            "experiment_ids": [str(experiment_id) for experiment_id in experiment_ids],
            "filter": filter_string,
            "run_view_type": ViewType.to_string(run_view_type),
            "max_results": max_results,
            "order_by": order_by or [],
            "page_token": page_token or "",
        }
        return [Run.from_json(run) for run in self._post("runs/search", request).get("runs", [])]

    # What is logged.

    def log_metric(
        self, run_id: str, key: str, value: float, timestamp: Optional[int] = None, step: Optional[int] = None
    ) -> None:
        request = {
            "run_id": run_id,
            "key": key,
            "value": number_json(value),
            "timestamp": int(timestamp) if timestamp is not None else now_ms(),
            "step": int(step or 0),
        }
        self._post("runs/log-metric", request)

    def log_param(self, run_id: str, key: str, value: Any) -> Any:
        self._post("runs/log-parameter", {"run_id": run_id, "key": key, "value": str(value)})
        return value

    def set_tag(self, run_id: str, key: str, value: Any) -> None:
        self._post("runs/set-tag", {"run_id": run_id, "key": key, "value": str(value)})

    def delete_tag(self, run_id: str, key: str) -> None:
        self._post("runs/delete-tag", {"run_id": run_id, "key": key})

    def log_batch(
        self,
        run_id: str,
        metrics: Iterable[Metric] = (),
        params: Iterable[Param] = (),
        tags: Iterable[RunTag] = (),
    ) -> None:
        """As many as there are, in calls as large as MLflow's may be."""
        numbers = [
            {"key": m.key, "value": number_json(m.value), "timestamp": int(m.timestamp), "step": int(m.step)}
            for m in metrics
        ]
        texts = [{"key": p.key, "value": str(p.value)} for p in params]
        marks = [{"key": t.key, "value": str(t.value)} for t in tags]
        for begin in range(0, len(numbers), _METRICS_A_CALL):
            self._post("runs/log-batch", {"run_id": run_id, "metrics": numbers[begin : begin + _METRICS_A_CALL]})
        for begin in range(0, len(texts), _PARAMS_A_CALL):
            self._post("runs/log-batch", {"run_id": run_id, "params": texts[begin : begin + _PARAMS_A_CALL]})
        for begin in range(0, len(marks), _PARAMS_A_CALL):
            self._post("runs/log-batch", {"run_id": run_id, "tags": marks[begin : begin + _PARAMS_A_CALL]})

    def get_metric_history(self, run_id: str, key: str) -> List[Metric]:
        history: List[Metric] = []
        token = ""
        while True:
            request = {"run_id": run_id, "metric_key": key, "page_token": token}
            answer = self._get("metrics/get-history", request)
            history += [
                Metric(m["key"], float(m["value"]), int(m["timestamp"]), int(m.get("step", 0)))
                for m in answer.get("metrics", [])
            ]
            token = answer.get("next_page_token", "")
            if not token:
                return history

    # Files.

    def log_artifact(self, run_id: str, local_path: str, artifact_path: Optional[str] = None) -> None:
        local_path = os.fspath(local_path)
        if os.path.isdir(local_path):
            name = os.path.basename(os.path.normpath(local_path))
            folder = f"{artifact_path}/{name}" if artifact_path else name
            return self.log_artifacts(run_id, local_path, folder)
        self._upload(run_id, [(local_path, artifact_path or "")])

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: Optional[str] = None) -> None:
        local_dir = os.fspath(local_dir)
        files = []
        for folder, _, names in os.walk(local_dir):
            below = os.path.relpath(folder, local_dir).replace(os.sep, "/")
            parts = [part for part in ((artifact_path or "").strip("/"), below) if part and part != "."]
            files += [(os.path.join(folder, name), "/".join(parts)) for name in sorted(names)]
        self._upload(run_id, files)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, os.path.basename(artifact_file))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.log_artifact(run_id, path, os.path.dirname(artifact_file))

    def _upload(self, run_id: str, files: Sequence) -> None:
        for path, folder in files:
            _check_file(path)
            _parts(folder)
        server = self._server()
        if server is None or not files:
            return
        uri = self.get_run(run_id).info.artifact_uri
        for path, folder in files:
            name = f"{folder.strip('/')}/{os.path.basename(path)}"
            with open(path, "rb") as file:
                server.upload(_artifact_path(uri, name), file)

    def list_artifacts(self, run_id: str, path: Optional[str] = None) -> List[FileInfo]:
        answer = self._get("artifacts/list", {"run_id": run_id, "path": path or ""})
        return [FileInfo(f["path"], f["is_dir"], f.get("file_size")) for f in answer.get("files", [])]

    def download_artifacts(self, run_id: str, path: str, dst_path: Optional[str] = None) -> str:
        """A file or folder of the run's, below `dst_path` (else a new folder under /tmp); where it lies."""
        server = self._server()
        if server is None:
            raise MlflowException("there is no tracking server: MLFLOW_TRACKING_URI is not set")
        wanted = _parts(path)
        root = dst_path or tempfile.mkdtemp()
        uri = self.get_run(run_id).info.artifact_uri
        files = list(self._files_below(run_id, "/".join(wanted)))
        for name in files or ["/".join(wanted)]:
            to = os.path.join(root, *_parts(name))
            os.makedirs(os.path.dirname(to), exist_ok=True)
            self._download(server, _artifact_path(uri, name), to)
        return os.path.join(root, *wanted)

    @staticmethod
    def _download(server: _http.Server, path: str, to: str) -> None:
        """What is at `to` stays as it is until all has come."""
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(to))
        try:
            with os.fdopen(handle, "w+b") as file:
                server.download(path, file)
            os.chmod(beside, 0o644)
            os.replace(beside, to)
        except BaseException:
            os.unlink(beside)
            raise

    def _files_below(self, run_id: str, path: str) -> Iterable[str]:
        for entry in self.list_artifacts(run_id, path):
            if entry.is_dir:
                yield from self._files_below(run_id, entry.path)
            else:
                yield entry.path

    # Experiments.

    def get_experiment(self, experiment_id: str) -> Experiment:
        return Experiment.from_json(self._get("experiments/get", {"experiment_id": experiment_id})["experiment"])

    def get_experiment_by_name(self, name: str) -> Optional[Experiment]:
        try:
            answer = self._get("experiments/get-by-name", {"experiment_name": name})
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return Experiment.from_json(answer["experiment"])

    def create_experiment(self, name: str) -> str:
        return self._post("experiments/create", {"name": name}).get("experiment_id", "")
