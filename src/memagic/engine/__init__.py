"""Arrays to estimates: likelihoods, their derivatives, and their maximization. No names, no printing."""
