"""Verbs of the landscape room."""
