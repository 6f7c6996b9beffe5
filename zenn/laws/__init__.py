"""The gas that teaches entropy: dynamics, pictures, the siamese network, the axioms (arXiv paper B).

Names are imported when they are asked for: `import zenn.laws` costs nothing. `zenn.laws.processes` is the
module; `list_processes` is its function.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenn.laws.agreement import (
        Line,
        Pairs,
        line,
        r2_affine,
        r2_identity,
        same_order,
    )
    from zenn.laws.axioms import (
        canonical_entropy,
        consistency,
        extensivity,
        precedes,
        reflexivity,
        scaling_invariance,
        splitting_recombination,
        stability,
        transitivity,
    )
    from zenn.laws.composing import (
        dusted,
        halves,
        joined,
        scaled,
    )
    from zenn.laws.controls import (
        frame_sources,
    )
    from zenn.laws.dynamics import (
        Trajectory,
        advance,
        energy,
        initial_state,
        random_state,
        run_process,
    )
    from zenn.laws.entropies import (
        hard_discs,
        specific_terms,
        van_der_waals,
    )
    from zenn.laws.heat_capacity import (
        Exponent,
        heat_capacity_exponent,
    )
    from zenn.laws.network import (
        Subnetwork,
        augmented,
        later,
        pair_loss,
        table,
    )
    from zenn.laws.ordering import (
        difficulties,
        rightly,
        time_pairs,
    )
    from zenn.laws.pictures import (
        load_pictures,
    )
    from zenn.laws.processes import (
        PAPER,
        SMALL,
        Design,
        Gas,
        Process,
        schedule,
    )
    from zenn.laws.processes import (
        processes as list_processes,
    )
    from zenn.laws.recombination import (
        Recombined,
        split_and_recombine,
    )
    from zenn.laws.rendering import (
        render,
    )
    from zenn.laws.saved_network import (
        load_network,
        save_network,
    )
    from zenn.laws.training import (
        Examples,
        Settings,
        represent,
        scores,
        train,
    )

_HOMES = {
    "agreement": (
        "Line",
        "Pairs",
        "line",
        "r2_affine",
        "r2_identity",
        "same_order",
    ),
    "axioms": (
        "canonical_entropy",
        "consistency",
        "extensivity",
        "precedes",
        "reflexivity",
        "scaling_invariance",
        "splitting_recombination",
        "stability",
        "transitivity",
    ),
    "composing": (
        "dusted",
        "halves",
        "joined",
        "scaled",
    ),
    "controls": ("frame_sources",),
    "dynamics": (
        "Trajectory",
        "advance",
        "energy",
        "initial_state",
        "random_state",
        "run_process",
    ),
    "entropies": (
        "hard_discs",
        "specific_terms",
        "van_der_waals",
    ),
    "heat_capacity": (
        "Exponent",
        "heat_capacity_exponent",
    ),
    "network": (
        "Subnetwork",
        "augmented",
        "later",
        "pair_loss",
        "table",
    ),
    "ordering": (
        "difficulties",
        "rightly",
        "time_pairs",
    ),
    "pictures": ("load_pictures",),
    "processes": (
        "PAPER",
        "SMALL",
        "Design",
        "Gas",
        "Process",
        "schedule",
    ),
    "recombination": (
        "Recombined",
        "split_and_recombine",
    ),
    "rendering": ("render",),
    "saved_network": (
        "load_network",
        "save_network",
    ),
    "training": (
        "Examples",
        "Settings",
        "represent",
        "scores",
        "train",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "PAPER",
    "SMALL",
    "Design",
    "Examples",
    "Exponent",
    "Gas",
    "Line",
    "Pairs",
    "Process",
    "Recombined",
    "Settings",
    "Subnetwork",
    "Trajectory",
    "advance",
    "augmented",
    "canonical_entropy",
    "consistency",
    "difficulties",
    "dusted",
    "energy",
    "extensivity",
    "frame_sources",
    "halves",
    "hard_discs",
    "heat_capacity_exponent",
    "initial_state",
    "joined",
    "later",
    "line",
    "list_processes",
    "load_network",
    "load_pictures",
    "pair_loss",
    "precedes",
    "r2_affine",
    "r2_identity",
    "random_state",
    "reflexivity",
    "render",
    "represent",
    "rightly",
    "run_process",
    "same_order",
    "save_network",
    "scaled",
    "scaling_invariance",
    "schedule",
    "scores",
    "specific_terms",
    "split_and_recombine",
    "splitting_recombination",
    "stability",
    "table",
    "time_pairs",
    "train",
    "transitivity",
    "van_der_waals",
]


def __getattr__(name: str) -> Any:
    """Import the module that has `name` when it is first asked for (PEP 562)."""
    if name == "list_processes":
        return import_module("zenn.laws.processes").processes
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
