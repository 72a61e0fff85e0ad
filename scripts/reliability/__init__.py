"""The reliability sweep; see docs/reliability.md."""
