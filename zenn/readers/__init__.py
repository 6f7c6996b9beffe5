"""Energies, volumes and densities of states from the files of other programs; everything per atom.

Each reader is a module of its own and imports what it needs when it is called: pymatgen is heavy.
"""
