"""The steps of the gas: each reads files, computes, writes files."""
