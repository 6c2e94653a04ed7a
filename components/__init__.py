"""Doors: each turns one task of the graph into one call of `model_code`.

A component file imports no machine-learning library: kfp ships only the
function's source, and its body imports what it calls inside the runtime image.
For the same reason these files never say `from __future__ import annotations`
(kfp reads the annotations) and their bodies use no name of their module.
"""

from components.conclude import conclude
from components.evaluate import evaluate
from components.fetch_champion import fetch_champion
from components.find_span import find_span
from components.finetune import finetune
from components.gate import gate
from components.ingest import ingest
from components.notify import notify
from components.pretrain import pretrain
from components.promote import promote
from components.register import register
from components.retraining_recipe import retraining_recipe
from components.search_summary import search_summary
from components.search_worker import search_worker
from components.validate import validate
from components.validate_span import validate_span

# In pipeline order.
__all__ = [  # noqa: RUF022
    "ingest",
    "validate",
    "pretrain",
    "finetune",
    "evaluate",
    "gate",
    "register",
    "promote",
    "search_worker",
    "search_summary",
    "find_span",
    "retraining_recipe",
    "validate_span",
    "fetch_champion",
    "conclude",
    "notify",
]
