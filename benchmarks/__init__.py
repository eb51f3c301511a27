"""Benchmarks of pygenx against the standard library, plain Python and its peers: see run.py."""
