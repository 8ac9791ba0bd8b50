"""Optical knowledge: classes, limits, uncertainty, the expected loss of a plant. Pure: models in, models out."""
