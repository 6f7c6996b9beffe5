"""The claims ledger: what the papers state, what was measured, and whether it holds."""
