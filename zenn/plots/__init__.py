"""Figures: one function per figure, fed from result tables, in one style."""
