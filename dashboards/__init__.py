"""Pages over a release: what people who sign the list look at.

What belongs here: selecting, filtering and showing what a release holds. What does not: calculations that a mart
should hold, and anything that is not in a release.
"""
