"""Reads every body that the catalog names, and holds it and the catalog against what was acknowledged."""
