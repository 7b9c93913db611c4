"""Charts as SVG, drawn on the server: from plain numbers to the positions that the components put in
attributes.

Pure: no query, no clock, no request. Only the drawing stretches; texts keep their size. Nothing is smoothed
or interpolated, a missing value is a gap, and dense curves are reduced by minimum and maximum, so that no
peak is ever lost.
"""

from gridgate.portal.kit.charts.bars import Bars, bars
from gridgate.portal.kit.charts.heat_map import HeatMap, heat_map
from gridgate.portal.kit.charts.load_curve import Curve, DaySpan, Limit, LoadCurve, load_curve, series_data
from gridgate.portal.kit.charts.spark import Spark, sparkline
from gridgate.portal.kit.charts.stack import Stack, stack

__all__ = [
    "Bars",
    "Curve",
    "DaySpan",
    "HeatMap",
    "Limit",
    "LoadCurve",
    "Spark",
    "Stack",
    "bars",
    "heat_map",
    "load_curve",
    "series_data",
    "sparkline",
    "stack",
]
