"""Hostile submissions: each must cost its own trial and nothing else."""
