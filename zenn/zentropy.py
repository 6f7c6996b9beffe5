"""Zentropy: a mixture over configurations k, each with an energy E_k and an intrinsic entropy S_k.

Pure functions for numpy arrays and torch tensors alike, after Wang, Shang, Liu and Hao, "ZENN: A
Thermodynamics-Inspired Computational Framework for Heterogeneous Data-Driven Modeling", Eqs. (1)-(7);
Eqs. (13)-(14) are Eq. (6) over a batch. Zentropy itself: Z.-K. Liu, Y. Wang, S.-L. Shang, J. Phase Equilib.
Diffus. 43, 598-605 (2022). That paper states S_k >= 0; the formulas hold for either sign.

Shapes
------
`energies`, `entropies` and `probabilities` carry the K configurations on `axis` (the last by default) and a
batch on the others; a 0-d array or a number holds for every configuration, a 1-d array has shape (K,).
`temperature` has the batch axes only; `degeneracies` is (K,) or laid out like `energies`. Batch axes
broadcast. Results have the configurations on `axis`, or the batch shape where they are summed over.

Units
-----
Any consistent ones: `k_B` is in units of entropy, `k_B * temperature` in units of energy. `gamma` has no
unit; infinity switches the entropy-fluctuation term off.

Degeneracies
------------
g_k stands for g_k configurations with the same E and S. A probability belongs to the whole level, the sum
over its members, so that ln p becomes ln(p / g).

Limits
------
Nothing overflows. An energy of +inf marks a configuration that is absent: probability and gradient are zero.
At T = 0 the configurations of lowest energy share the probability as g exp[S/k_B - (S/(gamma k_B))^2], the
limit of Eq. (6): equal energies are told apart by their entropy. A k_B T below the inverse square root of
the largest number of the type (1e-154 in double precision, 5e-20 in single) counts as T = 0, and an energy
above the lowest by more than that square root, in units of k_B T, as absent. Energies that cross exactly at
T = 0 have no gradient.

Errors
------
`zenn.errors.InputError` for a NaN, an energy of -inf, no configuration of finite energy, an infinite
entropy, a negative or infinite temperature, k_B, gamma or a degeneracy that is not positive, and shapes that
do not broadcast. Inside `torch.vmap` values cannot be looked at, and only k_B and gamma are checked.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

from zenn.arrays import array_namespace, device, is_array_api_obj
from zenn.errors import InputError

Array = Any  # numpy.ndarray or torch.Tensor; torch is not imported for the sake of a name


def configuration_helmholtz_energy(
    energies: Array, entropies: Array, temperature: Array | float, *, axis: int = -1
) -> Array:
    """F_k = E_k - T S_k of every configuration, shape (batch..., K), in units of energy (before Eq. 6).

    >>> import numpy as np
    >>> configuration_helmholtz_energy(np.array([0.0, 1.0]), np.array([0.0, 2.0]), 0.25)
    array([0. , 0.5])
    """
    mixture = _mixture(energies, entropies, temperature, None, 1.0, math.inf, axis)
    return _restore(mixture.xp, _configuration_helmholtz_energy(mixture), axis)


def log_weights(
    energies: Array,
    entropies: Array,
    temperature: Array | float,
    *,
    degeneracies: Array | None = None,
    k_B: float = 1.0,
    gamma: float = math.inf,
    axis: int = -1,
) -> Array:
    """ln of the unnormalised probability, shape (batch..., K): the exponent of Eq. (6) and ln g.

    ln g_k - F_k / (k_B T) - (S_k / (gamma k_B))^2. At T = 0 it is -inf or +inf wherever E_k is not zero.

    >>> import numpy as np
    >>> log_weights(np.array([0.0, 1.0]), np.array([0.0, 2.0]), 0.5, gamma=2.0)
    array([ 0., -1.])
    """
    mixture = _mixture(energies, entropies, temperature, degeneracies, k_B, gamma, axis)
    exponent = mixture.intrinsic - _over_kT(mixture.xp, mixture.energies, mixture.kT)
    return _restore(mixture.xp, mixture.log_degeneracies + exponent, axis)


def log_partition_function(
    energies: Array,
    entropies: Array,
    temperature: Array | float,
    *,
    degeneracies: Array | None = None,
    k_B: float = 1.0,
    gamma: float = math.inf,
    axis: int = -1,
) -> Array:
    """ln Z of Eq. (6), shape (batch...). At T = 0 it is infinite unless the lowest energy is zero.

    >>> import numpy as np
    >>> float(log_partition_function(np.zeros(2), np.zeros(2), 1.0, degeneracies=[3, 5]))  # ln 8
    2.0794415416798357
    """
    mixture = _mixture(energies, entropies, temperature, degeneracies, k_B, gamma, axis)
    shift = mixture.largest - _over_kT(mixture.xp, mixture.lowest, mixture.kT)
    return (shift + _log_sum(mixture))[..., 0]


def log_probabilities(
    energies: Array,
    entropies: Array,
    temperature: Array | float,
    *,
    degeneracies: Array | None = None,
    k_B: float = 1.0,
    gamma: float = math.inf,
    axis: int = -1,
) -> Array:
    """ln p_k of Eq. (6), shape (batch..., K); -inf for an absent configuration.

    >>> import numpy as np
    >>> log_probabilities(np.array([0.0, 1000.0]), np.zeros(2), 1.0)
    array([    0., -1000.])
    """
    mixture = _mixture(energies, entropies, temperature, degeneracies, k_B, gamma, axis)
    return _restore(mixture.xp, _log_probabilities(mixture), axis)


def probabilities(
    energies: Array,
    entropies: Array,
    temperature: Array | float,
    *,
    degeneracies: Array | None = None,
    k_B: float = 1.0,
    gamma: float = math.inf,
    axis: int = -1,
) -> Array:
    """p_k of Eq. (6), shape (batch..., K); they sum to 1 over `axis`.

    They maximise the entropy of Eq. (2) at given sum p E and sum p S^2, with the Lagrange multipliers 1 / T
    and 1 / (gamma^2 k_B).

    >>> import numpy as np
    >>> probabilities(np.array([0.0, 0.0, 1.0]), np.zeros(3), np.array([0.0, 1e9]), degeneracies=[1, 3, 4])
    array([[0.25 , 0.75 , 0.   ],
           [0.125, 0.375, 0.5  ]])
    """
    mixture = _mixture(energies, entropies, temperature, degeneracies, k_B, gamma, axis)
    return _restore(mixture.xp, mixture.xp.exp(_log_probabilities(mixture)), axis)


def helmholtz_energy(
    energies: Array,
    entropies: Array,
    temperature: Array | float,
    *,
    degeneracies: Array | None = None,
    k_B: float = 1.0,
    gamma: float = math.inf,
    axis: int = -1,
) -> Array:
    """F = sum p F + k_B T sum p ln(p / g) of Eq. (7), shape (batch...), in units of energy.

    This is E - T S, which is -k_B T ln Z for an infinite gamma only; otherwise
    F + k_B T ln Z = -k_B T sum_k p_k (S_k / (gamma k_B))^2.

    >>> import numpy as np
    >>> float(helmholtz_energy(np.zeros(2), np.zeros(2), 0.5))  # -T ln 2
    -0.34657359027997264
    """
    mixture = _mixture(energies, entropies, temperature, degeneracies, k_B, gamma, axis)
    xp = mixture.xp
    log_p = _log_probabilities(mixture)
    excess = _configuration_helmholtz_energy(mixture) - mixture.lowest
    mixing = log_p - mixture.log_degeneracies
    free_energy = _mean(xp, xp.exp(log_p), excess) + mixture.kT[..., 0] * _mean(xp, xp.exp(log_p), mixing)
    return mixture.lowest[..., 0] + free_energy


def energy(probabilities: Array, energies: Array, *, axis: int = -1) -> Array:
    """E = sum p E of Eq. (7), shape (batch...), in units of energy; absent configurations do not count.

    >>> import numpy as np
    >>> float(energy(np.array([0.25, 0.75, 0.0]), np.array([0.0, 1.0, np.inf])))
    0.75
    """
    xp, p = _checked_probabilities(probabilities, axis)
    return _mean(xp, p, _configurations_last(_like(xp, energies, p), axis))


def configurational_entropy(
    probabilities: Array, *, degeneracies: Array | None = None, k_B: float = 1.0, axis: int = -1
) -> Array:
    """-k_B sum p ln(p / g), the second term of Eq. (1), shape (batch...), in units of k_B.

    >>> import numpy as np
    >>> float(configurational_entropy(np.array([1.0, 0.0]), degeneracies=[2, 6]))  # ln 2
    0.6931471805599453
    """
    _check_positive("k_B", k_B)
    xp, p = _checked_probabilities(probabilities, axis)
    return k_B * _mixing(xp, p, _log_degeneracies(xp, degeneracies, p, axis))


def entropy(
    probabilities: Array,
    entropies: Array,
    *,
    degeneracies: Array | None = None,
    k_B: float = 1.0,
    axis: int = -1,
) -> Array:
    """S = sum p S - k_B sum p ln(p / g) of Eq. (1), shape (batch...), in units of k_B.

    `probabilities` may be any, not only those of Eq. (6): this is the function that Eq. (2) maximises.

    >>> import numpy as np
    >>> float(entropy(np.array([0.5, 0.5]), np.array([1.0, 2.0])))  # 1.5 + ln 2
    2.1931471805599454
    """
    _check_positive("k_B", k_B)
    xp, p = _checked_probabilities(probabilities, axis)
    intrinsic = _mean(xp, p, _configurations_last(_like(xp, entropies, p), axis))
    return intrinsic + k_B * _mixing(xp, p, _log_degeneracies(xp, degeneracies, p, axis))


class _Mixture(NamedTuple):
    """Checked arguments, configurations on the last axis, and what every function derives from them."""

    xp: ModuleType
    energies: Array  # (batch..., K), as every array below that says nothing else
    entropies: Array
    temperature: Array  # (batch..., 1)
    kT: Array  # (batch..., 1)
    log_degeneracies: Array
    intrinsic: Array  # S / k_B - (S / (gamma k_B))^2: the part of the exponent that knows no T
    lowest: Array  # lowest energy, (batch..., 1)
    largest: Array  # largest exponent counted from the lowest energy: finite at every T; (batch..., 1)
    shifted: (
        Array  # log weight less `largest`: of the order of one where it matters, so that no digit is lost
    )


def _mixture(
    energies: Array,
    entropies: Array,
    temperature: Array | float,
    degeneracies: Array | None,
    k_B: float,
    gamma: float,
    axis: int,
) -> _Mixture:
    """Check the arguments and bring them into one layout."""
    _check_positive("k_B", k_B)
    _check_positive("gamma", gamma)
    xp, E, S, T = _as_arrays(energies, entropies, temperature)
    E, S, T = _configurations_last(E, axis), _configurations_last(S, axis), T[..., None]
    _refuse(xp, xp.isnan(E) | (xp.isinf(E) & (E < 0)), "energies", "NaN or -inf", "numbers, +inf for absent")
    _refuse(xp, ~xp.isfinite(S), "entropies", "NaN or infinity", "finite numbers")
    _refuse(xp, ~(xp.isfinite(T) & (T >= 0)), "temperature", "a negative, infinite or NaN one", "0 or more")
    lowest = xp.min(E, axis=-1, keepdims=True)
    _refuse(xp, lowest == math.inf, "energies", "only +inf", "one configuration of finite energy or more")
    log_g = _log_degeneracies(xp, degeneracies, E, axis)
    _check_shapes(xp, energies=E, entropies=S, temperature=T, degeneracies=log_g)
    reduced = S / k_B
    intrinsic = reduced - (reduced / gamma) ** 2
    exponent = intrinsic - _over_kT(xp, E - lowest, k_B * T)
    largest = xp.max(exponent, axis=-1, keepdims=True)
    return _Mixture(xp, E, S, T, k_B * T, log_g, intrinsic, lowest, largest, log_g + (exponent - largest))


def _configuration_helmholtz_energy(mixture: _Mixture) -> Array:
    """F_k = E_k - T S_k, configurations last."""
    return mixture.energies - mixture.temperature * mixture.entropies


def _log_probabilities(mixture: _Mixture) -> Array:
    """ln p_k, configurations last."""
    return mixture.shifted - _log_sum(mixture)


def _log_sum(mixture: _Mixture) -> Array:
    """ln of the sum of the shifted weights, kept as an axis of length 1."""
    xp = mixture.xp
    return xp.log(xp.sum(xp.exp(mixture.shifted), axis=-1, keepdims=True))


def _over_kT(xp: ModuleType, x: Array, kT: Array) -> Array:
    """x / (k_B T), with 0 / 0 = 0 and infinity of the right sign beyond the range.

    The divisor and the dividend are replaced before the division: a gradient that `where` only masks
    afterwards would be 0 * inf = NaN. `large` keeps also the gradient x / (k_B T)^2 in range.
    """
    large = math.sqrt(xp.finfo(kT.dtype).max)
    cold = kT < 1 / large
    beyond = xp.abs(x) > large * xp.where(cold, xp.zeros_like(kT), kT)
    quotient = xp.where(beyond, 0.0, x) / xp.where(cold, xp.ones_like(kT), kT)
    return xp.where(beyond & (x > 0), math.inf, xp.where(beyond, -math.inf, quotient))


def _mixing(xp: ModuleType, p: Array, log_degeneracies: Array) -> Array:
    """-sum p ln(p / g) over the last axis, with 0 ln 0 = 0."""
    log_p = xp.log(xp.where(p > 0, p, xp.ones_like(p)))
    return -xp.sum(p * (log_p - log_degeneracies), axis=-1)


def _mean(xp: ModuleType, p: Array, x: Array) -> Array:
    """Sum of p x over the last axis; an infinite x has p = 0 and does not count."""
    return xp.sum(p * xp.where(xp.isinf(x), 0.0, x), axis=-1)


def _as_arrays(*values: Array) -> tuple[Any, ...]:
    """The array namespace of the arguments, then each of them as a floating-point array of it."""
    arrays = [value for value in values if is_array_api_obj(value)]
    try:
        xp = array_namespace(*arrays)
    except TypeError as error:
        found = ", ".join(type(value).__name__ for value in values)
        raise InputError(
            "arguments", "", found, "numpy arrays or torch tensors, not both, and numbers"
        ) from error
    like = next((array for array in arrays if xp.isdtype(array.dtype, "real floating")), None)
    if like is None:
        like = xp.zeros((), dtype=xp.float64, device=device(arrays[0]))
    return (xp, *(_like(xp, value, like) for value in values))


def _like(xp: ModuleType, value: Array, like: Array) -> Array:
    """`value` as a floating-point array beside `like`; its own precision is kept if it has one."""
    if is_array_api_obj(value) and xp.isdtype(value.dtype, "real floating"):
        return value
    return xp.asarray(value, dtype=like.dtype, device=device(like))


def _configurations_last(x: Array, axis: int) -> Array:
    """Move the configurations to the last axis; 0-d and 1-d arrays have them there."""
    if x.ndim == 0:
        return x[None]
    return x if x.ndim == 1 else array_namespace(x).moveaxis(x, axis, -1)


def _restore(xp: ModuleType, x: Array, axis: int) -> Array:
    """Move the configurations from the last axis back to `axis`."""
    return x if x.ndim == 1 else xp.moveaxis(x, -1, axis)


def _log_degeneracies(xp: ModuleType, degeneracies: Array | None, like: Array, axis: int) -> Array:
    """ln g_k with the configurations on the last axis; zero where none are given."""
    if degeneracies is None:
        return xp.zeros_like(like[..., :1])
    g = _configurations_last(_like(xp, degeneracies, like), axis)
    _refuse(xp, ~(xp.isfinite(g) & (g > 0)), "degeneracies", "NaN, infinity, 0 or less", "positive numbers")
    return xp.log(g)


def _checked_probabilities(p: Array, axis: int) -> tuple[Any, Array]:
    """The namespace and the probabilities, configurations last."""
    xp, p = _as_arrays(p)
    p = _configurations_last(p, axis)
    _refuse(xp, ~(p >= 0), "probabilities", "a negative number or NaN", "numbers of 0 or more")
    return xp, p


def _check_positive(name: str, value: float) -> None:
    """A number above zero; infinity is one for gamma."""
    if not value > 0 or (name == "k_B" and math.isinf(value)):
        raise InputError(f"argument {name}", "", value, "a positive number")


def _check_shapes(xp: ModuleType, **arguments: Array) -> None:
    """Configurations and batch axes must broadcast."""
    try:
        xp.broadcast_arrays(*arguments.values())
    except (ValueError, RuntimeError) as error:
        found = ", ".join(f"{name} {tuple(value.shape)}" for name, value in arguments.items())
        expected = "shapes (batch..., K), (batch..., 1) for the temperature, that broadcast"
        raise InputError("arguments", "configurations moved to the last axis", found, expected) from error


def _refuse(xp: ModuleType, bad: Array, argument: str, found: str, expected: str) -> None:
    """Raise where any element of `bad` is true."""
    try:
        refused = bool(xp.any(bad))
    except RuntimeError:  # inside torch.vmap no value can be looked at
        return
    if refused:
        raise InputError(f"argument {argument}", "", found, expected)
