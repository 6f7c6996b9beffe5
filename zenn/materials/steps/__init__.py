"""Verbs of the materials room: each module's `run(params, inputs, out)` reads files and writes results."""
