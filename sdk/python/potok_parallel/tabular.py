"""Tables: an MLTable that reads delimited files, as DataFrames. Needs pandas and PyYAML, which files do not."""

from __future__ import annotations

import dataclasses
import glob
import importlib
import os
import typing

from settings import Refused

# Of a mini-batch where the YAML says nothing.
DEFAULT_BYTES = 1 << 20
UNITS = {"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30}
READERS = {"read_delimited"}


@dataclasses.dataclass
class Table:
    """An MLTable file: the files it names, and how they are read as a table; None: they are only files."""

    files: list[str]
    reading: dict | None

    @property
    def is_tabular(self) -> bool:
        return self.reading is not None


def read_table(folder: str) -> Table:
    """Reads FOLDER/MLTable. Refused if it asks for more than this understands."""
    yaml = _needed("yaml", "python3-yaml")
    with open(os.path.join(folder, "MLTable"), encoding="utf-8") as file:
        described = yaml.safe_load(file) or {}
    files = []
    for entry in described.get("paths") or []:
        files += _files_of(folder, entry)
    reading = None
    for step in described.get("transformations") or []:
        name, options = (step, {}) if isinstance(step, str) else next(iter(step.items()))
        if name not in READERS:
            raise Refused(
                f"input_data: the MLTable's transformation {name} is not supported by parallel steps here; "
                f"supported: {', '.join(sorted(READERS))}, or a folder of files"
            )
        reading = options or {}
    return Table(files, reading)


def split_frame(
    table: Table, mini_batch_size: str, partition_keys: list[str]
) -> typing.Iterator[tuple[typing.Any, dict | None]]:
    """DataFrames of about so many bytes, or one for each value of the keys."""
    pandas = _needed("pandas", "python3-pandas")
    if partition_keys:
        frame = pandas.concat([_read(pandas, file, table.reading) for file in table.files], ignore_index=True)
        unknown = [key for key in partition_keys if key not in frame.columns]
        if unknown:
            raise Refused(
                f"partition_keys: the table has no column {', '.join(unknown)}; it has {', '.join(frame.columns)}"
            )
        for _, part in frame.groupby(list(partition_keys), sort=True):
            key = {name: str(part[name].iloc[0]) for name in partition_keys}
            yield part.reset_index(drop=True), key
        return
    wanted = _bytes(mini_batch_size)
    for file in table.files:
        frame = _read(pandas, file, table.reading)
        of_row = max(1, os.path.getsize(file) // max(1, len(frame)))
        rows = max(1, wanted // of_row)
        for begin in range(0, len(frame), rows):
            yield frame.iloc[begin : begin + rows].reset_index(drop=True), None


def _files_of(folder: str, entry: dict) -> list[str]:
    kind, place = next(iter(entry.items()))
    if "://" in str(place):
        raise Refused(f"input_data: the MLTable names {place}, which is elsewhere; only files beside it are read")
    path = os.path.normpath(os.path.join(folder, str(place)))
    if path != os.path.normpath(folder) and not path.startswith(os.path.normpath(folder) + os.sep):
        raise Refused(f"input_data: the MLTable names {place}, outside of its folder")
    if kind == "file":
        return [path]
    if kind == "folder":
        return sorted(name for name in glob.glob(os.path.join(path, "**"), recursive=True) if os.path.isfile(name))
    if kind == "pattern":
        return sorted(name for name in glob.glob(path, recursive=True) if os.path.isfile(name))
    raise Refused(f"input_data: the MLTable's paths have an entry '{kind}'; file, folder and pattern are known")


def _read(pandas, file: str, reading: dict):
    header = None if reading.get("header") in ("no_header", False) else 0
    encoding = str(reading.get("encoding", "utf8")).replace("utf8", "utf-8")
    try:
        return pandas.read_csv(file, sep=reading.get("delimiter", ","), header=header, encoding=encoding)
    except (OSError, ValueError) as error:
        raise Refused(f"input_data: {file} cannot be read as a table: {error}") from error


def _bytes(size: str) -> int:
    text = str(size).strip().lower()
    if not text:
        return DEFAULT_BYTES
    digits = text.rstrip("bkmg")
    if digits.isdigit() and int(digits) > 0 and text[len(digits) :] in UNITS:
        return int(digits) * UNITS[text[len(digits) :]]
    raise Refused(f"mini_batch_size: {size}: of a table it is about how many bytes, as 10kb or 100mb")


def _needed(module: str, package: str):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Refused(
            f"input_data: an MLTable needs the Python module {module} on the machine (Debian: {package}): {error}"
        ) from error
