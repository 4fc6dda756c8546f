"""The mini-batches of an input: files by count, tables by rows."""

from __future__ import annotations

import dataclasses
import os
import typing

import tabular
from settings import Refused, Settings

# As many as an artifact may have (common/cas); links can make a small folder a large one.
ENTRIES_MAX = 2_000_000


@dataclasses.dataclass
class Batch:
    """What one call of run() gets."""

    index: int
    content: typing.Any  # list of paths, or a DataFrame
    size: int  # files or rows
    partition_key_value: dict[str, str] | None = None


@dataclasses.dataclass
class Batches:
    """All of them; `unit` is what they are counted in."""

    batches: list[Batch]
    unit: str

    @property
    def items(self) -> int:
        return sum(batch.size for batch in self.batches)


def split(path: str, settings: Settings) -> Batches:
    """The mini-batches of the file or folder at `path`, always in the same order."""
    if os.path.isfile(os.path.join(path, "MLTable")):
        table = tabular.read_table(path)
        if table.is_tabular:
            frames = tabular.split_frame(table, settings.mini_batch_size, settings.partition_keys)
            batches = [Batch(index, frame, len(frame), key) for index, (frame, key) in enumerate(frames)]
            return Batches(batches, "rows")
        return _split_files(table.files, settings)
    return _split_files(files_in(path), settings)


def files_in(path: str) -> list[str]:
    """The files at and below `path`, by name."""
    if not os.path.exists(path):
        raise Refused(f"input_data: nothing is at {path}")
    if not os.path.isdir(path):
        return [path]
    found: list[str] = []
    waiting: list[tuple[str, tuple]] = [(path, ())]
    looked_at = 0
    while waiting:
        folder, above = waiting.pop()
        facts = os.stat(folder)
        here = (facts.st_dev, facts.st_ino)
        if here in above:  # a link leads back to a folder that it lies in
            continue
        for entry in os.scandir(folder):
            looked_at += 1
            if entry.is_dir(follow_symlinks=False) or entry.is_symlink() and os.path.isdir(entry.path):
                waiting.append((entry.path, (*above, here)))
            else:
                found.append(entry.path)
        if looked_at > ENTRIES_MAX:
            raise Refused(f"input_data: more than {ENTRIES_MAX} files and folders are at {path}, links followed")
    return sorted(found)


def _split_files(files: list[str], settings: Settings) -> Batches:
    if settings.partition_keys:
        raise Refused(
            "partition_keys: only a table (an MLTable with read_delimited) has columns to divide it by; "
            "use mini_batch_size for files"
        )
    count = _file_count(settings.mini_batch_size)
    groups = [files[begin : begin + count] for begin in range(0, len(files), count)]
    return Batches([Batch(index, group, len(group)) for index, group in enumerate(groups)], "files")


def _file_count(size: str) -> int:
    text = str(size).strip() or "1"
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise Refused(f"mini_batch_size: {size}: of files it is how many go into one mini-batch, as 10")
