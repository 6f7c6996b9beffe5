"""The root of the typed parameters."""

from __future__ import annotations

from zenn.pipeline.params.base import Scale, Section, parameter
from zenn.pipeline.params.classification import Classification
from zenn.pipeline.params.landscape import Landscape
from zenn.pipeline.params.laws import Laws
from zenn.pipeline.params.materials import Materials


class Params(Section):
    """All parameters at one scale; the blocks of the other scales are merged away."""

    scale: Scale = parameter("which block of each section overrides its common values", source="choice")
    materials: Materials = parameter("forward model of a solid")
    landscape: Landscape = parameter("inverse problem")
    classification: Classification = parameter("cross-zentropy against cross-entropy")
    laws: Laws = parameter("gas that teaches entropy")


SECTIONS: dict[str, type[Section]] = {
    "materials": Materials,
    "landscape": Landscape,
    "classification": Classification,
    "laws": Laws,
}
