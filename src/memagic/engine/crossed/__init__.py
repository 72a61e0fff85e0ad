"""Crossed random effects: likelihoods over sparse systems of any number of levels."""
