"""Everything a person sees: screens, components, templates, styles and scripts. Knows the apps below it; no
app knows it.
"""
