"""Networks that recover energies, entropies and critical points from an energy landscape."""
