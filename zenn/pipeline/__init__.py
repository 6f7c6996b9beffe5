"""The pipeline: one plan with chained keys, the jobs that carry it out, the ledger and the report."""
