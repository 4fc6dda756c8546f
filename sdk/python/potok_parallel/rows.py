"""The rows that all calls of run() returned, in one file, in the order of the mini-batches."""

from __future__ import annotations

import os
import shutil
import tempfile


class Rows:
    """What comes before its turn waits on the disk, so that memory holds one mini-batch's rows at most."""

    def __init__(self, path: str | None):
        self.path = path
        self.next = 0
        self.early: set[int] = set()
        if path is None:
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.file = open(path, "w", encoding="utf-8", newline="")  # noqa: SIM115 (closed by close)
        self.folder = tempfile.mkdtemp(prefix="potok-parallel-")

    def keep(self, outcome) -> None:
        """Each mini-batch comes once, in any order."""
        if self.path is None:
            return
        if outcome.index != self.next:
            with open(self._early_path(outcome.index), "w", encoding="utf-8", newline="") as file:
                file.write(outcome.text)
            self.early.add(outcome.index)
            return
        self.file.write(outcome.text)
        self.next += 1
        while self.next in self.early:
            path = self._early_path(self.next)
            with open(path, encoding="utf-8", newline="") as file:
                shutil.copyfileobj(file, self.file)
            os.remove(path)
            self.early.remove(self.next)
            self.next += 1

    def close(self) -> None:
        if self.path is None:
            return
        self.file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _early_path(self, index: int) -> str:
        return os.path.join(self.folder, str(index))
