"""Measurements: one file per quantity, pure functions on (voxels, image, geometry)."""
