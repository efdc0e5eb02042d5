"""The public profile of a release: what everybody may see, with small groups hidden so that nothing gives them back.

What belongs here: settings of disclosure control, the choice of hidden cells, the tables of the profile, the attack
that a release must withstand. What does not: full numbers (`official/`) and how a release is made (`opora/release.py`).
"""
