"""The steps of the inverse problem: files in, files out; `python -m zenn.landscape <verb>` runs one."""
