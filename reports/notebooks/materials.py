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
# Zentropy theory takes a solid as a mixture of configurations k, here the magnetic orderings of a 12-atom
# cell of Fe₃Pt. Each has its own free energy F_k = E_k − T S_k, from the equation-of-state table that Paper
# A prints (Table S1) and a Debye model of its vibrations. The mixture has the probabilities p_k = g_k
# exp(−F_k / k_BT) / Z (g_k: degeneracy; energies of the cell), the free energy F = −k_BT ln Z and the
# entropy S = Σ p_k S_k − k_B Σ p_k ln(p_k / g_k) (Eqs. 1 and 7 of Paper A). Everything below follows from
# this, with nothing fitted.
#
# This notebook only reads results and draws. It reads, of the step named
#
# * `eos_round_trip`: Table S1, refitted;
# * `critical_point`: the solved critical point;
# * `free_energy`: isotherms, second derivatives, the reference volume V_N;
# * `phase_diagram`: isobars, binodal, spinodals, crossover line, windows of negative thermal expansion;
# * `configuration_properties`: every configuration against volume, and along two isobars with the mixture;
# * `uncertainty`: critical points and transition pressures when the digits of Table S1 are varied;
# * `sensitivity`: critical points under other assumptions;
#
# and the registers of claims and of figures (`data/inputs/claims.csv`, `artefacts.csv`). Volumes, energies
# and entropies are per atom. The numbers that a figure shows lie beside it as a CSV of the same name.

# %% tags=["parameters"]
results = {}  # role -> folder of a result, or a file
out = "."  # folder the figures go to
scale = "small"
figures = []
tables = []
constants = {}  # subject -> k_B and gamma of Table S2
data_sets = []  # what is classified
reduced_units = {}  # units in which the k_B of Fe3Pt is the physical constant

# %%
from pathlib import Path

import pandas as pd

from zenn.files import read_json
from zenn.materials.constants import BOLTZMANN
from zenn.plots import arrange, mixture, phase_diagram
from zenn.plots import materials as draw
from zenn.plots import schematic as overview
from zenn.plots.style import save, save_table

found = {role: Path(path) for role, path in results.items()}
out = Path(out)


def read(role, name):
    """A table of a result; configurations are names, not numbers."""
    return pd.read_csv(found[role] / name, dtype={"configuration": str})


claims, artefacts = pd.read_csv(found["claims"]), pd.read_csv(found["artefacts"])
equation_of_state = read("eos_round_trip", "equation_of_state.csv")
degeneracies = dict(equation_of_state[["configuration", "degeneracy"]].itertuples(index=False))
critical = read_json(found["critical_point"] / "critical_point.json")
reference = read_json(found["free_energy"] / "reference_state.json")
isotherms = read("free_energy", "isotherms.csv")
curvature = read("free_energy", "second_derivative.csv")
points = read("phase_diagram", "critical_points.csv")
binodal = arrange.edges(read("phase_diagram", "binodals.csv"))
spinodal = arrange.edges(read("phase_diagram", "spinodals.csv"))
isobars = arrange.branches(read("phase_diagram", "isobars.csv"))
crossover = read("phase_diagram", "crossover.csv")
windows = read("phase_diagram", "negative_thermal_expansion.csv")
configurations = read("configuration_properties", "configurations.csv")
mixed = read("configuration_properties", "mixture.csv")
probabilities = read("configuration_properties", "probabilities.csv")
along_isobars = read("configuration_properties", "properties.csv").rename(
    columns={"pressure_GPa": "solved_pressure_GPa", "isobar_GPa": "pressure_GPa"}
)
samples = read("uncertainty", "samples.csv")
band = read("uncertainty", "transition_pressures.csv")
rounding = read_json(found["uncertainty"] / "uncertainty.json")
sensitivity = read("sensitivity", "sensitivity.csv")

# What the paper prints of the critical point, from the register of claims.
(printed_pressure,) = arrange.printed_numbers(claims, "fe3pt-dft-pc")
of_paper = {
    name: pd.DataFrame({"temperature_K": arrange.printed_numbers(claims, claim)}).assign(
        pressure_GPa=printed_pressure
    )
    for name, claim in (("paper, ZENN", "fe3pt-zenn-tc"), ("paper, DFT", "fe3pt-dft-tc"))
}

# %% [markdown]
# ## Fig. 1: zentropy, ZENN and its applications
# Left, the forward theory: energies and entropies of the configurations give their probabilities and the
# total entropy and free energy. Middle, ZENN: small networks take the place of E and S, a term with γ enters
# the probability (Eq. 6), and fitting to data inverts the theory. Right, the three applications of Paper A,
# with the constants of its Table S2 and how many of its claims, figures and tables are registered in this
# repository and made so far.

# %%
parts = overview.parts(
    overview.counts(claims, artefacts),
    constants,
    data_sets,
    configurations=len(equation_of_state),
    degeneracies=int(equation_of_state["degeneracy"].sum()),
)
figure = overview.schematic(parts)
save(figure, parts, out, "zenn-fig-1")
figure

# %% [markdown]
# ## Table S1, refitted
# Eight noiseless energy-volume points per row, fitted with Eq. S2: the row comes back. The last column is
# the largest relative deviation of V₀, B₀ and B′ (and of E₀ in units of eV). The table as printed has 36 rows
# with degeneracies that sum to 500, where the text says 37 and 512.

# %%
save_table(equation_of_state, out, "zenn-table-s1")
equation_of_state

# %% [markdown]
# ## Table S2: k_B and γ
# As printed. For Fe₃Pt the paper gives no units; if temperatures are in units of 1000 K and energies in
# 0.0718111 eV per atom, then k_B = 0.1 is the physical constant for the 12 atoms of the cell:
# k_B · 1000 K / (12 · 0.0718111 eV), in the last column. This says in which units the printed number is
# physical; it is no evidence that the paper used them.

# %%
units = {
    "temperature_unit_K": reduced_units["temperature_K"],
    "energy_unit_eV_per_atom": reduced_units["energy_eV_per_atom"],
    "atoms": reduced_units["atoms"],
}
unit_of_k_B = units["energy_unit_eV_per_atom"] * units["atoms"] / units["temperature_unit_K"]
names = {"classification": "Classification", "landscape": "Energy landscape", "materials": "Fe3Pt"}
table_s2 = pd.DataFrame(
    [
        {
            "task": name,
            "boltzmann_constant": constants[subject]["boltzmann_constant"],
            "gamma": constants[subject]["gamma"],
            **(units if subject == "materials" else {}),
        }
        for subject, name in names.items()
    ]
)
is_solid = table_s2["task"] == names["materials"]
table_s2["physical_boltzmann_constant"] = (BOLTZMANN / unit_of_k_B) * is_solid.map(
    {True: 1.0, False: float("nan")}
)
save_table(table_s2, out, "zenn-table-s2")
table_s2

# %% [markdown]
# ## The critical point
# Solved from F_VV = F_VVV = 0 (Eq. 19), and V_N, the volume at 298 K and 1 atm by which volumes are
# normalised.

# %%
pd.Series({**critical, "reference volume V_N (Å³/atom)": reference["volume_A3_per_atom"]}, dtype=object)

# %% [markdown]
# ## Beyond the paper: Helmholtz energy, phase diagram and configurations
# The forward model's parts of Fig. 4, which the landscape notebook draws with ZENN beside them.
# (a) F + PV at 6.53 GPa, whose minimum over the volume is the stable state: at low temperature there are two
# minima. (b) Stable volumes along isobars (∂F/∂V = −P); between the branches of the binodal (equal P and
# equal Gibbs energy) the mixture splits into two phases, between those of the spinodal (F_VV = 0) it is
# unstable. Where an isobar leans to the left, the thermal expansion is negative. The model has no critical
# point at exactly 6.53 GPa: there the transition is still of first order, at 158.7 K, with a jump in volume
# (dotted); the critical point lies at 164.2 K and 6.471 GPa. The isobar of 0 GPa coincides with that of 1
# atm and is not drawn. (c) Entropy and (d) Helmholtz energy of every configuration at 5 K, coloured by
# degeneracy, and of the mixture. The S_k are the configurations' own, vibrations only. The mixture's entropy
# is hundreds of times larger and has its own axis: at 5 K nearly all of it is −k_B Σ p_k ln(p_k / g_k), here
# (k_B/12) ln g of the stable configuration, with a maximum where two are equally likely. Its F follows the
# lowest of the F_k.

# %%
pressure, V_N = reference["isotherm_pressure_GPa"], reference["volume_A3_per_atom"]
state = pd.DataFrame(
    [{key: reference[key] for key in ("temperature_K", "pressure_GPa", "volume_A3_per_atom")}]
)
diagram = arrange.stacked(
    isobar=arrange.distinct_pressures(isobars).drop(columns="thermal_expansion_per_K"),
    binodal=binodal,
    spinodal=spinodal,
    critical_point=points.drop(columns="residual"),
    reference_state=state,
)
each = arrange.thinned(configurations, "volume_A3_per_atom", most=101)
each = each.assign(degeneracy=each["configuration"].map(degeneracies))
single = arrange.stacked(configuration=each, mixture=mixed)
single = single.assign(entropy_kB_per_atom=arrange.entropy_per_boltzmann(single, BOLTZMANN))
shown = ["series", "configuration", "degeneracy", "temperature_K", "volume_A3_per_atom"]
numbers = arrange.over_reference(
    arrange.in_panels(
        {
            "a": isotherms.assign(series="isotherm")[
                ["series", "temperature_K", "volume_A3_per_atom", "helmholtz_plus_PV_eV_per_atom"]
            ],
            "b": diagram,
            "cd": single[[*shown, "entropy_kB_per_atom", "helmholtz_eV_per_atom"]],
        }
    ),
    V_N,
)
figure = phase_diagram.free_energy_and_phase_diagram(numbers, pressure, float(mixed["temperature_K"].iloc[0]))
save(figure, numbers, out, "beyond-fig-fe3pt-phase-diagram")
figure

# %% [markdown]
# ## Beyond the paper: isotherms
# The Helmholtz energy F itself, at no pressure: its minimum is the volume at ambient pressure. Fig. 4a is
# this with PV added.

# %%
figure = draw.free_energy(isotherms)
save(
    figure,
    isotherms[["temperature_K", "volume_A3_per_atom", "volume_over_reference", "helmholtz_eV_per_atom"]],
    out,
    "beyond-fig-fe3pt-isotherms",
)
figure

# %% [markdown]
# ## Fig. S2
# The second derivative ∂²F/∂V² over the window (a) and close to the critical volume V* (b): negative
# somewhere below T*, where a homogeneous state cannot exist, positive everywhere above it. It touches zero
# at T*.

# %%
figure = draw.second_derivative(curvature, critical["volume_A3_per_atom"])
save(figure, curvature, out, "zenn-fig-s2")
figure

# %% [markdown]
# ## Beyond the paper: probabilities of the configurations
# Along two isobars, from p_k = g_k exp(−F_k / k_BT) / Z, each with all its degenerate members: the four
# configurations that ever become likeliest, the others summed. Configuration 1 is the ferromagnetic ground
# state. As the temperature rises it gives way to configurations of smaller volume, which is what makes the
# thermal expansion negative; at 6.53 GPa this happens partly in one jump (dotted).

# %%
numbers = arrange.leading_probabilities(probabilities, degeneracies, number=4)
figure = mixture.probabilities(numbers)
save(figure, numbers, out, "beyond-fig-fe3pt-probabilities")
figure

# %% [markdown]
# ## Beyond the paper: pressure-temperature diagram
# The two phases of the binodal coexist on one line, which ends in the critical point; between the spinodals
# the other phase can persist. The blue band is where the line lies in 95 % of the samples when the digits of
# Table S1 are varied within their rounding: an uncertainty of the printed table only, not of the DFT behind
# it. On the dashed line the ferromagnetic configuration has probability 1/2: a gradual crossover, no phase
# boundary. (b) is (a) close to the critical point: the paper's 6.53 GPa lies above it, where the transition
# is of first order. The band ends at the lowest critical temperature among the samples.

# %%
numbers = arrange.stacked(
    **{
        "first-order line": binodal[binodal["side"] == "smaller volume"],
        "rounding band": band,
        "spinodal": spinodal,
        "crossover": crossover[crossover["pressure_GPa"] >= 0],
        "critical point": points.drop(columns="residual"),
        **of_paper,
    }
)
figure = phase_diagram.pressure_temperature(numbers)
save(figure, numbers, out, "beyond-fig-fe3pt-pt-diagram")
figure

# %% [markdown]
# ## Beyond the paper: how well the printed table fixes the critical point
# Every point is the critical point (F_VV = F_VVV = 0) of a table whose digits were varied within their
# rounding; the ellipse holds 95 % of a normal distribution of their covariance. The paper's 6.53 GPa, read
# as a critical pressure, lies at the edge of what the rounding allows, ZENN's 161 K far outside; the range
# of 160-165 K holds nearly all samples.

# %%
axes = ("pressure_GPa", "temperature_K")
numbers = arrange.stacked(
    sample=samples[["pressure_GPa", "temperature_K", "volume_A3_per_atom"]].dropna(),
    ellipse=arrange.covariance_ellipse(samples, *axes),
    as_printed=points.drop(columns="residual"),
    **of_paper,
)
figure = phase_diagram.critical_point(numbers)
save(figure, numbers, out, "beyond-fig-fe3pt-critical-point")
figure

# %% [markdown]
# ## Beyond the paper: properties along isobars
# Heat capacity at constant pressure, entropy, isothermal bulk modulus and volumetric thermal expansion, from
# second derivatives of F. At 6.53 GPa, close to the critical pressure, the modulus falls to a tenth and the
# expansion becomes strongly negative; all four jump at the first-order transition (dotted). (d) leaves out
# the deepest part of the dip, whose lowest value is written in it.

# %%
isobaric = arrange.branches(along_isobars)
numbers = pd.DataFrame(
    {
        **{
            name: isobaric[name] for name in ("pressure_GPa", "branch", "temperature_K", "volume_A3_per_atom")
        },
        "isobaric_heat_capacity_kB_per_atom": isobaric["isobaric_heat_capacity_eV_per_K_per_atom"]
        / BOLTZMANN,
        "entropy_kB_per_atom": arrange.entropy_per_boltzmann(isobaric, BOLTZMANN),
        "bulk_modulus_GPa": isobaric["bulk_modulus_GPa"],
        "thermal_expansion_1e6_per_K": 1e6 * isobaric["thermal_expansion_per_K"],
    }
)
figure = mixture.properties(numbers)
save(figure, numbers, out, "beyond-fig-fe3pt-properties")
figure

# %% [markdown]
# ## Beyond the paper: sensitivity to the assumptions
# The critical point and the window of negative thermal expansion at zero pressure when one assumption
# changes, with the change against the first row. The number of atoms in the cell matters most: the free
# energy of mixing is shared by them. An empty window means that there is none.

# %%
table = arrange.differences_to_first(sensitivity, units=("K", "GPa", "A3_per_atom"))
save_table(table, out, "beyond-table-fe3pt-sensitivity")
table

# %% [markdown]
# ## Beyond the paper: windows of negative thermal expansion
# Where (∂V/∂T)_P < 0 along each isobar, with the interval in which the turning points of 95 % of the tables
# lie whose digits were varied within their rounding. A window that ends in a first-order transition has no
# interval there.

# %%
table = arrange.expansion_windows(windows, rounding["negative_thermal_expansion"])
save_table(table, out, "beyond-table-fe3pt-nte")
table
