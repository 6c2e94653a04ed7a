"""Figures as SVG that takes its colours from the page.

Drawn once, they must read on a light and on a dark page, so matplotlib gets
stand-in colours that become CSS variables in the SVG. Figures are 360 pt wide:
about a phone's width, where their text is still legible.
"""

import io

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_CSS = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--first)",
    "#050505": "var(--second)",
    "#060606": "var(--band)",
}
INK, MUTED, LINE, FIRST, SECOND, BAND = _CSS
"""Colours of the page's style sheet."""

STYLE = {
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "effnetv2",
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}
"""For `matplotlib.rc_context`."""

_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def figure(height: float) -> tuple[Figure, Axes]:
    """A figure 5 inches wide and `height` inches high, with its axes."""
    drawn = Figure(figsize=(5.0, height), layout="constrained")
    return drawn, drawn.add_subplot()


def svg(drawn: Figure, title: str) -> Markup:
    """The figure for a page; the title is what a screen reader says."""
    text = io.StringIO()
    drawn.patch.set_visible(False)
    drawn.axes[0].patch.set_visible(False)
    drawn.savefig(text, format="svg", metadata=_NO_METADATA)
    code = text.getvalue()
    code = code[code.index("<svg") :]
    for stand_in, variable in _CSS.items():
        code = code.replace(stand_in, variable)
    # The page gives the width.
    head, rest = code.split(">", 1)
    box = head[head.index("viewBox") :].split('"')[1]
    return Markup(
        '<svg viewBox="{}" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" role="img" aria-label="{}">{}'
    ).format(box, title, Markup(rest))
