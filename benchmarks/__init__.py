"""Figures beside their floors, measured in one run.

Lives here: what `make bench` prints. Every figure is a ratio to a floor program that does the least a
machine can do for the same result, interleaved with it, so that a noisy machine cancels out.
"""
