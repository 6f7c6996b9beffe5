"""The page one can read: ledger, figures, tables, parameters and provenance in one self-contained file."""
