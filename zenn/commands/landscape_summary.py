"""What `zenn landscape` says of its results on standard output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zenn.commands.summary import show_folder, show_table

if TYPE_CHECKING:
    import numpy as np

    from zenn.commands.landscape_critical import Found
    from zenn.landscape import Selection
    from zenn.landscape.minimise import State

__all__ = ["show_fit", "show_folder", "show_found"]


def show_fit(
    configurations: int,
    state: State,
    errors: Mapping[str, np.ndarray],
    selection: Selection | None,
    tolerance: float,
    boltzmann_constant: float,
) -> None:
    """K and why, how far the fit came, and how well it meets the data."""
    if selection is not None and not selection.settled:
        tried = len(selection.scores)
        print(f"K = {configurations}: best of {tried} tried, of which none was enough; see --k-most")
    elif selection is not None and len(selection.scores) > 1:
        enough = f"below {tolerance:.0%} is the gain of the next two, or the error is small enough"
        print(f"K = {configurations}: {enough}")
    print(
        f"{configurations} configuration{'s' * (configurations > 1)}: loss {state.value:.3g} after "
        f"{state.iteration} steps, stopped by {state.reason}"
    )
    rms = float((errors["rms_error"] ** 2).mean() ** 0.5)
    worst = int(errors["largest_error"].argmax())
    print(
        f"F is met to {rms:.3g} (rms), at worst {errors['largest_error'][worst]:.3g} at temperature "
        f"{errors['temperature'][worst]:g}"
    )
    hottest = errors["free_energy_range"][-1] / (boltzmann_constant * errors["temperature"][-1])
    print(
        f"F varies over x by up to {errors['free_energy_range'].max():.3g}, by {hottest:.3g} k_B T at the "
        f"highest temperature {errors['temperature'][-1]:g}"
    )


def show_found(found: Found, pressure: float) -> None:
    """Critical points, solutions of Eq. 19, branches and transition; in words where there is none."""
    if len(found.windows) > 1:
        names = tuple(f"x{i + 1}" for i in range(len(found.windows)))
        title = "stationary points with a zero eigenvalue (Eq. 19)"
        rows = [
            (f"{p.temperature:.6g}", *(f"{x:.5g}" for x in p.x), _rank(p.singular))
            for p in found.zero_eigenvalue
        ]
        show_table(title, ("T", *names, "Jacobian"), rows)
        return
    if found.critical_points:
        rows = [
            (f"{p.temperature:.6g}", f"{p.x:.6g}", f"{-p.slope:.5g}", "yes" if p.fourth > 0 else "no",
             f"{max(map(abs, p.residuals)):.1g}")
            for p in found.critical_points
        ]  # fmt: skip
        names = ("T", "x", "pressure -F_x", "one minimum becomes two", "residual")
        show_table("critical points, F_xx = F_xxx = 0", names, rows)
    else:
        print("no point with F_xx = F_xxx = 0")
    if found.zero_eigenvalue:
        rows = [(f"{p.temperature:.6g}", f"{p.x[0]:.6g}", _rank(p.singular)) for p in found.zero_eigenvalue]
        show_table(f"Eq. 19 at P = {pressure:g}", ("T", "x", "Jacobian"), rows)
    else:
        hint = ": give --pressure, e.g. one of the table above" if found.critical_points else ""
        print(f"no solution of Eq. 19 at P = {pressure:g}{hint}")
    print(f"branches of stationary points at P = {pressure:g}: {len(found.branches)}")
    if found.alike:
        print("where there are two minima they are equally deep, as far as the fit can tell")
    elif found.transition is None:
        print("no temperature at which two minima are equally deep and change places")
    else:
        T, low, high, change = found.transition
        said = f"minima at x = {low:.6g} and {high:.6g} are equally deep at T = {T:.6g}"
        print(f"{said}; the entropy changes by {change:.4g}")


def _rank(singular: bool) -> str:
    """Of Eq. 19: at a pitchfork T* is known to the 2/3 power of what is known of F_x only."""
    return "singular (pitchfork)" if singular else "regular"
