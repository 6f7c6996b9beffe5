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
