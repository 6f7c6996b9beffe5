"""The section `classification`: cross-zentropy and cross-entropy."""

from __future__ import annotations

from zenn.pipeline.params.base import PositiveWindow, Real, Section, ZentropyConstants, parameter
from zenn.pipeline.params.classification_runs import (
    Counts,
    Presets,
    Published,
    Seeds,
    StandIns,
)
from zenn.pipeline.params.classification_tables import TrainingByData


class Classification(Section):
    """Cross-zentropy against cross-entropy."""

    zentropy: ZentropyConstants = parameter(
        "constants of the probability", source="Table S2, row 'Classification'"
    )
    training: TrainingByData = parameter("fine-tuning", source="Tables S3-S8")
    seeds: Seeds = parameter(
        "of the trainings; differences are taken seed by seed", unit="1", source="choice"
    )
    temperature_counts: Counts = parameter(
        "N_T of the trainings with preset `paper`", unit="temperatures", source="Fig. 2: 1 to 5"
    )
    initial_temperatures: PositiveWindow = parameter(
        "where T_2 and T_N_T begin, the others between them in geometric steps; T_1 is 1 and stays",
        unit="1",
        source="choice: not printed",
    )
    presets: Presets = parameter("ways of training a cross-zentropy")
    label_smoothing: Real = parameter(
        "label smoothing of the control of that name", unit="1", source="choice", gt=0, lt=1
    )
    stand_ins: StandIns = parameter("what needs neither download nor GPU", source="choice")
    published: Published = parameter("what the paper trains", source="choice")
