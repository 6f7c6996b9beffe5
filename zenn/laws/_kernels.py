"""Compiled inner loops of the gas: velocity Verlet for those discs alone that can touch something.

A disc that feels no force for k steps of velocity Verlet moves in a straight line: k steps are one. So time
goes on in windows of some steps. At the start of a window every pair that may come into contact is known
(`_Pairs`, below); those whose straight lines touch, and all that may touch these, are stepped, the others
are moved at once. Trajectories are those of plain stepping up to rounding.

What makes this exact is a bound B on every speed in the window: discs farther apart than 2R + 2BT, T the
window's length, cannot touch in it. B is half as much again as the largest speed before; a window in which a
disc was faster is thrown away and done again with a larger one.

No flag lets the compiler reorder or fuse floating-point operations: the same numbers on every machine.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

ARRIVED, TOO_FAST, ESCAPED = 0, 1, 2
"""How `advance` ended: at its last step; a disc crosses the skin in one step; a disc left the box."""

BOUND = 1.5
"""Of the largest speed at the start of a window: the speed that no disc may exceed in it."""

LASTS = 4
"""Windows that the shorter of the two lists of pairs is made for."""

# nnan and nsz allow vectorised maxima and change no finite number
_compiled: Any = numba.njit(cache=True, error_model="numpy", fastmath={"nnan", "nsz"})


@_compiled
def _cells(x, y, width, height, reach):  # type: ignore[no-untyped-def]
    """Discs sorted into cells at least `reach` wide: columns, rows, first disc of every cell, discs."""
    columns = max(1, int(width / reach))
    rows = max(1, int(height / reach))
    first = np.zeros(columns * rows + 1, np.int32)
    cell = np.empty(x.size, np.int32)
    for i in range(x.size):
        column = min(max(int(x[i] * (columns / width)), 0), columns - 1)
        row = min(max(int(y[i] * (rows / height)), 0), rows - 1)
        cell[i] = row * columns + column
        first[cell[i] + 1] += 1
    for c in range(columns * rows):
        first[c + 1] += first[c]
    free = first[:-1].copy()
    order = np.empty(x.size, np.int32)
    for i in range(x.size):
        order[free[cell[i]]] = i
        free[cell[i]] += 1
    return columns, rows, first, order


@_compiled
def _find_pairs(x, y, width, height, reach, pairs):  # type: ignore[no-untyped-def]
    """All pairs closer than `reach`, each once; gives `pairs` (2, capacity), grown if need be, and their number."""
    columns, rows, first, order = _cells(x, y, width, height, reach)
    found = 0
    for row in range(rows):
        for column in range(columns):
            c = row * columns + column
            right = first[c + 2] if column + 1 < columns else first[c + 1]
            below = above = 0
            if row + 1 < rows:
                below = first[c + columns - (1 if column > 0 else 0)]
                above = first[c + columns + (1 if column + 1 < columns else 0) + 1]
            for k in range(first[c], first[c + 1]):
                i = order[k]
                while found + right - k + above - below > pairs.shape[1]:
                    grown = np.empty((2, 2 * pairs.shape[1]), np.int32)
                    grown[:, :found] = pairs[:, :found]
                    pairs = grown
                for m in range(k + 1, right):
                    j = order[m]
                    pairs[0, found] = i
                    pairs[1, found] = j
                    found += 1 if (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 < reach * reach else 0
                for m in range(below, above):
                    j = order[m]
                    pairs[0, found] = i
                    pairs[1, found] = j
                    found += 1 if (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 < reach * reach else 0
    return pairs, found


@_compiled
def energy_parts(state, width, height, stiffness, radius):  # type: ignore[no-untyped-def]
    """Kinetic energy, and potential energy of Eq. 3 between the discs and with the four walls."""
    x, y = state[0], state[1]
    kinetic = potential = 0.0
    for i in range(x.size):
        kinetic += 0.5 * (state[2, i] ** 2 + state[3, i] ** 2)
        potential += max(radius - x[i], 0.0) ** 2 + max(x[i] - width + radius, 0.0) ** 2
        potential += max(radius - y[i], 0.0) ** 2 + max(y[i] - height + radius, 0.0) ** 2
    pairs, found = _find_pairs(x, y, width, height, 2 * radius, np.empty((2, 4 * x.size + 16), np.int32))
    for q in range(found):
        i, j = pairs[0, q], pairs[1, q]
        potential += (2 * radius - math.sqrt((x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2)) ** 2
    return kinetic, 0.5 * stiffness * potential


@_compiled
def advance(state, width, speed, height, stiffness, radius, dt, steps, window, skin):  # type: ignore[no-untyped-def]
    """Move `state` (4, N: x, y, v_x, v_y) on by `steps` steps, in place.

    The piston starts at `width` and moves at `speed`; `window` and `skin` change nothing but the time it
    takes. Gives how it ended, the work of the piston on the gas, the number of collisions between discs that
    began, the largest speed as part of its bound, and how many windows were done again.
    """
    x, y, vx, vy = state[0], state[1], state[2], state[3]
    count = x.size
    touch = 2 * radius
    far = np.empty((2, 4 * count + 64), np.int32)  # pairs that may touch soon: looked at when `mid` is made
    mid = np.empty((2, 4 * count + 64), np.int32)  # of these, the ones to look at in every window
    near = np.empty((2, 4 * count + 64), np.int32)  # of these, the ones that can touch in this window
    edge = np.empty(count, np.int32)  # discs that may touch a wall while `mid` lasts
    chosen = np.empty(count, np.int32)  # discs to step in this window
    local = np.zeros(count, np.int32)  # their place in it, counted from 1; 0 for all others
    moving = np.empty((6, count))  # x, y, v_x, v_y and force of those to step
    ax, ay, au, aw, fx, fy = moving[0], moving[1], moving[2], moving[3], moving[4], moving[5]
    first = np.empty(4 * count + 64, np.int32)
    second = np.empty(4 * count + 64, np.int32)
    apart = np.empty(4 * count + 64, np.bool_)
    far_count = mid_count = edge_count = 0
    far_slack = mid_slack = -1.0  # how much nearer pairs outside of the lists may still come
    fastest = 0.0
    work = use = 0.0
    collisions = repeated = done = 0
    top = height - radius
    while done < steps:
        if far_slack < 0.0:
            for i in range(count):
                fastest = max(fastest, vx[i] * vx[i] + vy[i] * vy[i])
            fastest = math.sqrt(fastest)
        bound = max(BOUND * fastest, abs(speed))
        if not bound * dt * 2 <= skin:  # NaN as well
            return TOO_FAST, work, collisions, use, repeated
        k = min(window, steps - done)
        if 2 * bound * dt * k > skin:
            k = int(skin / (2 * bound * dt))
        T = k * dt
        start = width + speed * dt * done
        if mid_slack < 2 * bound * T:
            mid_slack = min(LASTS * 2 * bound * T, skin)
            if far_slack < mid_slack:
                fastest = 0.0
                for i in range(count):
                    fastest = max(fastest, vx[i] * vx[i] + vy[i] * vy[i])
                    if not (0 < x[i] < start and 0 < y[i] < height):
                        return ESCAPED, work, collisions, use, repeated
                fastest = math.sqrt(fastest)
                far, far_count = _find_pairs(x, y, start, height, touch + skin, far)
                far_slack = skin
                mid_slack = -1.0
                if far.shape[1] > mid.shape[1]:
                    mid = np.empty_like(far)
                    near = np.empty_like(far)
                    first = np.empty(far.shape[1], np.int32)
                    second = np.empty(far.shape[1], np.int32)
                    apart = np.empty(far.shape[1], np.bool_)
                bound = max(BOUND * fastest, abs(speed))
                continue_with = min(LASTS * 2 * bound * T, skin)
                if 2 * bound * T > skin:
                    continue
                mid_slack = continue_with
            mid_count = 0
            reach = (touch + mid_slack) ** 2
            for q in range(far_count):
                i, j = far[0, q], far[1, q]
                mid[0, mid_count] = i
                mid[1, mid_count] = j
                mid_count += 1 if (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 < reach else 0
            edge_count = 0
            margin = radius + mid_slack  # wall and disc come nearer by 2B at most: the piston is no faster
            for i in range(count):
                edge[edge_count] = i
                inside = (x[i] > margin) & (x[i] < start - margin) & (y[i] > margin) & (y[i] < height - margin)
                edge_count += 0 if inside else 1
        # which pairs can touch in this window, and which do if nothing turns them aside
        reach = (touch + 2 * bound * T) ** 2
        near_count = 0
        for q in range(mid_count):
            i, j = mid[0, q], mid[1, q]
            near[0, near_count] = i
            near[1, near_count] = j
            near_count += 1 if (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 < reach else 0
        stepped = 0
        for q in range(near_count):
            i, j = near[0, q], near[1, q]
            if local[i] and local[j]:
                continue
            dx, dy, du, dw = x[j] - x[i], y[j] - y[i], vx[j] - vx[i], vy[j] - vy[i]
            square, along = dx * dx + dy * dy, dx * du + dy * dw
            if along < 0 and square >= touch * touch:
                rate = du * du + dw * dw
                t = min(-along / rate, T)
                square += t * (2 * along + rate * t)
            if square < touch * touch * (1 + 1e-9):
                for d in (i, j):
                    if not local[d]:
                        chosen[stepped] = d
                        stepped += 1
                        local[d] = stepped
        right = min(start, start + speed * T) - radius
        for e in range(edge_count):
            i = edge[e]
            a, b = x[i] + T * vx[i], y[i] + T * vy[i]
            hit = (min(x[i], a) < radius) | (max(x[i], a) > right) | (min(y[i], b) < radius) | (max(y[i], b) > top)
            if hit and not local[i]:
                chosen[stepped] = i
                stepped += 1
                local[i] = stepped
        # whatever may touch a stepped disc is stepped as well
        grows = stepped > 0
        while grows:
            grows = False
            for q in range(near_count):
                i, j = near[0, q], near[1, q]
                if (local[i] == 0) != (local[j] == 0):
                    d = i if local[i] == 0 else j
                    chosen[stepped] = d
                    stepped += 1
                    local[d] = stepped
                    grows = True
        linked = 0
        for q in range(near_count):
            i, j = near[0, q], near[1, q]
            if local[i]:
                first[linked] = local[i] - 1
                second[linked] = local[j] - 1
                apart[linked] = (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 >= touch * touch
                linked += 1
        for a in range(stepped):
            i = chosen[a]
            ax[a], ay[a], au[a], aw[a] = x[i], y[i], vx[i], vy[i]
            local[i] = 0
        # velocity Verlet; the two half kicks between steps are one
        pushed = 0.0
        began = 0
        square_speed = 0.0
        for step in range(k + 1):
            if step:
                kick = 0.5 * dt if step == 1 else dt
                for a in range(stepped):
                    au[a] += kick * fx[a]
                    aw[a] += kick * fy[a]
                    ax[a] += dt * au[a]
                    ay[a] += dt * aw[a]
                    square_speed = max(square_speed, au[a] * au[a] + aw[a] * aw[a])
            right = start + speed * dt * step - radius
            on_piston = 0.0
            for a in range(stepped):
                overlap = max(ax[a] - right, 0.0)
                on_piston += overlap
                fx[a] = stiffness * (max(radius - ax[a], 0.0) - overlap)
                fy[a] = stiffness * (max(radius - ay[a], 0.0) - max(ay[a] - top, 0.0))
            pushed += on_piston if 0 < step < k else 0.5 * on_piston
            for q in range(linked):
                i, j = first[q], second[q]
                dx, dy = ax[j] - ax[i], ay[j] - ay[i]
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
                else:
                    apart[q] = True
        top_speed = math.sqrt(square_speed)
        if not top_speed <= bound:
            if not math.isfinite(top_speed):
                return TOO_FAST, work, collisions, use, repeated
            fastest = top_speed
            repeated += 1
            continue
        for i in range(count):
            x[i] += T * vx[i]
            y[i] += T * vy[i]
        for a in range(stepped):
            i = chosen[a]
            x[i], y[i] = ax[a], ay[a]
            vx[i], vy[i] = au[a] + 0.5 * dt * fx[a], aw[a] + 0.5 * dt * fy[a]
            top_speed = max(top_speed, math.sqrt(vx[i] * vx[i] + vy[i] * vy[i]))
        use = max(use, top_speed / bound)
        fastest = max(fastest, top_speed)
        nearer = 2 * max(fastest, abs(speed)) * T
        far_slack -= nearer
        mid_slack -= nearer
        work -= stiffness * pushed * speed * dt
        collisions += began
        done += k
    for i in range(count):
        if not (0 < x[i] < width + speed * dt * steps and 0 < y[i] < height):
            return ESCAPED, work, collisions, use, repeated
    return ARRIVED, work, collisions, use, repeated
