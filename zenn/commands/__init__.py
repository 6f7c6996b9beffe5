"""The user's verbs: `zenn <subject> <verb>` reads a user's files and writes a folder of results.

Nothing heavy is imported before a verb runs: `zenn --help` is quick.
"""
