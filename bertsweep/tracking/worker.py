"""One thread that does jobs in turn, so that whoever hands them over never waits."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]


class Worker:
    """Does each job it is given in a thread of its own, which starts with the first one.

    `failed` receives whatever a job raises, and the next job follows. The thread is a daemon: a
    process that ends without `close` is not held up.
    """

    def __init__(self, *, failed: Callable[[Exception], None], limit: int) -> None:
        self._failed, self._limit = failed, limit
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, job: Job, *, droppable: bool = False) -> bool:
        """Takes the job and returns at once; False, without it, when it is droppable and `limit`
        others wait.
        """
        if droppable and self._queue.qsize() >= self._limit:
            return False
        self._queue.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
            self._thread.start()
        return True

    def close(self, *, timeout: float) -> bool:
        """Waits for the jobs, at most `timeout` seconds; False when the thread is still at it."""
        if self._thread is None:
            return True
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - tracking must survive whatever wandb raises
                self._failed(error)
