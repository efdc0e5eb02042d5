"""The home folder and the reference facts, as resources of Dagster.

What belongs here: configuration that differs between installations. What does not: connections, which are
opened by the functions of `opora/` for as long as they are needed.
"""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
from pydantic import Field

from opora.home import PROJECT, Home, read_json, write_json
from opora.lock import OWNER, process_mark
from opora.reference import Reference, load_reference

HOME_VARIABLE = "OPORA_HOME"


def default_home() -> Path:
    """The home folder of the environment, else `var/` beside the code."""
    return Path(os.environ.get(HOME_VARIABLE) or PROJECT / "var")


class OporaHome(dg.ConfigurableResource):
    """Where deliveries lie and releases appear; by default what OPORA_HOME names."""

    root: str = Field(default="", description="home folder; empty for what OPORA_HOME names, else var/")

    @property
    def home(self) -> Home:
        return Home((Path(self.root) if self.root else default_home()).resolve())

    def reference(self) -> Reference:
        return load_reference(own_methods=self.home.methods)

    def build_database(self, run_id: str) -> Path:
        """The private build file of one run; its folder is marked as this process's, for a retry is another one."""
        folder = self.home.build / run_id
        if folder.is_dir() and read_json(folder / OWNER) != (mark := process_mark()):
            write_json(folder / OWNER, mark)
        return folder / "opora.duckdb"
