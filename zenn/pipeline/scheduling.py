"""A remedy for Snakemake's scheduler, which wakes itself more and more often while jobs wait.

With a limit of jobs per timespan, which is Snakemake's default (100 a second), every look at the queue starts
a timer for another look (9.27, `JobScheduler.schedule`). A job that begins or ends is a look more, so each of
them adds a timer that is renewed for ever: with 137 jobs the driver took 9 % of all processor time, and with
n jobs it looks n times a second. One timer at a time does the same.
"""

from __future__ import annotations

import time
from typing import Any

SCHEDULE = "_schedule_reevalutation"  # as Snakemake spells it


def one_timer_at_a_time(scheduler: Any) -> None:
    """Let `scheduler` start no timer while another is under way; where it has none there is nothing to do."""
    start = getattr(scheduler, SCHEDULE, None)
    if start is None:
        return
    due = 0.0

    def start_if_none(delay: float) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:  # the last one has woken the scheduler
            due = now + delay
            start(delay)

    setattr(scheduler, SCHEDULE, start_if_none)
