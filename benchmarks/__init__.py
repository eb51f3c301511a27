"""Benchmarks of pygenx against the stdlib, plain Python and its peers: see run.py."""
