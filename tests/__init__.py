"""Tests, which mirror the package. A package itself: some distributions install one of this name, too."""
