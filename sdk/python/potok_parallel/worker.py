"""A process that runs mini-batches one after the other in the user's script."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import logging
import os
import sys
import traceback

ENTRY_MODULE = "potok_parallel_entry"


@dataclasses.dataclass
class MiniBatchContext:
    """The second argument of run(), for scripts that take one."""

    mini_batch_id: int
    partition_key_value: dict[str, str] | None


@dataclasses.dataclass
class Outcome:
    """What came of a mini-batch. `rows` are those that run() returned, as lines of text."""

    index: int
    rows: int = 0
    text: str = ""
    error: str = ""  # empty: it succeeded


def serve(connection, settings, arguments: list[str]) -> None:
    """Loads the script, calls init(), then runs what comes until None does."""
    logging.basicConfig(level=getattr(logging, settings.logging_level or "INFO", logging.INFO))
    try:
        script = _load(settings.entry_script, arguments)
        if hasattr(script, "init"):
            script.init()
        if not hasattr(script, "run"):
            raise AttributeError(f"{settings.entry_script} has no function run(mini_batch)")
    except BaseException:  # sys.exit() in a script is a failure like others
        connection.send(traceback.format_exc())
        return
    connection.send(None)
    while (batch := connection.recv()) is not None:
        connection.send(_run(script, batch))
    if hasattr(script, "shutdown"):
        try:
            script.shutdown()
        except Exception:
            traceback.print_exc()


def _load(entry_script: str, arguments: list[str]):
    path = os.path.abspath(entry_script)
    sys.argv = [entry_script, *arguments]
    sys.path[:0] = [os.path.dirname(path), os.getcwd()]
    spec = importlib.util.spec_from_file_location(ENTRY_MODULE, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[ENTRY_MODULE] = module
    spec.loader.exec_module(module)
    return module


def _run(script, batch) -> Outcome:
    try:
        arguments = [batch.content]
        if _takes_context(script.run):
            arguments.append(MiniBatchContext(batch.index, batch.partition_key_value))
        rows, text = _rows_of(script.run(*arguments))
    except BaseException:
        return Outcome(batch.index, error=traceback.format_exc())
    outcome = Outcome(batch.index, rows, text)
    if rows < batch.size:
        outcome.error = f"run() returned {rows} rows for {batch.size}: return one for each"
    return outcome


def _takes_context(run) -> bool:
    kinds = [parameter.kind for parameter in inspect.signature(run).parameters.values()]
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(kind in named for kind in kinds) >= 2 or inspect.Parameter.VAR_POSITIONAL in kinds


def _rows_of(returned) -> tuple[int, str]:
    """How many rows, and their text, one line each; of a DataFrame its values with spaces between, as in Azure ML."""
    if hasattr(returned, "to_csv") and hasattr(returned, "columns"):
        return len(returned), returned.to_csv(sep=" ", header=False, index=False, lineterminator="\n")
    if isinstance(returned, (list, tuple)):
        return len(returned), "".join(f"{item}\n" for item in returned)
    raise TypeError(f"run() returned {type(returned).__name__}: return a list, a tuple or a DataFrame")
