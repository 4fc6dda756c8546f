"""What a parallel step is to do: the settings of its YAML, and the switches in its program arguments."""

from __future__ import annotations

import dataclasses
import json
import os


class Refused(Exception):
    """What was asked for cannot be done; the message is for the user."""


@dataclasses.dataclass
class Settings:
    """Fields are those of the YAML; -1 of a threshold: no limit."""

    entry_script: str
    mini_batch_size: str = ""
    partition_keys: list[str] = dataclasses.field(default_factory=list)
    mini_batch_error_threshold: int = -1
    error_threshold: int = -1
    max_retries: int = 2
    batch_timeout_seconds: float = 60
    max_concurrency_per_instance: int = 0
    logging_level: str = ""
    allowed_failed_percent: float = 100
    task_overhead_timeout: float = 600

    @property
    def workers(self) -> int:
        """Processes that run mini-batches at the same time."""
        if self.max_concurrency_per_instance > 0:
            return self.max_concurrency_per_instance
        return max(1, len(os.sched_getaffinity(0)))


# Switch -> the field that it sets, and how its value is read. None: accepted, and without a meaning here.
SWITCHES = {
    "--error_threshold": ("error_threshold", int),
    "--allowed_failed_count": ("mini_batch_error_threshold", int),
    "--allowed_failed_percent": ("allowed_failed_percent", float),
    "--task_overhead_timeout": ("task_overhead_timeout", float),
    "--progress_update_timeout": None,
    "--first_task_creation_timeout": None,
    "--copy_logs_to_parent": None,
    "--resource_monitor_interval": None,
}


def settings_from_json(text: str) -> Settings:
    """The settings as the server wrote them."""
    known = {field.name for field in dataclasses.fields(Settings)}
    return Settings(**{name: value for name, value in json.loads(text).items() if name in known})


def take_switches(settings: Settings, arguments: list[str]) -> list[str]:
    """Applies the switches among `arguments`, "--name value" or "--name=value"; the others, for the script."""
    left = []
    position = 0
    while position < len(arguments):
        name, equals, value = arguments[position].partition("=")
        position += 1
        if name not in SWITCHES:
            left.append(arguments[position - 1])
            continue
        if not equals:
            if position == len(arguments):
                raise Refused(f"program_arguments: {name} has no value")
            value = arguments[position]
            position += 1
        _apply(settings, name, value)
    return left


def _apply(settings: Settings, name: str, value: str) -> None:
    meaning = SWITCHES[name]
    if meaning is None:
        return
    field, read = meaning
    try:
        setattr(settings, field, read(value))
    except ValueError:
        raise Refused(f"program_arguments: {name} {value}: this is no number") from None
