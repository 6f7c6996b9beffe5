# Paper A, inverse: fits to the benchmarks and to Fe3Pt, their comparison, figures and verdicts.


use rule job as landscape_data with:
    output:
        RUN.outputs("landscape", "-data"),
    wildcard_constraints:
        subject="landscape",
        run=".+-data",
    message:
        "Tabulate the free energy to be learned ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


# One job per network: its seeds one after the other, in one thread, from checkpoints when killed.
use rule job as landscape_fit with:
    output:
        RUN.outputs("landscape", "-fit"),
    wildcard_constraints:
        subject="landscape",
        run=".+-fit",
    message:
        "Fit a network ({wildcards.run})"
    threads: 1
    resources:
        gpu=0,
        mem_mb=3000,


use rule job as landscape_benchmark_evaluation with:
    output:
        RUN.outputs("landscape", "benchmark-evaluation"),
    wildcard_constraints:
        subject="landscape",
        run="benchmark-evaluation",
    message:
        "Compare the fits of the one-dimensional benchmark"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,


use rule job as landscape_three_wells_evaluation with:
    output:
        RUN.outputs("landscape", "three-wells-evaluation"),
    wildcard_constraints:
        subject="landscape",
        run="three-wells-evaluation",
    message:
        "Compare the fits of the two-dimensional benchmark"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,


use rule job as landscape_fe3pt_evaluation with:
    output:
        RUN.outputs("landscape", "fe3pt-evaluation"),
    wildcard_constraints:
        subject="landscape",
        run="fe3pt-evaluation",
    message:
        "Critical points and isobars of the fits of Fe3Pt"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,


use rule job as landscape_figures with:
    output:
        RUN.outputs("landscape", "figures"),
    wildcard_constraints:
        subject="landscape",
        run="figures",
    message:
        "Draw the figures and tables of the inverse problem"
    threads: 1
    resources:
        gpu=0,
        kernels=1,
        mem_mb=1500,


use rule job as landscape_claims with:
    output:
        RUN.outputs("landscape", "claims"),
    wildcard_constraints:
        subject="landscape",
        run="claims",
    message:
        "Decide the claims about the inverse problem"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


# The grid that the authors published: planned where landscape.fe3pt.authors_grid is true.
if RUN.plans("landscape", "-authors-grid"):

    # Fetches on the machine of the driver: a computing node may have no network.
    localrules:
        landscape_authors_fetch,

    use rule job as landscape_authors_fetch with:
        output:
            RUN.outputs("landscape", "-authors-fetch"),
        wildcard_constraints:
            subject="landscape",
            run=".+-authors-fetch",
        message:
            "Fetch the authors' grid of Fe3Pt"
        threads: 1
        resources:
            gpu=0,
            mem_mb=500,

    use rule job as landscape_authors_grid with:
        output:
            RUN.outputs("landscape", "-authors-grid"),
        wildcard_constraints:
            subject="landscape",
            run=".+-authors-grid",
        message:
            "Turn the authors' grid of Fe3Pt back into F(V, T)"
        threads: 1
        resources:
            gpu=0,
            mem_mb=500,

    use rule job as landscape_authors_evaluation with:
        output:
            RUN.outputs("landscape", "-authors-evaluation"),
        wildcard_constraints:
            subject="landscape",
            run=".+-authors-evaluation",
        message:
            "Critical points and isobars of the fit of the authors' grid"
        threads: 1
        resources:
            gpu=0,
            mem_mb=2000,
