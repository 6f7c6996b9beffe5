"""Where data sets come from: published archives, made ones, and a user's own files."""
