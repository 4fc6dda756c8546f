"""The calls that log to the active run, which the first of them starts."""

import atexit
import json
import os
import sys
import tempfile
from typing import Any, Dict, List, Optional

from mlflow import _http
from mlflow._client import MlflowClient, now_ms
from mlflow.entities import Experiment, Metric, Param, Run, RunInfo, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException

_active: List["ActiveRun"] = []
_last: Optional[str] = None
_experiment_id: Optional[str] = None


class ActiveRun(Run):
    """A run in a `with`; it ends with it."""

    def __enter__(self) -> "ActiveRun":
        return self

    def __exit__(self, kind, error, trace) -> bool:
        end_run(RunStatus.FINISHED if kind is None else RunStatus.FAILED)
        return kind is None


def set_tracking_uri(uri: str) -> None:
    _http.set_tracking_uri(uri)


def get_tracking_uri() -> str:
    return _http.tracking_uri()


def autolog(*_args, **_kwargs) -> None:
    """Does nothing: the stand-in does not reach into other libraries."""


def _experiment() -> str:
    return _experiment_id or os.environ.get("MLFLOW_EXPERIMENT_ID", "") or "0"


def _resumed(run_id: str) -> Run:
    client = MlflowClient()
    if _http.server() is None:
        return Run(RunInfo(run_id=run_id, start_time=now_ms()))
    run = client.get_run(run_id)
    if run.info.lifecycle_stage == "deleted":
        raise MlflowException(f"Cannot start run with ID {run_id} because it is in the deleted state.")
    client.update_run(run_id, RunStatus.RUNNING)
    return run


def start_run(
    run_id: Optional[str] = None,
    experiment_id: Optional[str] = None,
    run_name: Optional[str] = None,
    nested: bool = False,
    parent_run_id: Optional[str] = None,
    tags: Optional[Dict[str, Any]] = None,
    description: Optional[str] = None,
    log_system_metrics: Optional[bool] = None,
) -> ActiveRun:
    """Starts a run, or goes on with one. The first is the step's own (MLFLOW_RUN_ID)."""
    if _active and not nested:
        raise MlflowException(
            f"Run with UUID {_active[0].info.run_id} is already active. To start a new run, first end the current "
            "run with mlflow.end_run(). To start a nested run, call start_run with nested=True"
        )
    run_id = run_id or os.environ.pop("MLFLOW_RUN_ID", None)
    client = MlflowClient()
    all_tags = dict(tags or {})
    if description:
        all_tags["mlflow.note.content"] = description
    if run_id:
        run = _resumed(run_id)
        if run_name:
            client.update_run(run_id, name=run_name)
        client.log_batch(run_id, tags=[RunTag(key, value) for key, value in all_tags.items()])
    else:
        parent = parent_run_id or (_active[-1].info.run_id if _active else None)
        if parent:
            all_tags["mlflow.parentRunId"] = parent
        run = client.create_run(experiment_id or _experiment(), tags=all_tags, run_name=run_name)
    _active.append(ActiveRun(run.info, run.data))
    return _active[-1]


def end_run(status: str = RunStatus.FINISHED) -> None:
    global _last
    if not _active:
        return
    run = _active.pop()
    _last = run.info.run_id
    MlflowClient().set_terminated(run.info.run_id, status)


def active_run() -> Optional[ActiveRun]:
    return _active[-1] if _active else None


def last_active_run() -> Optional[Run]:
    run_id = _active[-1].info.run_id if _active else _last
    return get_run(run_id) if run_id else None


def _run_id(run_id: Optional[str] = None) -> str:
    if run_id:
        return run_id
    return (_active[-1] if _active else start_run()).info.run_id


def log_metric(
    key: str,
    value: float,
    step: Optional[int] = None,
    synchronous: Optional[bool] = None,
    timestamp: Optional[int] = None,
    run_id: Optional[str] = None,
    **_kwargs,
) -> None:
    MlflowClient().log_metric(_run_id(run_id), key, value, timestamp, step)


def log_metrics(
    metrics: Dict[str, float],
    step: Optional[int] = None,
    synchronous: Optional[bool] = None,
    run_id: Optional[str] = None,
    timestamp: Optional[int] = None,
    **_kwargs,
) -> None:
    at = timestamp if timestamp is not None else now_ms()
    values = [Metric(key, value, at, step or 0) for key, value in metrics.items()]
    MlflowClient().log_batch(_run_id(run_id), metrics=values)


def log_param(key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
    return MlflowClient().log_param(_run_id(), key, value)


def log_params(params: Dict[str, Any], synchronous: Optional[bool] = None, run_id: Optional[str] = None) -> None:
    MlflowClient().log_batch(_run_id(run_id), params=[Param(key, str(value)) for key, value in params.items()])


def set_tag(key: str, value: Any, synchronous: Optional[bool] = None) -> None:
    MlflowClient().set_tag(_run_id(), key, value)


def set_tags(tags: Dict[str, Any], synchronous: Optional[bool] = None) -> None:
    MlflowClient().log_batch(_run_id(), tags=[RunTag(key, str(value)) for key, value in tags.items()])


def delete_tag(key: str) -> None:
    MlflowClient().delete_tag(_run_id(), key)


def log_artifact(local_path: str, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    MlflowClient().log_artifact(_run_id(run_id), local_path, artifact_path)


def log_artifacts(local_dir: str, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    MlflowClient().log_artifacts(_run_id(run_id), local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: Optional[str] = None) -> None:
    MlflowClient().log_text(_run_id(run_id), text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: Optional[str] = None) -> None:
    """As JSON, which is YAML too."""
    log_text(json.dumps(dictionary, indent=2, default=str), artifact_file, run_id)


def log_figure(figure: Any, artifact_file: str, **_kwargs) -> None:
    """A figure of matplotlib (savefig) or plotly (write_html)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, os.path.basename(artifact_file))
        if hasattr(figure, "savefig"):
            figure.savefig(path)
        else:
            figure.write_html(path)
        log_artifact(path, os.path.dirname(artifact_file))


def get_artifact_uri(artifact_path: Optional[str] = None) -> str:
    root = (active_run() or start_run()).info.artifact_uri
    return f"{root}/{artifact_path}" if artifact_path else root


def get_run(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def get_experiment(experiment_id: str) -> Experiment:
    return MlflowClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Optional[Experiment]:
    return MlflowClient().get_experiment_by_name(name)


def create_experiment(name: str, *_args, **_kwargs) -> str:
    return MlflowClient().create_experiment(name)


def set_experiment(experiment_name: Optional[str] = None, experiment_id: Optional[str] = None) -> Experiment:
    """For runs that are made from now on; the step's own stays in the experiment of its pipeline."""
    global _experiment_id
    if _http.server() is None:
        return Experiment(experiment_id or experiment_name or "", experiment_name or experiment_id or "")
    client = MlflowClient()
    if experiment_id:
        experiment = client.get_experiment(experiment_id)
    else:
        experiment = client.get_experiment_by_name(experiment_name)
        if experiment is None:
            experiment = client.get_experiment(client.create_experiment(experiment_name))
    _experiment_id = experiment.experiment_id
    return experiment


def search_runs(
    experiment_ids: Optional[List[str]] = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 100000,
    order_by: Optional[List[str]] = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Optional[List[str]] = None,
):
    """A DataFrame where pandas is there, else (and with output_format="list") a list of runs."""
    names = list(experiment_ids or experiment_names or [_experiment()])
    limit = min(max_results, 50000)
    runs = MlflowClient().search_runs(names, filter_string, run_view_type, limit, order_by)
    if output_format != "pandas":
        return runs
    try:
        import pandas
    except ImportError:
        print("Potok's stand-in for MLflow: pandas is not here, search_runs gives a list", file=sys.stderr)
        return runs
    return pandas.DataFrame([_row_of(run, pandas) for run in runs])


def _row_of(run: Run, pandas: Any) -> Dict[str, Any]:
    info = run.info
    row = {name: getattr(info, name) for name in ("run_id", "experiment_id", "status", "artifact_uri")}
    for name in ("start_time", "end_time"):
        row[name] = pandas.to_datetime(getattr(info, name), unit="ms", utc=True)
    row.update({"metrics." + key: value for key, value in run.data.metrics.items()})
    row.update({"params." + key: value for key, value in run.data.params.items()})
    row.update({"tags." + key: value for key, value in run.data.tags.items()})
    return row


@atexit.register
def _end_all() -> None:
    """A program that ends has ended its runs."""
    while _active:
        try:
            end_run()
        except Exception as error:  # nothing may keep a program from ending
            print(f"Potok's stand-in for MLflow: ending the run failed: {error}", file=sys.stderr)
