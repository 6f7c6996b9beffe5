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
