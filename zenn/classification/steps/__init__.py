"""The steps of classification: each reads files, computes, writes files."""
