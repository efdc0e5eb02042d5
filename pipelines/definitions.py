"""The code location that `workspace.yaml` loads."""

import dagster as dg

from pipelines.build import build_defs


@dg.definitions
def defs() -> dg.Definitions:
    return build_defs()
