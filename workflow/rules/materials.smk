# Paper A, forward: equations of state, free energy, critical point, their figures and verdicts.


use rule job as materials_eos_round_trip with:
    output:
        RUN.outputs("materials", "-eos-round-trip"),
    wildcard_constraints:
        subject="materials",
        run=".+-eos-round-trip",
    message:
        "Refit the equation of state of every configuration ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


use rule job as materials_critical_point with:
    output:
        RUN.outputs("materials", "-critical-point"),
    wildcard_constraints:
        subject="materials",
        run=".+-critical-point",
    message:
        "Solve for the critical point ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


use rule job as materials_free_energy with:
    output:
        RUN.outputs("materials", "-free-energy"),
    wildcard_constraints:
        subject="materials",
        run=".+-free-energy",
    message:
        "Free energy along isotherms ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


use rule job as materials_phase_diagram with:
    output:
        RUN.outputs("materials", "-phase-diagram"),
    wildcard_constraints:
        subject="materials",
        run=".+-phase-diagram",
    message:
        "Solve the phase diagram ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,


use rule job as materials_configuration_properties with:
    output:
        RUN.outputs("materials", "-configuration-properties"),
    wildcard_constraints:
        subject="materials",
        run=".+-configuration-properties",
    message:
        "Properties of every configuration ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,


use rule job as materials_uncertainty with:
    output:
        RUN.outputs("materials", "-uncertainty"),
    wildcard_constraints:
        subject="materials",
        run=".+-uncertainty",
    message:
        "Propagate the rounding of the table ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,


use rule job as materials_sensitivity with:
    output:
        RUN.outputs("materials", "-sensitivity"),
    wildcard_constraints:
        subject="materials",
        run=".+-sensitivity",
    message:
        "Vary the assumptions of the model ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,


use rule job as materials_figures with:
    output:
        RUN.outputs("materials", "figures"),
    wildcard_constraints:
        subject="materials",
        run="figures",
    message:
        "Draw the figures and tables of the forward Fe3Pt part"
    threads: 1
    resources:
        gpu=0,
        kernels=1,
        mem_mb=1000,


use rule job as materials_claims with:
    output:
        RUN.outputs("materials", "claims"),
    wildcard_constraints:
        subject="materials",
        run="claims",
    message:
        "Decide the forward Fe3Pt claims"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,
