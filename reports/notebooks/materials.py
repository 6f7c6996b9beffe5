# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fe₃Pt, forward
#
# From the equation-of-state table of its magnetic configurations (Table S1 of Paper A) to free energies and
# their second derivative. This notebook only reads results and draws: every number is computed by the
# pipeline's steps and lies in the folders named below.

# %% tags=["parameters"]
results = {}  # role -> folder of a result
out = "."  # folder the figures go to
scale = "small"
figures = []
tables = []

# %%
from pathlib import Path

import pandas as pd

from zenn.files import read_json
from zenn.plots import materials as draw
from zenn.plots.style import save, save_table

folder = {role: Path(path) for role, path in results.items()}
out = Path(out)
isotherms = pd.read_csv(folder["free_energy"] / "isotherms.csv")
curvature = pd.read_csv(folder["free_energy"] / "second_derivative.csv")
reference = read_json(folder["free_energy"] / "reference_state.json")
critical = read_json(folder["critical_point"] / "critical_point.json")
equation_of_state = pd.read_csv(folder["eos_round_trip"] / "equation_of_state.csv")

# %% [markdown]
# ## Table S1, refitted
# Eight noiseless energy-volume points per row, fitted with Eq. S2: the row comes back. The last column is
# the largest relative deviation of V₀, B₀ and B′ (and of E₀ in units of eV).

# %%
save_table(equation_of_state, out, "zenn-table-s1")
equation_of_state

# %% [markdown]
# ## The critical point
# Solved from F_VV = F_VVV = 0, and V_N, the volume at 298 K and 1 atm by which volumes are normalised.

# %%
pd.Series({**critical, "reference volume V_N (Å³/atom)": reference["volume_A3_per_atom"]}, dtype=object)

# %% [markdown]
# ## Fig. 4a, DFT curves

# %%
pressure = reference["isotherm_pressure_GPa"]
figure = draw.free_energy_under_pressure(isotherms, pressure)
save(
    figure,
    isotherms[
        [
            "temperature_K",
            "volume_A3_per_atom",
            "volume_over_reference",
            "helmholtz_plus_PV_eV_per_atom",
        ]
    ],
    out,
    "zenn-fig-4",
)
figure

# %% [markdown]
# ## Fig. S1, DFT curves

# %%
figure = draw.free_energy(isotherms)
save(
    figure,
    isotherms[["temperature_K", "volume_A3_per_atom", "volume_over_reference", "helmholtz_eV_per_atom"]],
    out,
    "zenn-fig-s1",
)
figure

# %% [markdown]
# ## Fig. S2
# Negative somewhere below T*, positive everywhere above it.

# %%
figure = draw.second_derivative(curvature, critical["volume_A3_per_atom"])
save(figure, curvature, out, "zenn-fig-s2")
figure
