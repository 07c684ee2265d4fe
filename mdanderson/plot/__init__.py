"""The figures of the trade, as functions that read result tables and return matplotlib figures.

Every function takes `Results` (or a `Timeline`), the `criteria` set, a `language` (en, zh) and `dark`, and gives a
`matplotlib.figure.Figure` of its own: nothing is drawn on a current figure and no style of yours is read or changed.
matplotlib is imported when the first figure is made. In a notebook a figure shows itself; `svg` gives it as text.
"""

from mdanderson.plot.agreement_figure import agreement
from mdanderson.plot.export import svg
from mdanderson.plot.kaplan_meier_figure import kaplan_meier
from mdanderson.plot.lesion_course_figure import lesion_course
from mdanderson.plot.response_flow_figure import response_flow
from mdanderson.plot.spider_figure import spider
from mdanderson.plot.swimmer_figure import swimmer
from mdanderson.plot.waterfall_figure import waterfall

__all__ = ["agreement", "kaplan_meier", "lesion_course", "response_flow", "spider", "svg", "swimmer", "waterfall"]
