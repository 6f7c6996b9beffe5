"""zenn: the order of work. What has to run is decided by the keys of `zenn.pipeline.plan`.

    snakemake --cores 8 --resources gpu=8 -- all
"""
from zenn.pipeline.workflow import begin

RUN = begin(workflow, config)


wildcard_constraints:
    key="[0-9a-f]{16}",


# What can be asked for: everything, or one subject. Without a message Snakemake lists every input.
rule all:
    input:
        ancient(RUN.paths("materials")),
        ancient(RUN.paths("landscape")),
        ancient(RUN.paths("data")),
        ancient(RUN.paths("classification")),
        ancient(RUN.paths("laws")),
        ancient(RUN.paths("report")),
        RUN.shown_page,
    message:
        "Everything is made"


rule materials:
    input:
        ancient(RUN.paths("materials")),
    message:
        "All of materials is made"


rule landscape:
    input:
        ancient(RUN.paths("landscape")),
    message:
        "All of landscape is made"


rule data:
    input:
        ancient(RUN.paths("data")),
    message:
        "All of data is made"


rule classification:
    input:
        ancient(RUN.paths("classification")),
    message:
        "All of classification is made"


rule laws:
    input:
        ancient(RUN.paths("laws")),
    message:
        "All of laws is made"


rule report:
    input:
        ancient(RUN.paths("report")),
    message:
        "All of report is made"


# Every job is this one; the rules of the subjects inherit it and add outputs, message and resources.
# Inputs are `ancient`: the key in a folder's name decides, never a time stamp. `exec` makes the job the
# child of the driver, so that it ends when the driver is killed.
rule job:
    input:
        RUN.inputs,
    output:
        "results/{subject}/{run}/{key}/record.json",
    params:
        python=RUN.python,
        order=RUN.order,  # a file: the plan's word for word
    wildcard_constraints:
        subject="(?!)",  # abstract: nothing asks for it
    log:
        "logs/{subject}/{run}/{key}.log",
    benchmark:
        "logs/{subject}/{run}/{key}.benchmark.tsv"
    message:
        "{wildcards.subject}: {wildcards.run}"
    threads: 1
    priority: RUN.priority
    resources:
        gpu=0,
    conda:
        RUN.environment
    shell:
        "exec {params.python:q} -m zenn.pipeline.job {params.order:q} {resources.gpu} {threads} > {log:q} 2>&1"


include: "workflow/rules/materials.smk"
include: "workflow/rules/landscape.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/classification.smk"
include: "workflow/rules/laws.smk"
include: "workflow/rules/report.smk"
