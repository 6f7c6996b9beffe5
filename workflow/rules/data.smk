# Data sets of the classification: made from a seed, or fetched, verified and split. The files of one run are
# not those of the next, so the record, which appears together with them, stands for all.
if RUN.plans("data", "-fetch"):

    # Fetches on the machine of the driver: a computing node may have no network.
    localrules:
        data_fetch,

    use rule job as data_fetch with:
        wildcard_constraints:
            subject="data",
            run=".+-fetch",
        message:
            "Fetch and verify ({wildcards.run})"
        threads: 1
        resources:
            gpu=0,
            mem_mb=500,


use rule job as data_prepare with:
    wildcard_constraints:
        subject="data",
        run=".+(?<!-fetch)",
    message:
        "Prepare the data set {wildcards.run}"
    threads: 1
    resources:
        gpu=0,
        mem_mb=4000,
