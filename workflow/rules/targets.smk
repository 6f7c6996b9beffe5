# What can be asked for: `all`, or one subject.


rule all:
    default_target: True
    input:
        ancient(RUN.paths("materials")),
        page=ancient(RUN.paths("report")),
    params:
        python=RUN.python,
    log:
        "logs/all.log",
    benchmark:
        "logs/all.benchmark.tsv"
    message:
        "everything is made; the page is results/report/index.html"
    threads: 1
    resources:
        gpu=0,
    conda:
        RUN.environment
    shell:
        "exec {params.python} -m zenn.pipeline.report.show {input.page:q} > {log} 2>&1"


rule materials:
    input:
        ancient(RUN.paths("materials")),


rule report:
    input:
        ancient(RUN.paths("report")),
