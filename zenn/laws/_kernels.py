"""Compiled inner loops of the gas: velocity Verlet for those discs alone that touch something.

A disc that feels no force for k steps of velocity Verlet moves in a straight line: k steps are one. So time
goes on in windows of k steps, and a calendar says, for every window, which pairs of discs then come into
contact if nothing turns them aside, and which discs then reach a wall or another cell of the grid on which
neighbours are looked up. In a window, the discs in contact are stepped together with all that may touch
them; of these alone the calendar is then brought up to date. All other discs are not even looked at: their
place is known from where they were last. Trajectories are those of plain stepping up to rounding.

What makes this exact is a bound B on every speed in a window of time T: discs farther apart than 2R + 2BT
cannot touch in it, and a disc is in the cell that it is listed in, or within 2BT of it; so discs whose cells
do not touch cannot touch while the side of a cell is at least 2R + 6BT. B is half as much again as the
largest speed so far; a window in which a disc was faster is thrown away and done again with a larger B.

No flag lets the compiler reorder or fuse floating-point operations: the same numbers on every machine.
Compiled functions carry no types, numba infers them: each is told to mypy as untyped.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

ARRIVED, TOO_FAST, ESCAPED, FULL = 0, 1, 2, 3
"""How `advance` ended: at its last step; a disc too fast for windows of one step; a disc left the box."""

BOUND = 1.5
"""Of the largest speed so far: the speed that no disc may exceed in the next window."""

BUCKETS = 512
"""Windows that the calendar goes ahead; a power of two."""

LONGEST = 1000
"""Steps of a window at most, for a gas at rest."""

_END, _STILL = -1, -2
_X, _Y, _VX, _VY, _WHEN = range(5)
_FREE, _FULL = 0, 1

# nnan and nsz allow vectorised maxima and change no finite number
_options: Any = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"nnan", "nsz"}}
_compiled: Any = numba.njit(**_options)
# counting references to arrays takes as long as the arithmetic; without it a function may not allocate
_inner: Any = numba.njit(**{**_options, "_nrt": False})


@_compiled
def energy_parts(state, width, height, stiffness, radius):  # type: ignore[no-untyped-def]
    """Kinetic energy, and potential energy of Eq. 3 between the discs and with the four walls."""
    x, y = state[0], state[1]
    columns = max(1, int(width / (2 * radius)))
    rows = max(1, int(height / (2 * radius)))
    first = np.full(columns * rows, _END, np.int32)
    following = np.full(x.size, _END, np.int32)
    kinetic = potential = 0.0
    for i in range(x.size):
        kinetic += 0.5 * (state[2, i] ** 2 + state[3, i] ** 2)
        potential += max(radius - x[i], 0.0) ** 2 + max(x[i] - width + radius, 0.0) ** 2
        potential += max(radius - y[i], 0.0) ** 2 + max(y[i] - height + radius, 0.0) ** 2
        column = min(max(int(x[i] * (columns / width)), 0), columns - 1)
        row = min(max(int(y[i] * (rows / height)), 0), rows - 1)
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            for c in range(max(column - 1, 0), min(column + 2, columns)):
                j = first[r * columns + c]
                while j != _END:
                    apart = math.sqrt((x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2)
                    potential += max(2 * radius - apart, 0.0) ** 2
                    j = following[j]
        following[i] = first[row * columns + column]
        first[row * columns + column] = i
    return kinetic, 0.5 * stiffness * potential


@_inner
def _write(first, entries, marks, bucket, i, j, stamp):  # type: ignore[no-untyped-def]
    """Enter a pair, or one disc (j = _END), into the calendar; marks it as full where it is."""
    free = marks[_FREE]
    if free == _END:
        marks[_FULL] = 1
        return
    marks[_FREE] = entries[free, 3]
    entries[free, 0] = i
    entries[free, 1] = j
    entries[free, 2] = stamp
    entries[free, 3] = first[bucket]
    first[bucket] = free


@_inner
def _put(cells, links, places, i, cell):  # type: ignore[no-untyped-def]
    """Move disc i to another cell of the grid."""
    before, after = links[i, 0], links[i, 1]
    if before != _END:
        links[before, 1] = after
    elif places[i] != _END:
        cells[places[i]] = after
    if after != _END:
        links[after, 0] = before
    links[i, 0] = _END
    links[i, 1] = cells[cell]
    if cells[cell] != _END:
        links[cells[cell], 0] = i
    cells[cell] = i
    places[i] = cell


@_inner
def _look(i, window, T, discs, cells, links, places, columns, side, piston,  # type: ignore[no-untyped-def]
          speed, height, radius, local, first, entries, marks, stamps, looked, left, soonest):  # fmt: skip
    """Enter into the calendar what disc i, known at the start of `window`, comes to in a straight line.

    Pairs with discs of `local` above that of i are left to these. `left` : the cell from which it came in a
    straight line, whose neighbours it was seen with already. `soonest` : window of its own entry at the
    earliest.
    """
    x, y, vx, vy = discs[i, _X], discs[i, _Y], discs[i, _VX], discs[i, _VY]
    square_touch = 4 * radius * radius
    cell = places[i]
    row, column = cell // columns, cell % columns
    rows = cells.size // columns
    last = (BUCKETS - 1) * T
    left_row, left_column = -9, -9
    if left == _END or window - looked[i] >= BUCKETS // 4:
        looked[i] = window
    else:
        left_row, left_column = left // columns, left % columns
    own = (looked[i] + BUCKETS // 2 - window) * T
    for r in range(max(row - 1, 0), min(row + 2, rows)):
        for c in range(max(column - 1, 0), min(column + 2, columns)):
            if abs(r - left_row) <= 1 and abs(c - left_column) <= 1:
                continue
            j = cells[r * columns + c]
            while j != _END:
                if j != i and not local[j] > local[i]:
                    past = T * (window - discs[j, _WHEN])
                    du, dw = discs[j, _VX] - vx, discs[j, _VY] - vy
                    dx = discs[j, _X] + discs[j, _VX] * past - x
                    dy = discs[j, _Y] + discs[j, _VY] * past - y
                    along = dx * du + dy * dw
                    gap = dx * dx + dy * dy - square_touch * (1 + 1e-9)
                    if gap <= 0:
                        _write(first, entries, marks, window & (BUCKETS - 1), i, j, 0)
                    elif along < 0:
                        root = along * along - (du * du + dw * dw) * gap
                        if root > 0:
                            t = gap / (math.sqrt(root) - along)
                            if t < last:
                                _write(first, entries, marks, (window + int(t / T)) & (BUCKETS - 1), i, j, 0)
                j = links[j, 1]
    # walls, and the borders of the cell where there is one on the other side
    if vx < 0:
        own = min(own, (radius - x) / vx)
        if column > 0:
            own = min(own, (column * side - x) / vx)
    elif vx > 0 and column + 1 < columns:
        own = min(own, ((column + 1) * side - x) / vx)
    if vx > speed:
        own = min(own, (piston + speed * T * window - radius - x) / (vx - speed))
    if vy < 0:
        own = min(own, (radius - y) / vy)
        if row > 0:
            own = min(own, (row * side - y) / vy)
    elif vy > 0:
        own = min(own, (height - radius - y) / vy)
        if row + 1 < rows:
            own = min(own, ((row + 1) * side - y) / vy)
    if x < radius or x > piston + speed * T * window - radius or y < radius or y > height - radius:
        own = 0.0
    stamps[i] += 1
    bucket = max(window + int(max(own, 0.0) / T), soonest) & (BUCKETS - 1)
    _write(first, entries, marks, bucket, i, _END, stamps[i])


@_inner
def _cell(x, y, side, columns, rows):  # type: ignore[no-untyped-def]
    """The cell of a place; of one outside of the grid, the nearest."""
    column = min(max(int(x / side), 0), columns - 1)
    row = min(max(int(y / side), 0), rows - 1)
    return row * columns + column


@_inner
def _step(moving, stepped, linked, first, second, apart, felt, steps, start,  # type: ignore[no-untyped-def]
          speed, height, stiffness, radius, dt):  # fmt: skip
    """Velocity Verlet of the chosen discs; the two half kicks between steps are one.

    Gives the impulse of the gas on the piston per stiffness and time step, the contacts that began, and the
    square of the largest speed.
    """
    x, y, vx, vy, fx, fy = moving[0], moving[1], moving[2], moving[3], moving[4], moving[5]
    touch, top = 2 * radius, height - radius
    pushed = fastest = 0.0
    began = 0
    for a in range(stepped):
        fx[a] = fy[a] = 0.0
    for step in range(steps + 1):
        kick = 0.0 if step == 0 else (0.5 * dt if step == 1 else dt)
        drift = dt if step else 0.0
        right = start + speed * dt * step - radius
        on_piston = 0.0
        for a in range(stepped):
            u, w = vx[a] + kick * fx[a], vy[a] + kick * fy[a]
            p, q = x[a] + drift * u, y[a] + drift * w
            fastest = max(fastest, u * u + w * w)
            overlap = max(p - right, 0.0)
            on_piston += overlap
            fx[a] = stiffness * (max(radius - p, 0.0) - overlap)
            fy[a] = stiffness * (max(radius - q, 0.0) - max(q - top, 0.0))
            vx[a], vy[a], x[a], y[a] = u, w, p, q
        pushed += on_piston if 0 < step < steps else 0.5 * on_piston
        for q in range(linked):
            i, j = first[q], second[q]
            dx, dy = x[j] - x[i], y[j] - y[i]
            square = dx * dx + dy * dy
            if square < touch * touch:
                distance = math.sqrt(square)
                force = stiffness * (touch - distance) / distance
                fx[i] -= force * dx
                fy[i] -= force * dy
                fx[j] += force * dx
                fy[j] += force * dy
                began += apart[q]
                apart[q] = False
                felt[i] = felt[j] = True
            else:
                apart[q] = True
    for a in range(stepped):
        vx[a] += 0.5 * dt * fx[a]
        vy[a] += 0.5 * dt * fy[a]
        fastest = max(fastest, vx[a] * vx[a] + vy[a] * vy[a])
    return pushed, began, fastest


@_compiled
def advance(state, width, speed, height, stiffness, radius, dt, steps, reach, crowd):  # type: ignore[no-untyped-def]
    """Move `state` (4, N: x, y, v_x, v_y) on by `steps` steps, in place.

    The piston starts at `width` and moves at `speed`. `reach` (2BT at most, in units of the radius) and
    `crowd` (discs in a cell, about) change nothing but the time it takes. Gives how it ended and `found`:
    work of the piston on the gas, collisions between discs that began, the largest speed as part of its
    bound, windows that were done again, steps done.
    """
    count = state.shape[1]
    widest = max(width, width + speed * dt * steps)
    side = max((2 + 4 * reach) * radius, math.sqrt(crowd * widest * height / count))
    columns, rows = max(1, int(widest / side)), max(1, int(height / side))
    side = max(widest / columns, height / rows)
    cells = np.empty(columns * rows, np.int32)
    links = np.empty((count, 2), np.int32)
    numbers = np.empty((5, count), np.int32)
    discs = np.empty((count, 8))
    moving = np.empty((6, count))
    felt = np.empty(count, np.bool_)
    pairs = np.empty((2, 16 * count + 64), np.int32)
    apart = np.empty(16 * count + 64, np.bool_)
    first = np.empty(BUCKETS, np.int32)
    marks = np.empty(2, np.int32)
    found = np.zeros(5)
    size = 8 * count + 64
    while True:
        entries = np.empty((size, 4), np.int32)
        ended = _run(state, width, speed, height, stiffness, radius, dt, steps, reach, side, columns, rows,
                     cells, links, numbers, discs, moving, felt, pairs, apart, first, entries, marks,
                     found)  # fmt: skip
        if ended != FULL:
            return ended, found
        size *= 2


@_inner
def _run(state, width, speed, height, stiffness, radius, dt, steps, reach,  # type: ignore[no-untyped-def]
         side, columns, rows, cells, links, numbers, discs, moving, felt, pairs, apart, first, entries, marks,
         found):  # fmt: skip
    """`advance`, in the arrays that it is given; goes on where it ended when the calendar was full."""
    count = state.shape[1]
    touch = 2 * radius
    places, stamps, local, chosen, looked = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    one, other = pairs[0], pairs[1]
    stamps[:] = 0
    fastest = 0.0
    done = int(found[4])
    while done < steps:
        # a new calendar: at the start, after a disc was faster than the bound
        for i in range(count):
            fastest = max(fastest, math.sqrt(state[2, i] ** 2 + state[3, i] ** 2))
        bound = max(BOUND * fastest, abs(speed), reach * radius / (2 * dt * LONGEST))
        if not 2 * bound * dt <= reach * radius:  # NaN as well
            return TOO_FAST
        k = min(steps - done, int(reach * radius / (2 * bound * dt)))
        T = k * dt
        piston = width + speed * dt * done
        first[:] = _END
        cells[:] = _END
        places[:] = _END
        links[:] = _END
        for e in range(entries.shape[0]):
            entries[e, 3] = e + 1
        entries[entries.shape[0] - 1, 3] = _END
        marks[:] = 0
        for i in range(count):
            if not (0 < state[0, i] < piston and 0 < state[1, i] < height):
                return ESCAPED
            discs[i, _X], discs[i, _Y], discs[i, _VX], discs[i, _VY] = state[:, i]
            discs[i, _WHEN] = 0.0
            _put(cells, links, places, i, _cell(state[0, i], state[1, i], side, columns, rows))
            local[i] = count - i  # each pair once
        for i in range(count):
            _look(i, 0, T, discs, cells, links, places, columns, side, piston, speed, height, radius, local,
                  first, entries, marks, stamps, looked, _END, 0)  # fmt: skip
        local[:] = 0
        window = 0
        begun = done
        while done < steps and not marks[_FULL]:
            span = min(k, steps - done)
            S = span * dt
            start = piston + speed * T * window
            stepped = 0
            bucket = window & (BUCKETS - 1)
            while first[bucket] != _END:
                e = first[bucket]
                i, j, stamp = entries[e, 0], entries[e, 1], entries[e, 2]
                first[bucket] = entries[e, 3]
                entries[e, 3] = marks[_FREE]
                marks[_FREE] = e
                if j < 0:
                    if stamp != stamps[i] or local[i]:
                        continue
                    past = T * (window - discs[i, _WHEN])
                    discs[i, _X] += discs[i, _VX] * past
                    discs[i, _Y] += discs[i, _VY] * past
                    discs[i, _WHEN] = window
                    x, y = discs[i, _X], discs[i, _Y]
                    p, q = x + S * discs[i, _VX], y + S * discs[i, _VY]
                    right = min(start, start + speed * S) - radius
                    hit = min(x, p) < radius or max(x, p) > right
                    if j == _STILL or hit or min(y, q) < radius or max(y, q) > height - radius:
                        chosen[stepped] = i
                        stepped += 1
                        local[i] = stepped
                    else:
                        cell = _cell(x + T * discs[i, _VX], y + T * discs[i, _VY], side, columns, rows)
                        before = places[i]
                        if cell != before:
                            _put(cells, links, places, i, cell)
                        _look(i, window, T, discs, cells, links, places, columns, side, piston, speed,
                              height, radius, local, first, entries, marks, stamps, looked, before,
                              window + 1)  # fmt: skip
                    continue
                if local[i] and local[j]:
                    continue
                for d in (i, j):
                    past = T * (window - discs[d, _WHEN])
                    discs[d, _X] += discs[d, _VX] * past
                    discs[d, _Y] += discs[d, _VY] * past
                    discs[d, _WHEN] = window
                dx, dy = discs[j, _X] - discs[i, _X], discs[j, _Y] - discs[i, _Y]
                du, dw = discs[j, _VX] - discs[i, _VX], discs[j, _VY] - discs[i, _VY]
                square, along = dx * dx + dy * dy, dx * du + dy * dw
                if along < 0 and square >= touch * touch:
                    t = min(-along / (du * du + dw * dw), S)
                    square += t * (2 * along + (du * du + dw * dw) * t)
                if square < touch * touch * (1 + 1e-9):
                    for d in (i, j):
                        if not local[d]:
                            chosen[stepped] = d
                            stepped += 1
                            local[d] = stepped
            if marks[_FULL]:
                break
            seeds = stepped
            pushed, began, square = 0.0, 0, 0.0
            while seeds:
                # what may touch these is stepped with them, and joins them where it did
                limit = (touch + 2 * bound * S) ** 2
                linked = 0
                stepped = seeds
                for a in range(seeds):
                    i = chosen[a]
                    x, y = discs[i, _X], discs[i, _Y]
                    row, column = places[i] // columns, places[i] % columns
                    for r in range(max(row - 1, 0), min(row + 2, rows)):
                        for c in range(max(column - 1, 0), min(column + 2, columns)):
                            j = cells[r * columns + c]
                            while j != _END:
                                if local[j] == 0 or local[j] > a + 1:
                                    past = T * (window - discs[j, _WHEN])
                                    p = discs[j, _X] + discs[j, _VX] * past
                                    q = discs[j, _Y] + discs[j, _VY] * past
                                    square = (p - x) ** 2 + (q - y) ** 2
                                    if square < limit:
                                        if local[j] == 0:
                                            chosen[stepped] = j
                                            moving[0, stepped], moving[1, stepped] = p, q
                                            stepped += 1
                                            local[j] = stepped
                                        one[linked], other[linked] = a, local[j] - 1
                                        apart[linked] = square >= touch * touch
                                        linked += 1
                                j = links[j, 1]
                for a in range(stepped):
                    i = chosen[a]
                    if a < seeds:
                        moving[0, a], moving[1, a] = discs[i, _X], discs[i, _Y]
                    moving[2, a], moving[3, a] = discs[i, _VX], discs[i, _VY]
                    felt[a] = False
                pushed, began, square = _step(moving, stepped, linked, one, other, apart, felt, span, start,
                                              speed, height, stiffness, radius, dt)  # fmt: skip
                joined = seeds
                for a in range(seeds, stepped):
                    i = chosen[a]
                    local[i] = 0
                    if felt[a]:
                        past = T * (window - discs[i, _WHEN])
                        discs[i, _X] += discs[i, _VX] * past
                        discs[i, _Y] += discs[i, _VY] * past
                        discs[i, _WHEN] = window
                        chosen[a] = chosen[joined]
                        chosen[joined] = i
                        joined += 1
                        local[i] = joined
                if joined == seeds:
                    break
                seeds = joined
            if seeds:
                top = math.sqrt(square)
                if not top <= bound:
                    if not math.isfinite(top):
                        return TOO_FAST
                    fastest = top
                    found[3] += 1
                    break
                found[2] = max(found[2], top / bound)
                found[0] -= stiffness * pushed * speed * dt
                found[1] += began
                for a in range(seeds):
                    i = chosen[a]
                    discs[i, _X], discs[i, _Y] = moving[0, a], moving[1, a]
                    discs[i, _VX], discs[i, _VY] = moving[2, a], moving[3, a]
                    discs[i, _WHEN] = window + 1
                    cell = _cell(moving[0, a], moving[1, a], side, columns, rows)
                    if cell != places[i]:
                        _put(cells, links, places, i, cell)
                for a in range(seeds):
                    i = chosen[a]
                    if moving[4, a] != 0 or moving[5, a] != 0:  # in contact: stepped again, looked at then
                        stamps[i] += 1
                        _write(first, entries, marks, (window + 1) & (BUCKETS - 1), i, _STILL, stamps[i])
                        continue
                    _look(i, window + 1, T, discs, cells, links, places, columns, side, piston, speed,
                          height, radius, local, first, entries, marks, stamps, looked, _END,
                          window + 1)  # fmt: skip
                for a in range(seeds):
                    local[chosen[a]] = 0
            window += 1
            done += span
        for i in range(count):
            local[i] = 0
            past = dt * (done - begun) - T * discs[i, _WHEN]
            if discs[i, _WHEN] * k > done - begun:  # stepped in a last window that was shorter
                past = 0.0
            state[0, i] = discs[i, _X] + discs[i, _VX] * past
            state[1, i] = discs[i, _Y] + discs[i, _VY] * past
            state[2, i], state[3, i] = discs[i, _VX], discs[i, _VY]
        found[4] = done
        if marks[_FULL]:
            return FULL
    for i in range(count):
        if not (0 < state[0, i] < width + speed * dt * steps and 0 < state[1, i] < height):
            return ESCAPED
    return ARRIVED
