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
# # Energy landscapes, recovered
#
# ZENN turns zentropy theory around. Given a free energy F(x, T) and nothing else, it looks for K
# configurations whose mixture has this F: energies E_k(x, T) and entropies S_k(x, T) ≥ 0 are small networks
# (two hidden layers of eight neurons each), probabilities follow Eq. 6 with the constants of Table S2, and
# the Jensen-Shannon divergence between the densities exp(−F / k_BT) / Z of data and network is minimised
# (Eq. 17). That divergence does not see a constant added to F at one temperature. The constant is fixed
# afterwards, as the mean difference to the data, before any error of F is taken and before F is
# differentiated with respect to T.
#
# Three landscapes: a benchmark in one dimension with a bifurcation at T* = 2, one in two dimensions with
# three wells, and Fe₃Pt, whose F is that of the forward model (Table S1 of Paper A with a Debye model, see
# the notebook on it), called DFT below. All networks of a landscape are fitted with the same optimiser (a
# short phase of Adam or a start from tangents of the data, then a quasi-Newton method in double precision)
# and the same number of steps. Every fit is repeated from several seeds. Points are seeds, lines and bars
# medians over those seeds that have a value; curves of a single fit are those of the seed with the median
# loss.
#
# This notebook only reads results and draws. It reads
#
# * `benchmark`, `three_wells`, `fe3pt`: what the fits of each landscape say;
# * `fe3pt_main`: the fits of Fe₃Pt with the printed K and λ, for the course of the loss;
# * `fe3pt_data`: the table of F that Fe₃Pt was fitted to, and its entropy between the fitted points;
# * `critical_point`, `free_energy`, `phase_diagram`, `configuration_properties`: the forward model.
#
# The numbers that a figure shows lie beside it as a CSV of the same name. An empty field means that there is
# no value; where fits are counted, the column `found` says how many of them have one, or `none`.

# %% tags=["parameters"]
results = {}  # role -> folder of a result, or a file
out = "."  # folder the figures go to
scale = "small"
figures = []
tables = []
settings = {}  # of Fe3Pt: main model and pressure; K of ZENN in two dimensions

# %%
from pathlib import Path

import pandas as pd

from zenn.files import read_json
from zenn.materials.constants import BOLTZMANN, GPA_PER_EV_PER_A3
from zenn.plots import arrange, landscape, landscape_errors, landscape_fe3pt
from zenn.plots import landscape_tables as rows
from zenn.plots.landscape_fe3pt import DFT, ZENN
from zenn.plots.style import save, save_table

found = {role: Path(path) for role, path in results.items()}
out = Path(out)
main, pressure = settings["fe3pt"]["main"], settings["fe3pt"]["pressure_GPa"]


def read(role, name):
    """A table of a result; temperatures are rounded, since their units were changed back and forth."""
    return pd.read_csv(found[role] / name).round({"temperature_K": 9})


benchmark = rows.benchmark_errors(read("benchmark", "metrics.csv"))
three_wells = read("three_wells", "metrics.csv")
critical = read_json(found["critical_point"] / "critical_point.json")
V_N = read_json(found["free_energy"] / "reference_state.json")["volume_A3_per_atom"]
fe3pt = rows.fe3pt_errors(read("fe3pt", "metrics.csv"), critical)
zero_lines = read("fe3pt", "zero_lines.csv")


def with_pressure(table):
    """The table with F + PV beside F."""
    PV = pressure / GPA_PER_EV_PER_A3 * table["volume_A3_per_atom"]
    return table.assign(helmholtz_plus_PV_eV_per_atom=table["helmholtz_eV_per_atom"] + PV)


def in_boltzmann(table):
    """The table with entropies in k_B per atom."""
    entropies = [name for name in table if name.endswith("entropy_eV_per_K_per_atom")]
    return table.assign(
        **{name.replace("eV_per_K", "kB"): table[name] / BOLTZMANN for name in entropies}
    ).drop(columns=entropies)


# %% [markdown]
# ## Fig. 3: the benchmark in one dimension
# F / (k_BT) = (x²/2 + (T−2)/2)² + ((T−2)² − 1)²/2, with k_B = 1 and everything dimensionless. (a) The exact
# landscape: two wells below T* = 2, one above. (b) Its stationary points, stable (∂²F/∂x² > 0) solid and
# unstable dashed. (c) Where the second derivative vanishes. (d-f) F / (k_BT), its first and its second
# derivative at five temperatures. Black is exact, blue ZENN with six configurations, red with triangles the
# input-convex network (ICNN) as SI Section 2 prints it; where blue shows to both sides of black the two
# agree to within a line's width. All were fitted on a domain a little larger than the one shown.
#
# SI Section 2 constrains the weights W^x ≥ 0 that act on the input and leaves W^z free; this network is not
# convex in x. The standard ICNN (Amos et al. 2017) constrains W^z, is convex, and cannot have two wells. It
# is in the next figure, with the plain networks.

# %%
panels = {
    letters: read("benchmark", name).query("model in @landscape.IN_FIG_3")
    for letters, name in (("b", "branches.csv"), ("c", "zero_lines.csv"), ("def", "profiles.csv"))
}
numbers = arrange.in_panels({"a": read("benchmark", "surface.csv"), **panels}).drop(columns="series")
figure = landscape.recovered_landscape(numbers)
save(figure, numbers, out, "zenn-fig-3")
figure

# %% [markdown]
# ## Beyond the paper: all networks on the benchmark
# RMS errors of F (one constant per temperature removed), of its first and of its second derivative over
# |x| ≤ 1.5 and 1 ≤ T ≤ 3, and the error of the critical temperature: filled, the solution of F_xx = F_xxx =
# 0; open, below it, the hottest root of Eq. 19 (∇F = 0 and a zero eigenvalue of the Hessian). At a pitchfork
# Eq. 19 is singular: the branches of a network do not quite meet, its roots are the folds of a broken
# pitchfork, and these lie off T* by the residual asymmetry to the power 2/3, which is more than the asymmetry
# itself. The two are therefore reported apart. Equal numbers of neurons, the paper's measure, are not equal
# numbers of parameters, which stand below the names; "MLP, small" and "large" are plain tanh networks with as
# many parameters as ZENN and the ICNN. One ICNN was given the exact first derivatives as data as well
# (Sobolev training).

# %%
columns = list(landscape_errors.BENCHMARK_ERRORS)
numbers = rows.seeds_and_median(benchmark, ["model", "parameters"], columns)
figure = landscape_errors.models(numbers)
save(figure, numbers, out, "beyond-fig-landscape-models")
figure

# %%
table = rows.benchmark_table(benchmark)
save_table(table, out, "beyond-table-landscape-benchmark")
table

# %% [markdown]
# ## Fig. S3: three wells in two dimensions
# The largest error of the density p = exp(−V) / Z, normalised over the domain, on 100 × 100 points, against
# the number of points per coordinate that were fitted (nodes of a quadrature). The paper prints neither the
# domain nor the numbers of training points; the domain here is −2 ≤ x₁ ≤ 2, −1 ≤ x₂ ≤ 2.5. With few points
# a network can be right at all of them and wrong between. The networks of one n stand side by side.

# %%
numbers = rows.seeds_and_median(
    rows.at_one_number(three_wells, settings["reference_configurations"]),
    ["model", "training_points"],
    ["largest_p_error"],
)
numbers = rows.side_by_side(numbers, by="model", x="training_points")
figure = landscape_errors.training_points(numbers)
save(figure, numbers, out, "zenn-fig-s3")
figure

# %% [markdown]
# ## Beyond the paper: ZENN against every other network, seed by seed
# log₁₀ of the largest error of the other network over ZENN's, from the same seed and the same points: the
# mean over seeds and its 95 % interval by Student's t. Above 0 ZENN is closer. The interval is of the mean
# over seeds on this one landscape, no more.

# %%
table = rows.three_wells_table(
    read("three_wells", "paired.csv"), three_wells, settings["reference_configurations"]
)
save_table(table, out, "beyond-table-landscape-three-wells")
table

# %% [markdown]
# ## Fig. S4: number of configurations
# The same error against K, at one number of training points.

# %%
numbers = rows.seeds_and_median(
    rows.largest_sweep(three_wells), ["configurations", "training_points"], ["largest_p_error"]
)
figure = landscape_errors.configurations(numbers)
save(figure, numbers, out, "zenn-fig-s4")
figure

# %% [markdown]
# ## Fig. 4: Fe₃Pt, ZENN beside DFT
# ZENN with twelve configurations, solid and coloured; the forward model dashed and black. (a) F + PV at 6.53
# GPa. (b) Stable volumes along isobars; where ∂²F/∂V² = 0 the homogeneous solid becomes unstable, and the
# critical point is the top of that line. Dotted: the volume jumps at a first-order transition, between two of
# the temperatures at which the isobar was computed. An isobar that leans to the left contracts on heating.
# The free critical point is marked; at exactly 6.53 GPa the forward model has none (its own lies at 6.471
# GPa), see the table below. (c) Entropies of the twelve configurations at 5 K, with the stable volumes of
# ZENN at 0 and 6.53 GPa dotted; and their F_k and F_k + PV with the totals. Shown is the neighbourhood of the
# total: an F_k is far above it away from its own minimum.
#
# **The S_k of (c) are not determined by the data.** For any function g(x, T), E_k → E_k + T g and S_k → S_k +
# g leave every F_k = E_k − T S_k as it is, and with γ → ∞ also every p_k and F: a fit to F alone cannot tell
# one such split from another. At the finite γ of Table S2 the term (S_k / γk_B)² of Eq. 6 removes this
# freedom only weakly, and nothing says that what it prefers is the entropy of the material. Different seeds
# give different S_k with the same F. The total entropy −∂F/∂T is fixed by the data (solid against dashed),
# least well at the coldest temperature, where the table ends; Σ p_k S_k − k_B Σ p_k ln p_k of Eq. 1 (dotted)
# is not fixed, and need not agree with it.

# %%
isotherms = arrange.stacked(
    **{
        ZENN: read("fe3pt", "isotherms.csv"),
        DFT: arrange.thinned(read("free_energy", "isotherms.csv"), "volume_A3_per_atom", most=151),
    }
).rename(columns={"series": "source"})
isotherms = arrange.over_reference(with_pressure(isotherms), V_N)[
    [
        *("source", "temperature_K", "volume_A3_per_atom", "volume_over_reference"),
        *("helmholtz_eV_per_atom", "helmholtz_plus_PV_eV_per_atom"),
    ]
]

isobars = read("fe3pt", "isobars.csv")
of_dft = read("phase_diagram", "isobars.csv").query("pressure_GPa in @isobars.pressure_GPa")
drawn = rows.drawn_fit(fe3pt, main)
point = ["temperature_K", "pressure_GPa", "volume_A3_per_atom"]
diagram = pd.concat(
    [
        arrange.stacked(
            isobar=rows.parted(arrange.distinct_pressures(isobars), zero_lines),
            zero_line=zero_lines,
            critical_point=drawn[point].astype(float).to_frame().T,
        ).assign(source=ZENN),
        arrange.stacked(
            isobar=arrange.branches(arrange.distinct_pressures(of_dft)).drop(
                columns="thermal_expansion_per_K"
            ),
            zero_line=arrange.edges(read("phase_diagram", "spinodals.csv")),
            critical_point=pd.DataFrame([{key: critical[key] for key in point}]),
        ).assign(source=DFT),
    ],
    ignore_index=True,
)

totals = read("fe3pt", "totals.csv")
configurations = arrange.thinned(
    read("fe3pt", "configurations.csv").drop(columns="probability"), "volume_A3_per_atom", most=76
)
truth = read("configuration_properties", "mixture.csv")
cold = float(truth["temperature_K"].iloc[0])
of_truth = ["temperature_K", "volume_A3_per_atom", "helmholtz_eV_per_atom", "entropy_eV_per_K_per_atom"]
pressures = [isobars["pressure_GPa"].min(), pressure]


def mixture_at(temperatures, pressures, truth):
    """Configurations, totals and stable volumes of ZENN, and the total of DFT, at some temperatures."""
    stable = isobars.query("temperature_K in @temperatures and pressure_GPa in @pressures")
    together = arrange.stacked(
        configuration=configurations.query("temperature_K in @temperatures").assign(source=ZENN),
        total=pd.concat(
            [
                totals.query("temperature_K in @temperatures").assign(source=ZENN),
                truth.query("temperature_K in @temperatures")[of_truth].assign(source=DFT),
            ]
        ),
        stable_volume=stable.assign(source=ZENN).dropna(),
    )
    return arrange.over_reference(in_boltzmann(with_pressure(together)), V_N)


of_mixture = mixture_at([cold], pressures, truth)
numbers = arrange.over_reference(arrange.in_panels({"a": isotherms, "b": diagram, "c": of_mixture}), V_N)
figure = landscape_fe3pt.inverse_problem(numbers, pressure, cold)
save(figure, numbers, out, "zenn-fig-4")
figure

# %% [markdown]
# ## Fig. S1: the Helmholtz energy
# F itself, at no pressure: its minimum is the volume at ambient pressure. Fig. 4a is this with PV added. The
# constant of each temperature is fixed by the data.

# %%
numbers = isotherms.drop(columns="helmholtz_plus_PV_eV_per_atom")
figure = landscape_fe3pt.free_energy(numbers)
save(figure, numbers, out, "zenn-fig-s1")
figure

# %% [markdown]
# ## Fig. S5: the penalty weight λ
# The loss of Eq. 20 after the same number of steps for every λ: the divergence and λ times the penalty on
# F_k that are not convex (Eq. 20, each point with its own temperature). (a) A larger λ adds a term ≥ 0 to
# what is minimised, so that the loss alone is no reason to prefer one: the smallest possible loss can only
# grow with λ, and what the fits show beyond that is how well the optimiser did. Beside it, therefore, what
# the fits are for: (b) the distance of the critical temperature from that of DFT, (c) the largest error of F,
# (d) the lowest curvature of any F_k, which the penalty is to raise above zero (the grey line).

# %%
columns = ["loss", *landscape_errors.FE3PT_ERRORS, "lowest_curvature_eV_per_A6"]
numbers = rows.seeds_and_median(rows.by_convexity(fe3pt, main), ["convexity", "configurations"], columns)
figure = landscape_errors.convexity(numbers)
save(figure, numbers, out, "zenn-fig-s5")
figure

# %% [markdown]
# ## Fig. S6: entropies
# (a, b) Entropies of ZENN's configurations at 50 K and 100 K; dotted, its stable volume at 6.53 GPa. They are
# functions of volume and temperature: the pressure of the paper's caption selects a volume, not other curves.
# (c) The total: −∂F/∂T of ZENN (solid) and of the forward model (dashed, left out where its table does not
# have the temperature), and Eq. 1 from ZENN's p_k and S_k (dotted).
#
# As in Fig. 4c the S_k are not identifiable from F alone: E_k → E_k + T g, S_k → S_k + g leaves F unchanged,
# exactly so for γ → ∞. Their shape, sharp drops included, is a property of one fit and its starting point. Of
# the three totals only −∂F/∂T is a prediction; that of Eq. 1 shares the freedom of the S_k. The table below
# the figure shows how large its error is when S_k ≥ 0 is asked for, when it is not, and when −∂F/∂T is fitted
# too: the last makes the total right, not its parts.

# %%
warm = sorted({*configurations["temperature_K"]} - {cold})
numbers = mixture_at(warm, [pressure], read("fe3pt_data", "test.csv"))
figure = landscape_fe3pt.entropies(numbers, pressure)
save(figure, numbers, out, "zenn-fig-s6")
figure

# %%
variants = fe3pt[fe3pt["model"].isin([main, f"{main}_free_entropy", f"{main}_entropy_term"])]
wrong = {
    "largest_S_error_eV_per_K_per_atom": "max error of -dF/dT (k_B/atom)",
    "largest_eq1_S_error_eV_per_K_per_atom": "max error of S by Eq. 1 (k_B/atom)",
}
(variants.set_index(["model", "seed"])[list(wrong)] / BOLTZMANN).rename(columns=wrong)

# %% [markdown]
# ## Beyond the paper: how many configurations does Fe₃Pt need?
# Errors of the critical temperature, the critical pressure and F against K. The forward model mixes 36
# configurations; the paper fits 12. The dashed line in (c) is 1 meV/atom, the error below which the
# landscape counts as recovered in the register of claims.

# %%
numbers = rows.seeds_and_median(
    rows.by_configurations(fe3pt), ["configurations"], list(landscape_errors.FE3PT_ERRORS)
)
figure = landscape_errors.by_configurations(numbers)
save(figure, numbers, out, "beyond-fig-fe3pt-k")
figure

# %% [markdown]
# ## Beyond the paper: what the fits of Fe₃Pt say
# Median and range over seeds beside the forward model. Two different questions are kept apart: where the
# free critical point lies (F_VV = F_VVV = 0, at a pressure of its own), and what Eq. 19 gives at exactly 6.53
# GPa, where a root is a limit of stability on that isobar, not a critical point. The paper's 161 K at 6.53
# GPa can be read as an answer to either. Roots are ranked from the
# hottest; those of the forward model lie where the pressure along its spinodal passes 6.53 GPa, between rows
# of 2 K or less on a straight line. The transition is where two minima of F + PV are equally deep. Windows of
# negative thermal expansion begin and end where ∂V/∂T = 0 on an isobar, or, in a fit, at the temperature next
# to a jump; those that a jump parts are taken together, as in the forward model. The lowest expansion is that
# among the temperatures at which an isobar was computed, which for the fits are fewer: at 6.53 GPa, where it
# has a spike at the transition, the two cannot be compared.

# %%
comparison = rows.Fe3PtComparison(fe3pt, [main, "k4"] if main != "k4" else [main])
for quantity, unit, column in (
    ("critical temperature T*", "K", "temperature_K"),
    ("critical pressure P*", "GPa", "pressure_GPa"),
    ("critical volume V*", "Å³/atom", "volume_A3_per_atom"),
):
    comparison.add_metric(quantity, unit, column, critical[column])
spinodals = arrange.edges(read("phase_diagram", "spinodals.csv"))
roots = [
    root
    for _, line in spinodals.groupby(["line", "side"])
    for root in rows.passing(line, pressure, of="pressure_GPa", at="temperature_K")
]
comparison.add_roots(read("fe3pt", "eq19.csv"), pressure, roots)
fitted = read("fe3pt", "transitions.csv")
forward = read("phase_diagram", "transitions.csv").query("pressure_GPa == @pressure")
jumps = forward.iloc[0].to_dict() if len(forward) else {}
volumes = sorted(jumps.get(f"volume_{side}_A3_per_atom", float("nan")) for side in ("above", "below"))
for quantity, unit, column, dft in (
    ("first-order transition", "K", "temperature_K", jumps.get("temperature_K", float("nan"))),
    ("smaller volume at the transition", "Å³/atom", "small_volume_A3_per_atom", volumes[0]),
    ("larger volume at the transition", "Å³/atom", "large_volume_A3_per_atom", volumes[1]),
):
    comparison.add_by_seed(quantity, unit, fitted, column, pressure, dft)
comparison.add_expansion(
    read("fe3pt", "expansion.csv"), read("phase_diagram", "negative_thermal_expansion.csv")
)
for quantity, unit, column, unit_of_column in (
    ("max error of F", "meV/atom", "largest_F_error_eV_per_atom", 1e-3),
    ("max error of -dF/dT", "k_B/atom", "largest_S_error_eV_per_K_per_atom", BOLTZMANN),
    ("max error of S by Eq. 1", "k_B/atom", "largest_eq1_S_error_eV_per_K_per_atom", BOLTZMANN),
):
    comparison.add_metric(quantity, unit, column, float("nan"), 1 / unit_of_column)
table = comparison.table()
save_table(table, out, "beyond-table-fe3pt-inverse")
table

# %% [markdown]
# ## The course of the loss
# Of the fits of Fe₃Pt with the printed K and λ.

# %%
figure = landscape_errors.history(pd.read_csv(found["fe3pt_main"] / "history.csv"))
if "beyond-fig-fe3pt-history" in figures:
    save(figure, pd.read_csv(found["fe3pt_main"] / "history.csv"), out, "beyond-fig-fe3pt-history")
figure
