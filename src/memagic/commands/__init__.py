"""One small file per command family: what it accepts, what it calls."""
