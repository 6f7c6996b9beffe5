# Paper B: dynamics of the gas, pictures, trainings, axioms, figures and verdicts; each stage a rule of its own.


# Processes run one per thread: as many as there are cores, up to 16 (`--set-threads` says otherwise).
use rule job as laws_snapshots with:
    output:
        RUN.outputs("laws", "snapshots"),
    wildcard_constraints:
        subject="laws",
        run="snapshots",
    message:
        "Simulate the processes of the gas"
    threads: 16
    resources:
        gpu=0,
        mem_mb=8000,


use rule job as laws_twins with:
    output:
        RUN.outputs("laws", "twins"),
    wildcard_constraints:
        subject="laws",
        run="twins",
    message:
        "Simulate the test processes again, from other states of equal energy"
    threads: 16
    resources:
        gpu=0,
        mem_mb=8000,


use rule job as laws_pictures with:
    output:
        RUN.outputs("laws", "pictures"),
    wildcard_constraints:
        subject="laws",
        run="(twin-)?pictures",
    message:
        "Draw what the network sees ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=4000,


use rule job as laws_recombined with:
    output:
        RUN.outputs("laws", "recombined"),
    wildcard_constraints:
        subject="laws",
        run="recombined",
    message:
        "Split states by a wall, and recombine them"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,


# Small pictures: a thread for each training. The paper's: a GPU for each.
if RUN.plans("laws", "-gpu-train"):

    use rule job as laws_gpu_train with:
        output:
            RUN.outputs("laws", "-gpu-train"),
        wildcard_constraints:
            subject="laws",
            run=".+-gpu-train",
        message:
            "Train the siamese network ({wildcards.run})"
        threads: 4
        resources:
            gpu=1,
            mem_mb=32000,

    use rule job as laws_gpu_axioms with:
        output:
            RUN.outputs("laws", "-gpu-axioms"),
        wildcard_constraints:
            subject="laws",
            run=".+-gpu-axioms",
        message:
            "Look at the axioms ({wildcards.run})"
        threads: 4
        resources:
            gpu=1,
            mem_mb=32000,

else:

    use rule job as laws_train with:
        output:
            RUN.outputs("laws", "-train"),
        wildcard_constraints:
            subject="laws",
            run=".+(?<!-gpu)-train",
        message:
            "Train the siamese network ({wildcards.run})"
        threads: 1
        resources:
            gpu=0,
            mem_mb=3000,

    use rule job as laws_axioms with:
        output:
            RUN.outputs("laws", "-axioms"),
        wildcard_constraints:
            subject="laws",
            run=".+(?<!-gpu)-axioms",
        message:
            "Look at the axioms ({wildcards.run})"
        threads: 1
        resources:
            gpu=0,
            mem_mb=3000,


use rule job as laws_examples with:
    output:
        RUN.outputs("laws", "examples"),
    wildcard_constraints:
        subject="laws",
        run="examples",
    message:
        "Take example pictures"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,


use rule job as laws_design with:
    output:
        RUN.outputs("laws", "design"),
    wildcard_constraints:
        subject="laws",
        run="design",
    message:
        "List the paper's processes"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


use rule job as laws_summary with:
    output:
        RUN.outputs("laws", "summary"),
    wildcard_constraints:
        subject="laws",
        run="summary",
    message:
        "Put the metrics of all seeds together"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


use rule job as laws_figures with:
    output:
        RUN.outputs("laws", "figures"),
    wildcard_constraints:
        subject="laws",
        run="figures",
    message:
        "Draw the figures and tables of the gas"
    threads: 1
    resources:
        gpu=0,
        kernels=1,
        mem_mb=2000,


use rule job as laws_claims with:
    output:
        RUN.outputs("laws", "claims"),
    wildcard_constraints:
        subject="laws",
        run="claims",
    message:
        "Decide the claims about the gas"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,
