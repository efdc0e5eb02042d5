"""Thin assets by stage; each calls one function of `opora/`. No formulas."""
