"""Runs of a graph on this machine: where they write, resume, show and end."""
