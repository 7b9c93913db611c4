"""The fast half of Gridgate: measurements in, measurements out, every read decided and logged.

Never imports Django.
"""
