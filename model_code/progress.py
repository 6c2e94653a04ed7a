"""How long work tells a person how far it is: plain lines of one logger.

Work says what it does through `logger`; a task calls `show` once, and its lines
reach whoever reads its output, marked apart from the libraries' own messages.
"""

import logging
import sys

MARK = "[effnetv2] "
"""Starts every line of ours in a task's output."""

logger = logging.getLogger("effnetv2.progress")


def show() -> None:
    """Write the lines of `logger` to standard output, and nowhere else."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(f"{MARK}%(message)s"))
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    # kfp's executor gives the root logger a handler that would repeat the line.
    logger.propagate = False
