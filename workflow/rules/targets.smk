# What can be asked for: `all`, or one subject.


rule all:
    default_target: True
    input:
        ancient(RUN.paths("materials")),
        ancient(RUN.paths("report")),
        RUN.shown_page,


rule materials:
    input:
        ancient(RUN.paths("materials")),


rule report:
    input:
        ancient(RUN.paths("report")),
