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
# # A gas that teaches a network entropy
#
# Soft discs in a container with a piston, simulated without any thermostat; five pictures of the gas at the
# end of every stop of the piston; and a siamese network that is told nothing but which of two pictures of
# one process was taken later. Its one number for a picture, S̃, is compared with what the axioms of Lieb
# and Yngvason ask of an entropy, and with the van der Waals entropy N log[u (v − b)], b = 2πR².
#
# Units are the paper's: energies in k_B T₀, lengths in R, times in R √(m / k_B T₀). S̃ itself has no unit
# and no zero. A line above every figure says which gas it shows; at another scale than `paper` it is a
# smaller one with coarser pictures, and no verdict rests on it. Figures show the network of the first seed;
# the table at the end has the means over all seeds with their range and 95 % intervals (Student's t). The
# paper does not define its R². Where it plots the identity, R² is here 1 minus the squared residuals about
# the identity over the total; where it fits a line, the squared correlation; for the former both are given.
# Where there are many states every n-th is drawn; R² and rates are always of all.
#
# This notebook only reads results and draws. The numbers that a figure shows lie beside it as a CSV of the
# same name.

# %% tags=["parameters"]
results = {}  # role -> folder of a result, or a file
out = "."  # folder the figures go to
scale = "small"
figures = []
tables = []
settings = {}  # gas, particles, pixels, processes, share, epsilon: what is shown; seed: of which network

# %%
from pathlib import Path

import pandas as pd
from safetensors.numpy import load_file

from zenn.plots import arrange, laws, laws_drawings
from zenn.plots import laws_tables as rows
from zenn.plots.style import save, save_table

found = {role: Path(path) for role, path in results.items()}
out = Path(out)
shown = laws.Shown.read(scale, settings)


def read(role, name):
    """A table of a result."""
    return pd.read_csv(found[role] / name)


metrics, values = read("summary", "metrics.csv"), read("summary", "values.csv")
claims = pd.read_csv(found["claims"])
own = values[(values["run"] == rows.FULL) & (values["seed"] == settings["seed"])].set_index("metric")["value"]


def both_r2(name):
    """About the identity, and of the best line."""
    return own[f"{name}_identity_r2"], own[f"{name}_r2"]


examples = read("examples", "examples.csv")
pictures = load_file(found["examples"] / "examples.safetensors")

# %% [markdown]
# ## Fig. 1: the gas and its piston
# (a) The last of the five frames of a microscopic state, with the piston where it was, dark on light here.
# (b) The piston over one cycle of another test process: it moves, stops, and moves on; the arrows show
# where five frames are taken. A process has three such cycles. The paper gives the sets of speeds and
# distances and the number of processes, 448; which of them are combined is our reconstruction.

# %%
schedule = read("examples", "schedule.csv")
snapshots = read("snapshots", "snapshots.csv")
numbers = rows.rounded(arrange.stacked(piston=schedule, picture=rows.state_of(examples, snapshots, "image")))
figure = laws_drawings.gas(pictures["image"][-1], numbers, shown)
save(figure, numbers, out, "laws-fig-1")
figure

# %%
laws_drawings.animate(pictures["animation"], out / "laws-process.gif")

# %% [markdown]
# ## Fig. 2: the network
# Drawn from the module itself: a block for every layer that changes the shape, with that shape below it
# (channels × height × width, then units). Table I is read from the same module.

# %%
layers = read("training", "network.csv")
numbers = rows.structure(layers)
figure = laws_drawings.network(layers, shown)
save(figure, numbers, out, "laws-fig-2")
figure

# %%
save_table(numbers, out, "laws-table-1")
numbers

# %% [markdown]
# ## Fig. 3: macroscopically equal states (A1)
# Every test process once more, from another initial state of the same energy: X′ has the same number of
# discs and the same volume as X, and, but for what chance does in a process, the same energy.

# %%
numbers = rows.states(read("axioms", "a1.csv"), ["process", "stop", "particles", "s", "s_twin"])
figure = laws.equal_states(numbers, both_r2("a1"), shown)
save(figure, numbers, out, "laws-fig-3")
figure

# %% [markdown]
# ## Fig. 4: compound and scaled states
# (a) Two states whose piston is at L/2, and the compound of their halves. (b) A state scaled by masking its
# bottom or its right part (hatched). The CSV says which states these are and how bright their halves.

# %%
names = ["composed_first", "composed_second", "composed", "masked", "masked_right"]
numbers = rows.example_pictures(examples, snapshots, pictures, names)
figure = laws_drawings.made_states(pictures, numbers, settings["share"], shown)
save(figure, numbers, out, "laws-fig-4")
figure

# %% [markdown]
# ## Fig. 5: splitting and recombination (A5)
# A wall is put into a state, the discs in its way are taken out, and the gas relaxes; then the wall is
# taken away, and it relaxes again. The split and the recombined state have the same discs, the original has
# more.

# %%
columns = ["process", "stop", "particles", "wall", "lambda", "s", "s_split", "s_recombined"]
numbers = rows.states(read("axioms", "a5.csv"), columns)
figure = laws.split_states(numbers, [both_r2("a5_split"), both_r2("a5_recombined")], shown)
save(figure, numbers, out, "laws-fig-5")
figure

# %% [markdown]
# ## Fig. 6: stability (A6)
# A small picture of another state, its dust, is put into X and one into Y. The rate is the share of ordered
# pairs of the same N whose order the dust leaves as it is. Thin lines: single pairs of dust states, given
# in either order; black: all of them.

# %%
numbers = rows.stability(read("axioms", "a6.csv"))
figure = laws.dust(numbers, pictures["dust"], settings["epsilon"], shown)
save(figure, numbers, out, "laws-fig-6")
figure

# %% [markdown]
# ## Fig. 7: the representation as an entropy
# (a) S̃ of the test states against N log[u (v − 2πR²)], with the affine fit for each N (dashed). (b) Ŝ: S̃
# after the affine transform of each N that the fit gives; dashed, the identity.

# %%
numbers = rows.entropies(read("axioms", "entropy.csv"), read("axioms", "affine.csv"))
figure = laws.entropies(numbers, own["common_r2"], shown)
save(figure, numbers, out, "laws-fig-7")
figure

# %%
read("axioms", "affine.csv")

# %% [markdown]
# ## Fig. 8: extensivity and additivity
# Compounds (λX, (1 − λ)Y) of two states of the same N, for several λ, against the sum of the scaled parts.

# %%
columns = ["lambda", "cut", "particles", "s_parts", "s_compound"]
numbers = rows.states(read("axioms", "extensivity.csv"), columns)
figure = laws.extensivity(numbers, both_r2("extensivity"), shown)
save(figure, numbers, out, "laws-fig-8")
figure

# %% [markdown]
# ## Beyond the paper: what the network learns from
# Networks trained and tested on pictures from which something was taken. With one frame five times nothing
# moves: what is left is where the discs are. With frames exchanged among stops of the same process at the
# same piston position nothing in a group of such stops can tell the time. With the five frames of each
# picture in random order displacements are still there, though not their order. Below, without a network:
# the pairs ordered by the van der Waals entropy of the exact energy, which is as good as any entropy can do
# since the fluctuations of a small gas also move its energy, and by the volume alone.

# %%
numbers = rows.controls(values)
figure = laws.controls(numbers, shown)
save(figure, numbers, out, "beyond-fig-laws-controls")
figure

# %% [markdown]
# ## Beyond the paper: accuracy against the size of the difference
# Pairs of one test process, by the difference of their van der Waals entropy. A slow move changes the
# entropy by little: no picture can order such a pair.

# %%
numbers = rows.difficulty(read("axioms", "difficulty.csv"))
figure = laws.difficulty(numbers, shown)
save(figure, numbers, out, "beyond-fig-laws-difficulty")
figure

# %% [markdown]
# ## Beyond the paper: the canonical entropy
# Eq. 1, with the network as the Lieb-Yngvason machine: the λ at which a compound of two reference states,
# X∗ of the lowest and X∗∗ of the highest entropy, stops coming before X. (a) S̃ of the compound against λ.
# (b) The λ that is found, for states of each N.

# %%
compounds = read("axioms", "canonical_curve.csv").rename(columns={"s_compound": "s"})
states = read("axioms", "canonical.csv")
numbers = rows.rounded(
    pd.concat([compounds.assign(series="compound"), states.assign(series="state")], ignore_index=True)
)
figure = laws.canonical(numbers, shown)
save(figure, numbers, out, "beyond-fig-laws-canonical")
figure

# %% [markdown]
# ## All metrics, beside the paper's
# Mean over seeds. At another scale than `paper` the paper's numbers are of another gas, and stand here for
# orientation.

# %%
table = rows.metrics_table(metrics, claims)
save_table(table, out, "beyond-table-laws-metrics")
table
