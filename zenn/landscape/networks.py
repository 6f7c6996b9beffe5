"""Networks for an energy landscape F(x, T), as pure functions of one flat vector of parameters.

`Zenn` is a mixture of K configurations, each with a network for its energy and one for its entropy (Wang et
al., ZENN, Eqs. 6-7); `ConvexNetwork` is the input convex network of its SI, Section 2 (Eqs. S3-S4), as
printed and as published by Amos, Xu and Kolter (ICML 2017, arXiv:1609.07152); `Perceptron` is a plain one.

All of them take and give Taylor series along a line in (x, T) (`zenn.taylor`), so that derivatives are exact
and torch can differentiate them again with respect to the parameters. Everything is in double precision.
Coordinates and temperatures are scaled to about [-1, 1] before they enter a layer.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from zenn import taylor
from zenn.errors import InputError, did_you_mean

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Scaling:
    """Centre and half-width of every input, coordinates first and the temperature last."""

    centre: tuple[float, ...]
    half_width: tuple[float, ...]

    @classmethod
    def of(cls, windows: tuple[tuple[float, float], ...]) -> Scaling:
        """The scaling that maps each window to [-1, 1]; one of no width keeps its unit."""
        centre = tuple((low + high) / 2 for low, high in windows)
        return cls(centre, tuple((high - low) / 2 or 1.0 for low, high in windows))

    def apply(self, inputs: Tensor) -> Tensor:
        """Scaled inputs, shape (order + 1, d + 1, N), from a series of that shape."""
        width = torch.tensor(self.half_width, dtype=inputs.dtype)[:, None]
        shifted = inputs[0] - torch.tensor(self.centre, dtype=inputs.dtype)[:, None]
        return torch.cat([shifted[None], inputs[1:]]) / width


class Network(Protocol):
    """What fits, derivatives and critical points need of a network."""

    @property
    def size(self) -> int:
        """Number of parameters."""
        ...

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates."""
        ...

    def initial(self, seed: int) -> Tensor:
        """Random parameters, shape (size,)."""
        ...

    def series(self, parameters: Tensor, inputs: Tensor) -> Tensor:
        """Taylor series of F, shape (order + 1, N), from one of (x, T), shape (order + 1, d + 1, N)."""
        ...


class Configurations(NamedTuple):
    """Taylor series of the energies and entropies of every configuration, shape (order + 1, K, N)."""

    energies: Tensor
    entropies: Tensor


@dataclass(frozen=True)
class Zenn:
    """K configurations, each with an energy and an entropy network of tanh layers.

    scaling : of (x, T). configurations : K. hidden : neurons of each hidden layer.
    boltzmann_constant, gamma : those of Eq. (6). entropy : "positive" makes S_k = softplus >= 0, which Eq.
    (1) asks for; "free" lets it have any sign. energy_scale, entropy_scale : what an output of 1 stands for.
    """

    scaling: Scaling
    configurations: int
    boltzmann_constant: float
    gamma: float
    hidden: tuple[int, ...] = (8, 8)
    entropy: Literal["positive", "free"] = "positive"
    energy_scale: float = 1.0
    entropy_scale: float = 1.0
    kind: str = field(default="zenn", init=False)

    def __post_init__(self) -> None:
        if self.configurations < 1:
            raise InputError("argument configurations", "", self.configurations, "1 or more")
        for name in ("boltzmann_constant", "gamma", "energy_scale", "entropy_scale"):
            if not getattr(self, name) > 0:
                raise InputError(f"argument {name}", "", getattr(self, name), "a positive number")

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates."""
        return len(self.scaling.centre) - 1

    @property
    def _shapes(self) -> list[Shape]:
        return _layer_shapes((self.dimensions + 1, *self.hidden, 1))

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 2 * self.configurations * sum(math.prod(shape) for shape in self._shapes)

    def initial(self, seed: int) -> Tensor:
        """Random parameters, shape (size,)."""
        random = torch.Generator().manual_seed(seed)
        networks = 2 * self.configurations
        blocks = []
        for shape in self._shapes:
            spread = 1 / math.sqrt(shape[-1]) if len(shape) == 2 else _FIRST_SPREAD
            blocks.append(spread * torch.randn((networks, *shape), generator=random, dtype=torch.float64))
        return torch.cat([block.reshape(networks, -1) for block in blocks], dim=1).reshape(-1)

    def layers(self, parameters: Tensor) -> list[Tensor]:
        """Weights and biases of all 2 K networks at once, energies first: (2 K, out, in), (2 K, out), ..."""
        return _split(parameters.reshape(2 * self.configurations, -1), self._shapes)

    def outputs(self, parameters: Tensor, inputs: Tensor) -> Tensor:
        """Taylor series of the 2 K networks before S_k >= 0 is seen to, shape (order + 1, 2 K, N)."""
        signal = self.scaling.apply(inputs)[:, None]
        layers = self.layers(parameters)
        for i in range(0, len(layers), 2):
            signal = _affine(layers[i], layers[i + 1], signal)
            if i + 2 < len(layers):
                signal = taylor.hyperbolic_tangent(signal)
        return signal[:, :, 0]

    def configuration_series(self, parameters: Tensor, inputs: Tensor) -> Configurations:
        """E_k and S_k of every configuration."""
        outputs = self.outputs(parameters, inputs)
        energies, entropies = outputs[:, : self.configurations], outputs[:, self.configurations :]
        if self.entropy == "positive":
            entropies = taylor.softplus(entropies)
        return Configurations(self.energy_scale * energies, self.entropy_scale * entropies)

    def series(self, parameters: Tensor, inputs: Tensor) -> Tensor:
        """Taylor series of F, shape (order + 1, N)."""
        found = self.configuration_series(parameters, inputs)
        return mixture(found, inputs[:, -1], self.boltzmann_constant, self.gamma)


def mixture(found: Configurations, temperature: Tensor, boltzmann_constant: float, gamma: float) -> Tensor:
    """Taylor series of F = sum p F_k + k_B T sum p ln p (Eqs. 6-7), shape (order + 1, N).

    `temperature` is a series of shape (order + 1, N). With gamma infinite F = -k_B T ln Z.
    """
    own, exponent = _exponents(found, temperature, boltzmann_constant, gamma)
    largest = torch.zeros_like(exponent[:, :1])
    largest[0] = exponent[0].detach().max(dim=0, keepdim=True).values
    weights = taylor.exponential(exponent - largest)
    total = weights.sum(dim=1)
    log_sum = taylor.logarithm(total)
    log_sum = log_sum + largest[:, 0]
    free: Tensor = -boltzmann_constant * taylor.multiply(temperature, log_sum)
    if math.isinf(gamma):
        return free
    # F + k_B T ln Z = -k_B T sum p (S_k / (gamma k_B))^2
    fluctuation = taylor.divide(taylor.multiply(weights, own).sum(dim=1), total)
    total_energy: Tensor = free - boltzmann_constant * taylor.multiply(temperature, fluctuation)
    return total_energy


def log_probabilities(
    found: Configurations, temperature: Tensor, boltzmann_constant: float, gamma: float
) -> Tensor:
    """ln p_k of Eq. (6), shape (K, N), from series of which the values count."""
    _, exponent = _exponents(found, temperature, boltzmann_constant, gamma)
    return torch.log_softmax(exponent[0], dim=0)


def _exponents(
    found: Configurations, temperature: Tensor, boltzmann_constant: float, gamma: float
) -> tuple[Tensor, Tensor]:
    """(S_k / (gamma k_B))^2 and the exponent of Eq. (6), as series."""
    reduced = found.entropies / boltzmann_constant
    own = taylor.multiply(reduced, reduced) / gamma**2 if not math.isinf(gamma) else torch.zeros_like(reduced)
    over_kT = taylor.divide(found.energies, boltzmann_constant * temperature[:, None])
    return own, reduced - own - over_kT


@dataclass(frozen=True)
class ConvexNetwork:
    """The network of Eqs. (S3)-(S4): softplus layers, each of which sees the inputs again.

    variant : "printed" constrains the weights W^x of the inputs to be >= 0 and leaves W^z and the output
    free, which does not make F convex; "standard" constrains W^z and the output weights and leaves W^x free,
    which does.
    """

    scaling: Scaling
    variant: Literal["printed", "standard"]
    layers: int = 4
    width: int = 48
    energy_scale: float = 1.0
    kind: str = field(default="convex", init=False)

    def __post_init__(self) -> None:
        if self.variant not in ("printed", "standard"):
            hint = did_you_mean(self.variant, ("printed", "standard"))
            raise InputError("argument variant", "", self.variant, "printed or standard", hint)

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates."""
        return len(self.scaling.centre) - 1

    @property
    def _shapes(self) -> list[Shape]:
        h, d = self.width, self.dimensions + 1
        hidden: list[Shape] = [(h, d), (h,)]
        for _ in range(self.layers - 1):
            hidden += [(h, d), (h, h), (h,)]
        return [*hidden, (1, h)]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self._shapes)

    def initial(self, seed: int) -> Tensor:
        """Random parameters, shape (size,)."""
        random = torch.Generator().manual_seed(seed)
        blocks = []
        for i, shape in enumerate(self._shapes):
            spread = _FIRST_SPREAD / math.sqrt(shape[-1]) if len(shape) == 2 else _FIRST_SPREAD
            block = spread * torch.randn(shape, generator=random, dtype=torch.float64)
            if self._constrained(i, shape):
                block = block + math.log(math.expm1(1 / shape[-1]))  # softplus of it is about 1 / fan-in
            blocks.append(block.reshape(-1))
        return torch.cat(blocks)

    def series(self, parameters: Tensor, inputs: Tensor) -> Tensor:
        """Taylor series of F, shape (order + 1, N)."""
        x = self.scaling.apply(inputs)
        blocks = iter(
            torch.nn.functional.softplus(block) if self._constrained(i, tuple(block.shape[1:])) else block
            for i, block in enumerate(_split(parameters[None], self._shapes))
        )
        weights, bias = next(blocks)[0], next(blocks)[0]
        signal = _softplus(_affine(weights, bias, x))
        for _ in range(self.layers - 1):
            of_inputs, of_signal, bias = next(blocks)[0], next(blocks)[0], next(blocks)[0]
            signal = _softplus(_affine(of_inputs, bias, x) + of_signal @ signal)
        total: Tensor = self.energy_scale * (next(blocks)[0] @ signal)[:, 0]
        return total

    def _constrained(self, i: int, shape: Shape) -> bool:
        """Whether block i has to be >= 0: W^x as printed, W^z and the output as standard."""
        if len(shape) < 2:
            return False
        of_inputs = shape == (self.width, self.dimensions + 1) and i != len(self._shapes) - 1
        return of_inputs if self.variant == "printed" else not of_inputs


@dataclass(frozen=True)
class Perceptron:
    """A plain network of tanh layers for F."""

    scaling: Scaling
    hidden: tuple[int, ...]
    energy_scale: float = 1.0
    kind: str = field(default="perceptron", init=False)

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates."""
        return len(self.scaling.centre) - 1

    @property
    def _shapes(self) -> list[Shape]:
        return _layer_shapes((self.dimensions + 1, *self.hidden, 1))

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self._shapes)

    def initial(self, seed: int) -> Tensor:
        """Random parameters, shape (size,)."""
        random = torch.Generator().manual_seed(seed)
        blocks = []
        for shape in self._shapes:
            spread = 1 / math.sqrt(shape[-1]) if len(shape) == 2 else _FIRST_SPREAD
            blocks.append(spread * torch.randn(shape, generator=random, dtype=torch.float64).reshape(-1))
        return torch.cat(blocks)

    def series(self, parameters: Tensor, inputs: Tensor) -> Tensor:
        """Taylor series of F, shape (order + 1, N)."""
        signal = self.scaling.apply(inputs)
        layers = [block[0] for block in _split(parameters[None], self._shapes)]
        for i in range(0, len(layers), 2):
            signal = _affine(layers[i], layers[i + 1], signal)
            if i + 2 < len(layers):
                signal = taylor.hyperbolic_tangent(signal)
        return self.energy_scale * signal[:, 0]


def _layer_shapes(widths: tuple[int, ...]) -> list[Shape]:
    """Weights and bias of each layer between neighbouring widths."""
    return [shape for a, b in pairwise(widths) for shape in ((b, a), (b,))]


_LINEAR = 40.0  # above, ln(1 + e^x) is x to rounding
_FIRST_SPREAD = 0.6  # smooth at first: a rough start is fitted between the points as well as at them

KINDS: dict[str, type[Any]] = {"zenn": Zenn, "convex": ConvexNetwork, "perceptron": Perceptron}


def specification(network: Network) -> dict[str, Any]:
    """What `from_specification` makes the network of again, as JSON takes it."""
    # every network is a dataclass, which the protocol cannot say
    values: dict[str, Any] = asdict(network)  # type: ignore[call-overload]
    if values.get("gamma") == math.inf:  # JSON has no infinity
        values["gamma"] = "inf"
    return values


def from_specification(specification: dict[str, Any]) -> Network:
    """The network of a specification.

    Raises
    ------
    InputError : an unknown kind of network.
    """
    values = dict(specification)
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise InputError("network specification", "kind", kind, f"one of {', '.join(KINDS)}")
    scaling = values.pop("scaling")
    if "hidden" in values:
        values["hidden"] = tuple(values["hidden"])
    if "gamma" in values:
        values["gamma"] = float(values["gamma"])
    made: Network = KINDS[kind](
        scaling=Scaling(tuple(scaling["centre"]), tuple(scaling["half_width"])), **values
    )
    return made


def inputs_along(
    points: Tensor, temperatures: Tensor, direction: tuple[float, ...] | None = None, order: int = 0
) -> Tensor:
    """The series of (x, T) along a line, shape (order + 1, d + 1, N).

    points : x, shape (N, d). temperatures : T, shape (N,). direction : of the line in (x, T), d + 1 numbers;
    along the first coordinate if not given.
    """
    start = torch.cat([points, temperatures[:, None]], dim=1).T
    series = [start]
    if order:
        along = direction or (1.0, *([0.0] * points.shape[1]))
        series.append(torch.tensor(along, dtype=start.dtype)[:, None].expand_as(start))
        series += [torch.zeros_like(start)] * (order - 1)
    return torch.stack(series)


def _affine(weights: Tensor, bias: Tensor, signal: Tensor) -> Tensor:
    """W s + b of a series: the bias belongs to its value only."""
    result = weights @ signal
    return torch.cat([result[:1] + bias[..., None], result[1:]])


def _softplus(signal: Tensor) -> Tensor:
    """`taylor.softplus`, up to first order, which fits need, by operations that torch has as one."""
    if len(signal) > 2:
        result: Tensor = taylor.softplus(signal)
        return result
    value = torch.nn.functional.softplus(signal[0], threshold=_LINEAR)
    return torch.stack([value, *(torch.sigmoid(signal[0]) * slope for slope in signal[1:])])


def _split(rows: Tensor, shapes: list[Shape]) -> list[Tensor]:
    """Blocks of the given shapes from the columns of a matrix, one per row."""
    sizes = [math.prod(shape) for shape in shapes]
    blocks = rows.split(sizes, dim=1)  # type: ignore[no-untyped-call]  # torch does not type it
    return [block.reshape(len(rows), *shape) for block, shape in zip(blocks, shapes, strict=True)]
