"""What the Snakefile asks: paths, inputs and orders, all answered from the plan."""

from __future__ import annotations

import atexit
import filecmp
import json
import logging
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from snakemake.io import ancient
from snakemake.logging import logger as snakemake_says

from zenn.disk import complaint, disk_errors, sign
from zenn.errors import ZennError
from zenn.files import atomic_folder, write_json
from zenn.pipeline import cluster, preflight, provenance
from zenn.pipeline.forecast import Forecast
from zenn.pipeline.intact import places, refuse_unwritable, remove_damaged
from zenn.pipeline.leftovers import sweep
from zenn.pipeline.lifetime import take_checkout
from zenn.pipeline.plan import Plan, plan_checkout
from zenn.pipeline.scheduling import one_timer_at_a_time
from zenn.pipeline.steps import RECORD
from zenn.pipeline.watch import Counts, Job, TimeLeft, Watch
from zenn.pipeline.work import work_of

ORDERS = Path(".snakemake/zenn-orders")
PAGE = Path("results/report/index.html")
DRIVER = Path("logs/driver.json")  # what the last run itself took, beside its jobs
# Snakemake's options that only look: they neither take the checkout nor repair anything.
LOOKING = {
    *("--lint", "--list", "--list-rules", "-l", "--list-target-rules", "--lt", "--summary", "-S"),
    *("--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--print-compilation"),
    *("--dry-run", "--dryrun", "-n", "-np", "-pn"),  # Snakemake itself knows it only later
    *("--list-changes", "--lc", "--list-input-changes", "--li", "--list-params-changes", "--lp", "--unlock"),
}


class Run:
    """The plan as Snakemake's rules need it."""

    python = sys.executable  # by path: the environment may not be activated

    def __init__(self, root: Path, plan: Plan) -> None:
        self.root = root
        self.plan = plan
        self.page = str(plan.by_name["report/page"].folder / PAGE.name)
        self.shown_page = str(PAGE)
        self.watch: Watch | None = None
        self.facts: dict[str, Any] = {}
        self.began = time.time()
        self.left: set[str | None] = set()  # keys of the jobs that an earlier driver has left in Slurm
        # Snakemake takes braces in a path for wildcards.
        environment = str(root / "workflow" / "envs" / "zenn.yaml")
        self.environment = environment.replace("{", "{{").replace("}", "}}")

    def paths(self, subject: str) -> list[str]:
        """All result files of a subject."""
        return self.plan.paths(subject)

    def plans(self, subject: str, run: str) -> bool:
        """Whether a run whose name ends in `run` is planned: some are optional."""
        return any(step.run.endswith(run) for step in self.plan.of(subject))

    def outputs(self, subject: str, run: str) -> list[str]:
        """Output patterns of the rule that makes the runs whose name ends in `run`."""
        steps = [step for step in self.plan.of(subject) if step.run.endswith(run)]
        if not steps:
            raise ZennError(f"workflow/rules/{subject}.smk: no planned run ends in '{run}'")
        names = [Path(path).name for path in steps[0].paths]
        return [f"results/{{subject}}/{{run}}/{{key}}/{name}" for name in names]

    def inputs(self, wildcards: Any) -> list[Any]:
        """Every result file that a job reads."""
        step = self.plan.by_key[wildcards.key]
        return [ancient(path) for source in step.inputs.values() for path in source.asked]

    def order(self, wildcards: Any) -> str:
        """The file with the job's order."""
        return str(ORDERS / f"{wildcards.key}.json")

    def priority(self, wildcards: Any) -> int:
        """Before all else what is in Slurm already: taken over while it is there, it is not begun anew."""
        return 1 if wildcards.key in self.left else 0

    def start(self, workflow: Any) -> None:
        """When Snakemake knows its jobs and has begun none: look whether they can work, and watch them."""
        try:
            self._take_over(workflow)
            jobs = _jobs(workflow, self.plan)
            self.watch = self._checked(workflow, jobs)
        except ZennError as error:
            raise SystemExit(f"error: {error}") from None
        one_timer_at_a_time(workflow.scheduler)
        self.watch.start(snakemake_says)

    def end(self, failed: bool) -> None:
        """The end of a run that `start` began."""
        if not failed:
            atexit.unregister(_last_word)
        if self.watch is None:
            return
        self.watch.stop()
        with suppress(OSError):  # a full disk has been told of already
            if failed:
                print("\n".join(self.watch.summary()), file=sys.stderr)
            write_json(self.root / DRIVER, {**self.facts, **provenance.of_driver(self.began)})

    def _checked(self, workflow: Any, jobs: dict[int, Job]) -> Watch:
        """The view of the jobs of a run that can work.

        Raises
        ------
        ZennError : it cannot.
        """
        local = bool(workflow.local_exec)
        cores = int(workflow.cores if local else min(workflow.nodes or 1, len(jobs)))
        given = getattr(workflow.global_resources.get("gpu"), "value", None)
        gpus = cores if given is None else int(given)  # Slurm itself counts them
        steps = [job.step for job in jobs.values()]
        forecast = Forecast.of(self.root, steps, cores, gpus)
        wanted = preflight.Wanted(
            steps,
            [job.step for job in jobs.values() if job.gpus],
            gpus,
            max((job.gpus for job in jobs.values()), default=0),
            max((job.memory_MiB for job in jobs.values()), default=0),
            local,
        )
        for remark in preflight.refuse(preflight.check(self.root, forecast, wanted)):
            print(f"note: {remark}", file=sys.stderr)
        print(f"note: {forecast.sentence()}", file=sys.stderr)
        self.facts = {"jobs": len(jobs), "cores": cores, "scale": self.plan.scale}
        counts = Counts(jobs)
        left = TimeLeft(self.root, counts, forecast.costs, cores, gpus)
        return Watch(self.root, ORDERS, left, counts)

    def _take_over(self, workflow: Any) -> None:
        """Take over what an earlier driver left in Slurm: when the executor is known, before it has a job."""
        if workflow.executor_plugin.name == cluster.EXECUTOR:
            cluster.check_python(sys.executable)
        keys = {step.key for step in self.plan.steps}
        made = {step.key for step in self.plan.steps if (self.root / step.folder / RECORD).is_file()}
        left = cluster.clear(self.root, keys - made, made)
        cluster.take_over(self.root, left, workflow.executor_plugin.name)

    def write_orders(self) -> None:
        """Write the order of every step, and drop those of earlier plans.

        A file instead of an argument: the command stays short enough to be read and given again alone.
        """
        with atomic_folder(self.root / ORDERS) as folder:
            for step in self.plan.steps:  # hundreds, and the folder appears whole: not flushed one by one
                order = {**step.order, "work": work_of(step).told}
                (folder / f"{step.key}.json").write_text(json.dumps(order, indent=1), encoding="utf-8")

    def drop_other_page(self) -> None:
        """Remove the shown page when it is not a copy of the planned one, so that `all` copies it again.

        Its name carries no key: a kill between making and copying would leave an old page in place.
        """
        shown, planned = self.root / self.shown_page, self.root / self.page
        if shown.is_file() and planned.is_file() and not filecmp.cmp(shown, planned, shallow=False):
            shown.unlink()


def _jobs(workflow: Any, plan: Plan) -> dict[int, Job]:
    """Snakemake's number -> job, of the steps of the plan that it will do."""
    found = {}
    for job in workflow.dag.needrun_jobs():
        step = plan.by_key.get(getattr(job.wildcards, "key", ""))
        if step is not None:
            gpus = int(job.resources.get("gpu", 0))
            memory = float(job.resources.get("mem_mb", 0))
            found[workflow.dag.jobid(job)] = Job(step, gpus, int(job.threads), memory)
    return found


def begin(workflow: Any, config: Mapping[str, Any]) -> Run:
    """Read and check everything that can be checked, and become this checkout's only driver.

    Errors end Snakemake with their message alone: a traceback would hide it.
    """
    root = Path.cwd()
    try:
        if not workflow.is_main_process or workflow.dryrun or LOOKING & {*sys.argv}:
            return Run(root, plan_checkout(root, config))
        logging.raiseExceptions = False  # a traceback for every line that a full disk has no room for
        snakemake_says.addFilter(_without_traceback)
        with disk_errors(places(root)):
            take_checkout(root)
            run = Run(root, plan_checkout(root, config))
            for remark in (*provenance.drifted_versions(root), *remove_damaged(run.plan.steps, root)):
                print(f"note: {remark}", file=sys.stderr)
            refuse_unwritable(run.plan.steps, root)
            run.left = {job.key for job in cluster.left_jobs(root)}
            sweep(run.plan.steps, root, run.left)
            run.write_orders()
            run.drop_other_page()
        workflow.onstart(lambda log: run.start(workflow))
        atexit.register(_last_word, root)
        workflow.onsuccess(lambda log: run.end(failed=False))
        workflow.onerror(lambda log: run.end(failed=True))
        return run
    except ZennError as error:
        raise SystemExit(f"error: {error}") from None


def _without_traceback(record: logging.LogRecord) -> bool:
    """Of a traceback that ends in a disk that takes no more, the last line."""
    text = record.getMessage().strip()
    if text.startswith("Traceback") and sign(text):
        record.msg, record.args = text.splitlines()[-1], ()
    return True


def _last_word(root: Path) -> None:
    """Snakemake says what it could not write, and not always where or why."""
    if said := complaint(places(root)):
        print(f"error: {said}", file=sys.stderr)
