"""zenn: reproduce, check and use neural networks built on thermodynamics."""

__version__ = "0.1.0"
