# Paper A, classification: trainings by model and number of temperatures, evaluations, figures and verdicts.


# Small networks on data made here: all seeds of a training in one job, in one thread.
use rule job as classification_train with:
    output:
        RUN.outputs("classification", "-train"),
    wildcard_constraints:
        subject="classification",
        run=".+(?<!-gpu)-train",
    message:
        "Train a small network ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1500,


# The published models: one job per data set, model, loss, N_T and seed, each on a device of its own.
if RUN.plans("classification", "-gpu-train"):

    use rule job as classification_gpu_train with:
        output:
            RUN.outputs("classification", "-gpu-train"),
        wildcard_constraints:
            subject="classification",
            run=".+-gpu-train",
        message:
            "Train a published model ({wildcards.run})"
        threads: 1
        resources:
            gpu=1,
            mem_mb=16000,


use rule job as classification_evaluation with:
    output:
        RUN.outputs("classification", "-evaluation"),
    wildcard_constraints:
        subject="classification",
        run=".+-evaluation",
    message:
        "Evaluate without labels, and as printed ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=4000,


use rule job as classification_parameter_counts with:
    output:
        RUN.outputs("classification", "parameter-counts"),
    wildcard_constraints:
        subject="classification",
        run="parameter-counts",
    message:
        "Count the parameters of the published models"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1500,


use rule job as classification_cross_entropy_limit with:
    output:
        RUN.outputs("classification", "cross-entropy-limit"),
    wildcard_constraints:
        subject="classification",
        run="cross-entropy-limit",
    message:
        "Compare cross-zentropy with cross-entropy where they are one"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,


use rule job as classification_figures with:
    output:
        RUN.outputs("classification", "figures"),
    wildcard_constraints:
        subject="classification",
        run="figures",
    message:
        "Draw the figures and tables of the classification"
    threads: 1
    resources:
        gpu=0,
        kernels=1,
        mem_mb=1500,


use rule job as classification_claims with:
    output:
        RUN.outputs("classification", "claims"),
    wildcard_constraints:
        subject="classification",
        run="claims",
    message:
        "Decide the claims about classification"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,
