"""Classification by cross-zentropy: loss, learned temperatures, encoders, data sets, honest evaluation.

Names are imported when they are asked for: `import zenn.classification` costs nothing.
"""
