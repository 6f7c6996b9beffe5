"""Compiled inner loops of a ZENN: all its networks at blocks of points, forward and backward.

Series are Taylor series of order 0, 1 or 2 along a straight line (`zenn.taylor`). One function serves every
order and every shape of network, so that little is compiled. Arrays of a block of points stay in the
processor's cache; inner loops run over its points and become vector instructions. Widths of layers are
rounded up to a multiple of `TILE`, with weights of zero, for products of matrices in tiles. A row is the
values of one neuron at the points of a block; an array holds row after row, coefficient after coefficient.

The parameters of a network are, for each hidden layer, weights (out, in) and biases (out), then one weight
per neuron of the last layer and a bias.

Backward through z = f(a), with c the series of f'(a): dz_j is the sum of c_(j-i) da_i over i <= j, so that
what comes down on a_i is the sum of c_(j-i) times what came down on z_j.

The compiler may fuse a product with a sum, and add up points in another order (`_sums`); nothing else: NaN
and infinities stay what they are. numba infers the types of these functions: each is told to mypy as untyped.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

BLOCK, TILE = 128, 4  # points of a block; neurons of a tile

_fused = {"contract", "nsz"}
# counting references to arrays takes as long as the arithmetic; without it a function may not allocate
_options: Any = {"nogil": True, "error_model": "numpy", "fastmath": _fused, "_nrt": False}
_uncalled: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # by Python
_inner: Any = numba.njit(**_options, **_uncalled)
_sums: Any = numba.njit(**{**_options, "fastmath": _fused | {"reassoc"}}, **_uncalled)
_entry: Any = partial(numba.njit, cache=True, **_options)

_row, _rows, _array = numba.float64[::1], numba.float64[:, ::1], numba.float64[:, :, ::1]
_layers = numba.int64[::1], numba.int64, numba.int64  # widths, inputs, order
_constants: Any = types.UniTuple(numba.float64, 4), numba.boolean  # type: ignore[no-untyped-call]

_LOG2_E = 1 / math.log(2)
_SHIFT = 1.5 * 2.0**52  # a number of this size has no room for a fraction: added, it rounds
_LN_2 = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")  # their sum
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (1 / math.factorial(j) for j in range(2, 14))
_FLAT = -44.0  # tanh(22) is 1 to rounding
_ONES = np.ones(BLOCK)
_NOTHING = -700.0  # exp of it is nothing beside 1, and still a normal number


@intrinsic
def _power_of_two(_, shifted):  # type: ignore[no-untyped-def]
    """2^n from n + `_SHIFT`: the last bits of that number are those of n."""

    def generate(_, builder, signature, arguments):  # type: ignore[no-untyped-def]
        bits = builder.bitcast(arguments[0], ir.IntType(64))
        exponent = builder.add(bits, ir.Constant(ir.IntType(64), 1023))
        return builder.bitcast(builder.shl(exponent, ir.Constant(ir.IntType(64), 52)), ir.DoubleType())

    return types.float64(types.float64), generate


@_inner
def _scaled_exponential(y):  # type: ignore[no-untyped-def]
    """2^n and e^r - 1 with y = n ln 2 + r and |r| <= ln(2) / 2, for `_NOTHING` <= y <= 0 or NaN."""
    shifted = y * _LOG2_E + _SHIFT
    n = shifted - _SHIFT
    r = (y - n * _LN_2[0]) - n * _LN_2[1]
    q = _C8 + r * (_C9 + r * (_C10 + r * (_C11 + r * (_C12 + r * _C13))))
    q = _C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * (_C7 + r * q)))))
    return _power_of_two(shifted), r + r * r * q  # type: ignore[call-arg]


@_inner
def _exp(y):  # type: ignore[no-untyped-def]
    """e^y for y <= 0."""
    power, excess = _scaled_exponential(_NOTHING if y < _NOTHING else y)
    return power + power * excess


@_inner
def _tanh(x):  # type: ignore[no-untyped-def]
    """tanh x = -m / (2 + m) with m = e^(-2 |x|) - 1, which loses nothing near 0."""
    y = -2.0 * abs(x)
    power, excess = _scaled_exponential(_FLAT if y < _FLAT else y)
    m = power * excess + (power - 1.0)
    t = -m / (2.0 + m)
    return t if x >= 0 else -t


@_inner
def _log1p(u):  # type: ignore[no-untyped-def]
    """ln(1 + u) = 2 artanh(u / (2 + u)) for 0 <= u <= 1, as a series."""
    s = u / (2.0 + u)
    z = s * s
    q = 1 / 21 + z * (1 / 23 + z * (1 / 25 + z * (1 / 27 + z * (1 / 29 + z / 31))))
    q = 1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z * q))))
    q = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * q)))
    return 2.0 * (s + s * z * q)


@_inner
def _product(w, down, across, rows, columns, source, target):  # type: ignore[no-untyped-def]
    """Add to rows of `target` a matrix, its element (o, k) at w[o down + k across], times rows."""
    for o in range(0, rows, TILE):
        y = target[o * BLOCK : (o + TILE) * BLOCK]
        for k in range(0, columns, TILE):
            x = source[k * BLOCK : (k + TILE) * BLOCK]
            q = o * down + k * across
            w00, w01, w02, w03 = w[q], w[q + across], w[q + 2 * across], w[q + 3 * across]
            q += down
            w10, w11, w12, w13 = w[q], w[q + across], w[q + 2 * across], w[q + 3 * across]
            q += down
            w20, w21, w22, w23 = w[q], w[q + across], w[q + 2 * across], w[q + 3 * across]
            q += down
            w30, w31, w32, w33 = w[q], w[q + across], w[q + 2 * across], w[q + 3 * across]
            for i in range(BLOCK):
                x0, x1, x2, x3 = x[i], x[BLOCK + i], x[2 * BLOCK + i], x[3 * BLOCK + i]
                y[i] += w00 * x0 + w01 * x1 + w02 * x2 + w03 * x3
                y[BLOCK + i] += w10 * x0 + w11 * x1 + w12 * x2 + w13 * x3
                y[2 * BLOCK + i] += w20 * x0 + w21 * x1 + w22 * x2 + w23 * x3
                y[3 * BLOCK + i] += w30 * x0 + w31 * x1 + w32 * x2 + w33 * x3


@_sums
def _outer(left, rows, right, columns, g):  # type: ignore[no-untyped-def]
    """Add to g[o columns + k] the sum over points of row o of `left` times row k of `right`."""
    for o in range(0, rows, TILE):
        y = left[o * BLOCK : (o + TILE) * BLOCK]
        for k in range(0, columns, TILE):
            x = right[k * BLOCK : (k + TILE) * BLOCK]
            g00 = g01 = g02 = g03 = g10 = g11 = g12 = g13 = 0.0
            g20 = g21 = g22 = g23 = g30 = g31 = g32 = g33 = 0.0
            for i in range(BLOCK):
                x0, x1, x2, x3 = x[i], x[BLOCK + i], x[2 * BLOCK + i], x[3 * BLOCK + i]
                y0, y1, y2, y3 = y[i], y[BLOCK + i], y[2 * BLOCK + i], y[3 * BLOCK + i]
                g00, g01, g02, g03 = g00 + y0 * x0, g01 + y0 * x1, g02 + y0 * x2, g03 + y0 * x3
                g10, g11, g12, g13 = g10 + y1 * x0, g11 + y1 * x1, g12 + y1 * x2, g13 + y1 * x3
                g20, g21, g22, g23 = g20 + y2 * x0, g21 + y2 * x1, g22 + y2 * x2, g23 + y2 * x3
                g30, g31, g32, g33 = g30 + y3 * x0, g31 + y3 * x1, g32 + y3 * x2, g33 + y3 * x3
            q = o * columns + k
            tiles = (g00, g01, g02, g03), (g10, g11, g12, g13), (g20, g21, g22, g23), (g30, g31, g32, g33)
            for tile in tiles:
                for p in range(TILE):
                    g[q + p] += tile[p]
                q += columns


@_sums
def _row_sums(rows, factor, g):  # type: ignore[no-untyped-def]
    """Add to g, a number per row, the sum over points of each times the row `factor`."""
    for o in range(g.size):
        row = rows[o * BLOCK : (o + 1) * BLOCK]
        total = 0.0
        for i in range(BLOCK):
            total += row[i] * factor[i]
        g[o] += total


@_inner
def _tanh_series(order, signal, made, between):  # type: ignore[no-untyped-def]
    """tanh of a layer's series a_j, rows one after the other; the result t_j begins at made[j between].

    With s = 1 - t_0^2: t_1 = s a_1 and t_2 = s a_2 - t_0 t_1 a_1.
    """
    size = signal.size // (order + 1)
    t = made[:size]
    for i in range(size):
        t[i] = _tanh(signal[i])
    if order:
        a1, t1 = signal[size : 2 * size], made[between : between + size]
        for i in range(size):
            t1[i] = (1 - t[i] * t[i]) * a1[i]
        if order == 2:
            a2, t2 = signal[2 * size :], made[2 * between : 2 * between + size]
            for i in range(size):
                t2[i] = (1 - t[i] * t[i]) * a2[i] - t[i] * t1[i] * a1[i]


@_inner
def _tanh_backward(order, given, made, between):  # type: ignore[no-untyped-def]
    """What comes down on the argument of `_tanh_series`, in place of what came down on its result.

    s_0 = 1 - t_0^2, s_1 = -2 t_0 t_1, s_2 = -2 t_0 t_2 - t_1^2. A loop has few arrays: the compiler has to
    see that they do not overlap.
    """
    size = given.size // (order + 1)
    t, g = made[:size], given[:size]
    for i in range(size):
        g[i] *= 1 - t[i] * t[i]
    if order:
        t1, g1 = made[between : between + size], given[size : 2 * size]
        for i in range(size):
            g[i] -= 2 * t[i] * t1[i] * g1[i]
        for i in range(size):
            g1[i] *= 1 - t[i] * t[i]
        if order == 2:
            t2, g2 = made[2 * between : 2 * between + size], given[2 * size :]
            for i in range(size):
                g[i] -= (2 * t[i] * t2[i] + t1[i] * t1[i]) * g2[i]
            for i in range(size):
                g1[i] -= 2 * t[i] * t1[i] * g2[i]
                g2[i] *= 1 - t[i] * t[i]


@_inner
def _forward(w, widths, inputs, order, x, along, made, signal, output):  # type: ignore[no-untyped-def]
    """One network at a block: the series of its output, shape (order + 1, BLOCK).

    x : inputs, rows of the block. along : their slopes, rows too. made : room for what every layer gives,
    which `_backward` takes. signal : room for the series of a layer.
    """
    between = made.size // (order + 1)
    h, size, q, m = inputs, 0, 0, 0
    for layer in range(widths.size):
        before, last = h, size
        h, size = widths[layer], widths[layer] * BLOCK
        weights, biases = w[q : q + h * before], w[q + h * before : q + h * before + h]
        signal[size : (order + 1) * size] = 0.0
        for o in range(h):
            signal[o * BLOCK : (o + 1) * BLOCK] = biases[o]
        for j in range(order + 1 if layer else min(order, 1) + 1):  # the line is straight
            source = made[m + j * between - last : m + j * between]
            if layer == 0:
                source = along if j else x
            _product(weights, before, 1, h, before, source, signal[j * size : (j + 1) * size])
        _tanh_series(order, signal[: (order + 1) * size], made[m:], between)
        m += size
        q += h * before + h
    output[:BLOCK] = w[q + h]
    output[BLOCK:] = 0.0
    for j in range(order + 1):
        y = output[j * BLOCK : (j + 1) * BLOCK]
        for k in range(0, h, TILE):
            w0, w1, w2, w3 = w[q + k], w[q + k + 1], w[q + k + 2], w[q + k + 3]
            at = m - size + j * between + k * BLOCK
            t = made[at : at + TILE * BLOCK]
            for i in range(BLOCK):
                y[i] += w0 * t[i] + w1 * t[BLOCK + i] + w2 * t[2 * BLOCK + i] + w3 * t[3 * BLOCK + i]


@_inner
def _backward(w, g, widths, inputs, order, x, along, made, upper, lower, down):  # type: ignore[no-untyped-def]
    """Add to g what comes down on the parameters of one network from `down` on the series of its output.

    upper, lower : room for the series of a layer.
    """
    between = made.size // (order + 1)
    h = widths[widths.size - 1]
    size = h * BLOCK
    m, q = between - size, w.size - 1 - h  # where layers begin, from their end
    _row_sums(down[:BLOCK], _ONES, g[q + h :])
    for j in range(order + 1):
        factor, at = down[j * BLOCK : (j + 1) * BLOCK], m + j * between
        _row_sums(made[at : at + size], factor, g[q : q + h])
        for o in range(h):
            y = upper[j * size + o * BLOCK : j * size + (o + 1) * BLOCK]
            for i in range(BLOCK):
                y[i] = w[q + o] * factor[i]
    for layer in range(widths.size - 1, -1, -1):
        _tanh_backward(order, upper[: (order + 1) * size], made[m:], between)
        before = widths[layer - 1] if layer else inputs
        _row_sums(upper[:size], _ONES, g[q - h : q])
        q -= h * before + h
        if layer == 0:
            break
        next_size = before * BLOCK
        m -= next_size
        lower[: (order + 1) * next_size] = 0.0
        for j in range(order + 1):
            given, at = upper[j * size : (j + 1) * size], m + j * between
            result = lower[j * next_size : (j + 1) * next_size]
            _outer(given, h, made[at : at + next_size], before, g[q : q + h * before])
            _product(w[q : q + h * before], 1, before, before, h, given, result)
        upper, lower = lower, upper
        h, size = before, next_size
    _outer(upper[:size], h, x, inputs, g[: h * inputs])
    if order:
        _outer(upper[size : 2 * size], h, along, inputs, g[: h * inputs])


@_inner
def _multiply(order, a, b, out):  # type: ignore[no-untyped-def]
    """Product of two series; `out` is another array."""
    for j in range(order + 1):
        row = out[j * BLOCK : (j + 1) * BLOCK]
        row[:] = 0.0
        for n in range(j + 1):
            one, other = a[n * BLOCK : (n + 1) * BLOCK], b[(j - n) * BLOCK : (j - n + 1) * BLOCK]
            for i in range(BLOCK):
                row[i] += one[i] * other[i]


@_inner
def _divide(order, a, b):  # type: ignore[no-untyped-def]
    """Quotient of two series, in place of the first."""
    for j in range(order + 1):
        row = a[j * BLOCK : (j + 1) * BLOCK]
        for n in range(j):
            one, other = a[n * BLOCK : (n + 1) * BLOCK], b[(j - n) * BLOCK : (j - n + 1) * BLOCK]
            for i in range(BLOCK):
                row[i] -= one[i] * other[i]
        for i in range(BLOCK):
            row[i] /= b[i]


@_inner
def _down(order, series, upstream, out):  # type: ignore[no-untyped-def]
    """What comes down through a product with a series: the sum over j >= i of series_(j-i) upstream_j."""
    out[: (order + 1) * BLOCK] = 0.0
    for n in range(order + 1):
        for j in range(n, order + 1):
            row = out[n * BLOCK : (n + 1) * BLOCK]
            one = series[(j - n) * BLOCK : (j - n + 1) * BLOCK]
            other = upstream[j * BLOCK : (j + 1) * BLOCK]
            for i in range(BLOCK):
                row[i] += one[i] * other[i]


@_inner
def _entropy(order, raw, scale, positive, value, slope):  # type: ignore[no-untyped-def]
    """Series of S_k from that of its network's output, softplus if it is to be positive, and of its slope."""
    if not positive:
        slope[:BLOCK] = scale
        slope[BLOCK:] = 0.0
        for i in range((order + 1) * BLOCK):
            value[i] = scale * raw[i]
        return
    for i in range(BLOCK):
        x = raw[i]
        decay = _exp(-abs(x))
        above = 1 / (1 + decay)
        value[i] = scale * ((x if x > 0 else 0.0) + _log1p(decay))
        slope[i] = scale * (above if x > 0 else decay * above)
    for i in range(BLOCK if order else 0):
        first = raw[BLOCK + i]
        value[BLOCK + i] = slope[i] * first
        slope[BLOCK + i] = slope[i] * (1 - slope[i] / scale) * first
    for i in range(BLOCK if order == 2 else 0):
        first, second, logistic = raw[BLOCK + i], raw[2 * BLOCK + i], slope[i] / scale
        bend = slope[i] * (1 - logistic)
        value[2 * BLOCK + i] = slope[i] * second + bend * first * first / 2
        slope[2 * BLOCK + i] = bend * (second + (1 - 2 * logistic) * first * first / 2)


@_inner
def _exponential(order, a):  # type: ignore[no-untyped-def]
    """exp of a series, a_0 <= 0, in place."""
    for i in range(BLOCK):
        a[i] = _exp(a[i])
    for i in range(BLOCK if order == 2 else 0):
        a[2 * BLOCK + i] = a[i] * (a[2 * BLOCK + i] + a[BLOCK + i] * a[BLOCK + i] / 2)
    for i in range(BLOCK if order else 0):
        a[BLOCK + i] *= a[i]


@_inner
def _mixture(order, K, raw, T, constants, positive, room, F, slopes):  # type: ignore[no-untyped-def]
    """Series of F at a block, and of its derivatives with respect to the outputs of each network.

    As `zenn.landscape.networks.mixture`. F = -k_B T (ln Z + <own>) with own_k = (S_k / (gamma k_B))^2: each
    exponent moves F by -k_B T p_k (1 + own_k - <own>), each own_k, exponent apart, by -k_B T p_k.
    """
    k_B, inverse_square, energy_scale, entropy_scale = constants
    size = (order + 1) * BLOCK
    thermal, total, mean, largest = room[3][:size], room[4][:size], room[5][:size], room[6]
    one, two = room[7][:size], room[8][:size]
    for i in range(size):
        thermal[i] = k_B * T[i]
    total[:] = 0.0
    mean[:] = 0.0
    largest[:BLOCK] = -math.inf
    for k in range(K):
        at, to = k * size, (K + k) * size
        reduced, own, p = room[0][at : at + size], room[1][at : at + size], room[2][at : at + size]
        _entropy(order, raw[to : to + size], entropy_scale / k_B, positive, reduced, slopes[to : to + size])
        _multiply(order, reduced, reduced, own)
        for i in range(size):
            p[i] = raw[at + i]
        _divide(order, p, thermal)
        for i in range(size):
            own[i] *= inverse_square
            p[i] = reduced[i] - own[i] - energy_scale * p[i]
        for i in range(BLOCK):
            largest[i] = p[i] if p[i] > largest[i] else largest[i]
    for k in range(K):
        p = room[2][k * size : (k + 1) * size]
        for i in range(BLOCK):
            p[i] -= largest[i]
        _exponential(order, p)
        for i in range(size):
            total[i] += p[i]
    for k in range(K):
        own, p = room[1][k * size : (k + 1) * size], room[2][k * size : (k + 1) * size]
        _divide(order, p, total)
        _multiply(order, p, own, one)
        for i in range(size):
            mean[i] += one[i]
    for i in range(size):
        one[i] = -mean[i]
    for i in range(BLOCK):  # ln Z
        one[i] -= math.log(total[i]) + largest[i]
        first = total[BLOCK + i] / total[i] if order else 0.0
        if order:
            one[BLOCK + i] -= first
        if order == 2:
            one[2 * BLOCK + i] -= total[2 * BLOCK + i] / total[i] - first * first / 2
    _multiply(order, thermal, one, F)
    for k in range(K):
        at, to = k * size, (K + k) * size
        reduced, own, p = room[0][at : at + size], room[1][at : at + size], room[2][at : at + size]
        of_energy, of_raw = slopes[at : at + size], slopes[to : to + size]
        for i in range(size):
            own[i] -= mean[i]
        _multiply(order, p, own, of_energy)
        # 1/k_B (1 - 2 r / gamma^2) of the exponent, 2 r / (gamma^2 k_B) of own, r the reduced entropy
        _multiply(order, reduced, of_energy, one)
        for i in range(size):
            of_energy[i] += p[i]
            one[i] = k_B * (2 * inverse_square * one[i] - of_energy[i])
        _multiply(order, T, one, two)
        _multiply(order, two, of_raw, one)
        for i in range(size):
            of_raw[i] = one[i]
            of_energy[i] *= energy_scale


@_entry(types.void(_rows, *_layers, _rows, _row, _rows, *_constants, _array, _row, _row, _rows, _rows, _rows))
def free_energies(networks, widths, inputs, order, start, along, T, constants, positive,  # type: ignore[no-untyped-def]
                  made, signal, raw, room, F, slopes):  # fmt: skip
    """Series of F at all blocks, and what `gradient` takes.

    networks : parameters of the energies, then of the entropies, shape (2 K, size). start : inputs, shape
    (blocks, inputs BLOCK). T : its series, shape (blocks, (order + 1) BLOCK). constants : k_B, 1 / gamma^2,
    scales of energy and entropy. made : (blocks, 2 K, ...). F : shape as T. slopes : of F with respect to the
    outputs, shape (blocks, 2 K (order + 1) BLOCK). Other arrays are room.
    """
    size = (order + 1) * BLOCK
    for block in range(start.shape[0]):
        for n in range(networks.shape[0]):
            output = raw[n * size : (n + 1) * size]
            _forward(networks[n], widths, inputs, order, start[block], along, made[block, n], signal, output)
        K = networks.shape[0] // 2
        _mixture(order, K, raw, T[block], constants, positive, room, F[block], slopes[block])


@_entry(types.void(_rows, _rows, *_layers, _rows, _row, _array, _row, _row, _rows, _rows, _row))
def gradient(networks, gradients, widths, inputs, order, start, along, made,  # type: ignore[no-untyped-def]
             upper, lower, slopes, upstream, down):  # fmt: skip
    """Add to `gradients` those of the sum of upstream times F, after `free_energies`."""
    size = (order + 1) * BLOCK
    for block in range(start.shape[0]):
        for n in range(networks.shape[0]):
            _down(order, slopes[block, n * size : (n + 1) * size], upstream[block], down)
            w, g, x = networks[n], gradients[n], start[block]
            _backward(w, g, widths, inputs, order, x, along, made[block, n], upper, lower, down)


@_entry(numba.float64(_rows, _rows, *_layers, _rows, _row, _rows, _rows, *_constants, _rows, *(7 * [_row])))
def concavity(networks, gradients, widths, inputs, order, start, along, T, weights,  # type: ignore[no-untyped-def]
              constants, positive, made, upper, lower, raw, value, slope, share, down):  # fmt: skip
    """The weighted sum of relu(-d2F_k/dx2); adds its gradient. Arrays as of `free_energies`; order : 2.

    made : (2, ...). T, weights : shape (blocks, BLOCK).
    """
    K = networks.shape[0] // 2
    energy_scale, entropy_scale = constants[2], constants[3]
    total = 0.0
    for k in range(K):
        for block in range(start.shape[0]):
            x = start[block]
            for i in range(2):  # the energy, the entropy
                output = raw[3 * i * BLOCK : 3 * (i + 1) * BLOCK]
                _forward(networks[i * K + k], widths, inputs, order, x, along, made[i], upper, output)
            _entropy(order, raw[3 * BLOCK :], entropy_scale, positive, value, slope)
            concave = False
            for i in range(BLOCK):
                half = energy_scale * raw[2 * BLOCK + i] - T[block, i] * value[2 * BLOCK + i]
                share[i] = 0.0
                if not half >= 0:  # NaN as well
                    concave = True
                    share[i] = -2 * weights[block, i]
                    total += share[i] * half
            if not concave:
                continue
            down[: 2 * BLOCK] = value[: 2 * BLOCK] = 0.0
            for i in range(BLOCK):
                down[2 * BLOCK + i] = energy_scale * share[i]
                value[2 * BLOCK + i] = -T[block, i] * share[i]
            for i in range(2):
                n = i * K + k
                w, g = networks[n], gradients[n]
                _backward(w, g, widths, inputs, order, x, along, made[i], upper, lower, down)
                _down(order, slope, value, down)
    return total
