"""Gives mini-batches to worker processes, again where one failed, and stops where too much did."""

from __future__ import annotations

import collections
import dataclasses
import multiprocessing
import multiprocessing.connection
import time
import typing

import worker
from batches import Batch, Batches
from settings import Refused, Settings

# Between two lines that say how far it is.
PROGRESS_SECONDS = 10.0
FORK = multiprocessing.get_context("fork")


@dataclasses.dataclass
class Tally:
    """How far it is, and at last what came of it."""

    completed: int = 0
    failed: int = 0
    failed_items: int = 0
    retries: int = 0

    @property
    def ended(self) -> int:
        return self.completed + self.failed


class TooManyFailures(Exception):
    """A threshold was passed."""


class Worker:
    """One process, and what it is at."""

    def __init__(self, settings: Settings, arguments: list[str]):
        self.connection, theirs = FORK.Pipe()
        self.process = FORK.Process(target=worker.serve, args=(theirs, settings, arguments), daemon=True)
        self.process.start()
        theirs.close()
        self.is_ready = False
        self.batch: Batch | None = None
        self.deadline = time.monotonic() + settings.task_overhead_timeout

    def give(self, batch: Batch, seconds: float) -> None:
        self.batch = batch
        self.deadline = time.monotonic() + seconds
        self.connection.send(batch)

    def finish(self) -> None:
        """Lets it end by itself: its script may have something to shut down."""
        try:
            self.connection.send(None)
        except OSError:
            return
        self.process.join(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """Runs all mini-batches. `keep` gets each outcome once: the last of its tries."""

    def __init__(self, batches: Batches, settings: Settings, arguments: list[str], keep: typing.Callable):
        self.batches = batches
        self.settings = settings
        self.arguments = arguments
        self.keep = keep
        self.tally = Tally()
        self.waiting = collections.deque(batches.batches)
        self.tries: dict[int, int] = collections.defaultdict(int)
        self.workers: list[Worker] = []
        self.next_progress = time.monotonic() + PROGRESS_SECONDS

    def run(self) -> Tally:
        """TooManyFailures or Refused end it early; no process is left behind either way."""
        try:
            while self.tally.ended < len(self.batches.batches):
                self._start_workers()
                self._give_batches()
                self._await_one()
                self._say_progress()
            for one in self.workers:
                one.finish()
        finally:
            for one in self.workers:
                one.kill()
        return self.tally

    def _start_workers(self) -> None:
        busy = sum(1 for one in self.workers if one.batch is not None)
        wanted = min(self.settings.workers, busy + len(self.waiting))
        while len(self.workers) < wanted:
            self.workers.append(Worker(self.settings, self.arguments))

    def _give_batches(self) -> None:
        for one in list(self.workers):
            if not self.waiting:
                return
            if one.is_ready and one.batch is None:
                self._give(one, self.waiting.popleft())

    def _give(self, one: Worker, batch: Batch) -> None:
        try:
            one.give(batch, self.settings.batch_timeout_seconds)
        except OSError:
            self._bury(one)

    def _await_one(self) -> None:
        watched = [one for one in self.workers if one.batch is not None or not one.is_ready]
        wait_until = min([one.deadline for one in watched] + [self.next_progress])
        ready = multiprocessing.connection.wait(
            [one.connection for one in watched], timeout=max(0.0, wait_until - time.monotonic())
        )
        for one in watched:
            if one.connection in ready:
                self._hear(one)
            elif time.monotonic() >= one.deadline:
                self._give_up(one)

    def _hear(self, one: Worker) -> None:
        try:
            said = one.connection.recv()
        except (EOFError, OSError):
            self._bury(one)
            return
        if not one.is_ready:
            if said is not None:
                raise Refused(f"{self.settings.entry_script} could not be begun:\n{said}")
            one.is_ready = True
            return
        batch, one.batch = one.batch, None
        self._conclude(batch, said)

    def _give_up(self, one: Worker) -> None:
        if not one.is_ready:
            raise Refused(
                f"init() of {self.settings.entry_script} has not ended after {self.settings.task_overhead_timeout:g} s "
                "(--task_overhead_timeout)"
            )
        self.workers.remove(one)
        one.kill()
        late = f"not done after {self.settings.batch_timeout_seconds:g} s (retry_settings.timeout)"
        self._conclude(one.batch, worker.Outcome(one.batch.index, error=late))

    def _bury(self, one: Worker) -> None:
        """A process that has ended in the middle."""
        self.workers.remove(one)
        one.process.join()
        end = f"its process ended with exit code {one.process.exitcode}"
        one.connection.close()
        if one.batch is None:
            raise Refused(f"{self.settings.entry_script} could not be begun: {end}")
        self._conclude(one.batch, worker.Outcome(one.batch.index, error=end))

    def _conclude(self, batch: Batch, outcome) -> None:
        if outcome.error:
            self.tries[batch.index] += 1
            tries = self.tries[batch.index]
            again = tries <= self.settings.max_retries
            print(
                f"mini-batch {batch.index} failed in try {tries} of {self.settings.max_retries + 1}"
                f"{', is tried again' if again else ''}: {outcome.error.rstrip()}",
                flush=True,
            )
            if again:
                self.tally.retries += 1
                self.waiting.appendleft(batch)
                return
            self.tally.failed += 1
            self.tally.failed_items += batch.size - min(outcome.rows, batch.size)
        else:
            self.tally.completed += 1
        self.keep(outcome)
        self._check_thresholds()

    def _check_thresholds(self) -> None:
        of_batches = self.settings.mini_batch_error_threshold
        if 0 <= of_batches < self.tally.failed:
            raise TooManyFailures(
                f"{self.tally.failed} mini-batches failed; mini_batch_error_threshold is {of_batches}"
            )
        of_items = self.settings.error_threshold
        if 0 <= of_items < self.tally.failed_items:
            raise TooManyFailures(
                f"{self.tally.failed_items} {self.batches.unit} failed; error_threshold is {of_items}"
            )
        percent = 100 * self.tally.failed / len(self.batches.batches)
        if percent > self.settings.allowed_failed_percent:
            raise TooManyFailures(
                f"{self.tally.failed} of {len(self.batches.batches)} mini-batches failed; --allowed_failed_percent is "
                f"{self.settings.allowed_failed_percent:g}"
            )

    def _say_progress(self) -> None:
        if time.monotonic() < self.next_progress:
            return
        self.next_progress = time.monotonic() + PROGRESS_SECONDS
        print(
            f"{self.tally.ended} of {len(self.batches.batches)} mini-batches have ended, {self.tally.failed} failed",
            flush=True,
        )
