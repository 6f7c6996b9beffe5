"""SIGKILL of one process alone: the command ends, says what failed, and does the rest when given again."""

from __future__ import annotations

import pytest

from tests.stress.attacked import Attacked, Fault

# The command whose process is killed, whether the same run still ends well, and what it says otherwise.
KERNEL = Fault("kernel of materials/figures", "results/materials/figures/.KEY-*/zenn-fig-1.csv", "open")
KILLED = {
    "driver": Fault("driver", "logs/materials/figures", "mkdir"),
    "job": Fault("laws/design", "results/laws/design/.KEY-*/record.json", "rename"),
    "job with a kernel": Fault("materials/figures", "results/materials/figures/KEY", "rename"),
    "kernel": KERNEL,
}


@pytest.mark.stress
@pytest.mark.parametrize("name", KILLED)
def test_kill_of_one_process(attacked: Attacked, name: str) -> None:
    fault = KILLED[name]
    attacked.remove([fault])
    status, printed = attacked.kill_one(fault)
    attacked.refuse_false_appearance()
    if name == "kernel":  # its job starts another one
        assert status == 0, printed
    else:
        assert status != 0, printed
    if name.startswith("job"):
        assert f"{fault.step.partition('/')[2]}" in printed
    attacked.recover()
