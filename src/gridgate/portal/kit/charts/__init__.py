"""Charts as SVG, drawn on the server: from plain numbers to the positions that the components put in
attributes.

Pure: no query, no clock, no request. Only the drawing stretches; texts keep their size. Nothing is smoothed
or interpolated, a missing value is a gap, and dense curves are reduced by minimum and maximum, so that no
peak is ever lost.
"""
