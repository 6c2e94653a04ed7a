"""Recipes for tests: small enough that a whole pipeline takes a minute."""

from pathlib import Path

TINY = str(Path(__file__).with_name("tiny.yaml"))
"""Fractals for pretraining, two other fractals as the target set."""

TINY_OVERRIDES_FROM_SCRATCH = ("pretrain=null",)
