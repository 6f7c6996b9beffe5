# The ledger of claims and the page that shows everything.


use rule job as report_ledger with:
    output:
        RUN.outputs("report", "ledger"),
    wildcard_constraints:
        subject="report",
        run="ledger",
    message:
        "Collect the verdicts of all subjects"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


use rule job as report_page with:
    output:
        RUN.outputs("report", "page"),
    wildcard_constraints:
        subject="report",
        run="page",
    message:
        "Write the page"
    threads: 1
    resources:
        gpu=0,
        mem_mb=500,


# The one output without a key in its name: a copy, which `RUN` drops when it is of another page.
rule report_show:
    input:
        page=ancient(RUN.page),
    output:
        RUN.shown_page,
    params:
        python=RUN.python,
    log:
        "logs/report/show.log",
    benchmark:
        "logs/report/show.benchmark.tsv"
    message:
        "Put the page where people look for it"
    threads: 1
    resources:
        gpu=0,
        mem_mb=200,
    conda:
        RUN.environment
    shell:
        "exec {params.python:q} -m zenn.pipeline.report.show {input.page:q} > {log:q} 2>&1"
