"""What the calls give: runs and what they hold."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional


class RunStatus:
    """The words for the state of a run."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class ViewType:
    """Which runs a search shows."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    @staticmethod
    def to_string(view_type: int) -> str:
        return {2: "DELETED_ONLY", 3: "ALL"}.get(view_type, "ACTIVE_ONLY")


@dataclass
class Metric:
    key: str
    value: float
    timestamp: int  # Unix milliseconds
    step: int = 0


@dataclass
class Param:
    key: str
    value: str


@dataclass
class RunTag:
    key: str
    value: str


@dataclass
class RunInfo:
    run_id: str
    experiment_id: str = ""
    run_name: str = ""
    status: str = RunStatus.RUNNING
    start_time: Optional[int] = None  # Unix milliseconds
    end_time: Optional[int] = None
    artifact_uri: str = ""
    user_id: str = ""
    lifecycle_stage: str = "active"

    @property
    def run_uuid(self) -> str:
        return self.run_id


@dataclass
class RunData:
    metrics: Dict[str, float] = field(default_factory=dict)
    params: Dict[str, str] = field(default_factory=dict)
    tags: Dict[str, str] = field(default_factory=dict)


class Run:
    """A run: `info` and `data`."""

    def __init__(self, info: RunInfo, data: Optional[RunData] = None):
        self.info = info
        self.data = data or RunData()

    @classmethod
    def from_json(cls, run: Dict[str, Any]) -> "Run":
        known = RunInfo.__dataclass_fields__
        info = RunInfo(**{name: value for name, value in run["info"].items() if name in known})
        data = run.get("data", {})
        return cls(
            info,
            RunData(
                metrics={metric["key"]: float(metric["value"]) for metric in data.get("metrics", [])},
                params={param["key"]: param["value"] for param in data.get("params", [])},
                tags={tag["key"]: tag["value"] for tag in data.get("tags", [])},
            ),
        )


@dataclass
class Experiment:
    experiment_id: str
    name: str
    artifact_location: str = ""
    lifecycle_stage: str = "active"
    tags: Dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, experiment: Dict[str, Any]) -> "Experiment":
        known = ("experiment_id", "name", "artifact_location", "lifecycle_stage")
        return cls(**{name: experiment.get(name, "") for name in known})


@dataclass
class FileInfo:
    path: str
    is_dir: bool
    file_size: Optional[int] = None


__all__: List[str] = [
    "Experiment",
    "FileInfo",
    "Metric",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunStatus",
    "RunTag",
    "ViewType",
]
