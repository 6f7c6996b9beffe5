"""The gas that teaches entropy: dynamics, pictures, the siamese network, the axioms (arXiv paper B).

Names are imported when they are asked for: `import zenn.laws` costs nothing.
"""
