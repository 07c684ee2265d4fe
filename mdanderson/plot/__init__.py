"""The figures of the trade, as functions that read result tables and return matplotlib figures.

Every function takes `Results` (or a `Timeline`), the `criteria` set, a `language` (en, zh) and `dark`, and gives a
`matplotlib.figure.Figure` of its own: nothing is drawn on a current figure and no style of yours is read or changed.
matplotlib is imported when the first figure is made. In a notebook a figure shows itself; `svg` gives it as text.
"""

from mdanderson.plot.agreements import agreement
from mdanderson.plot.canvas import svg
from mdanderson.plot.changes import waterfall
from mdanderson.plot.courses import spider
from mdanderson.plot.flows import response_flow
from mdanderson.plot.lesions import lesion_course
from mdanderson.plot.survival import kaplan_meier
from mdanderson.plot.time_on_study import swimmer

__all__ = ["agreement", "kaplan_meier", "lesion_course", "response_flow", "spider", "svg", "swimmer", "waterfall"]
