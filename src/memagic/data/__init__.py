"""Syntax tree and DataFrame to design: sample, factor variables, collinearity, groups."""
