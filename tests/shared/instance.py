"""A shared instance on this machine: Postgres, code servers, the daemon, web servers.

What belongs here: starting and stopping, by the commands and settings that docs/runbooks/shared-instance.md gives.
What does not: what is asked of it. Nothing of it outlives the `with`, nor the process that opened it.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assets.shared import POOLS
from opora.home import PROJECT
from tests.processes import LOOPBACK, Server, free_port, listens, process, wait_until

EXAMPLE = PROJECT / "docs" / "examples" / "shared-instance"
UP_WITHIN_SECONDS = 600


def postgres_folder() -> Path | None:
    """Where the programmes of a Postgres server lie, if there is one on this machine."""
    found = shutil.which("initdb") or next(iter(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    return Path(found).resolve().parent if found else None


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """A fresh server on loopback; the environment by which the settings of the example find it."""
    programmes, port, owner = postgres_folder(), free_port(), _unprivileged()
    assert programmes is not None
    with tempfile.TemporaryDirectory(prefix="opora-pg-") as name:
        folder = Path(name)
        password = folder / "password"
        password.write_text("only-here")
        if owner:
            for path in (folder, password):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        words = {"cwd": folder, "user": owner.pw_uid if owner else None, "group": owner.pw_gid if owner else None}
        made = [programmes / "initdb", "-D", data, "-U", "opora", "-A", "scram-sha-256", f"--pwfile={password}"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, **words)
        command = [programmes / "postgres", "-D", data, "-p", port, "-k", folder, "-c", f"listen_addresses={LOOPBACK}"]
        with process([str(part) for part in command], folder / "postgres.log", **words) as server:
            wait_until(lambda: listens(port), [server], seconds=UP_WITHIN_SECONDS)
            yield {
                "OPORA_PG_HOST": LOOPBACK,
                "OPORA_PG_PORT": str(port),
                "OPORA_PG_USER": "opora",
                "OPORA_PG_PASSWORD": "only-here",
                "OPORA_PG_DATABASE": "postgres",
            }


@dataclass(frozen=True)
class Shared:
    """A running instance: its folder for `DagsterInstance.from_config`, where its web servers answer, its processes."""

    folder: Path
    writing: str
    reading: str
    servers: tuple[Server, ...]

    def ask(self, query: str, variables: dict[str, Any] | None = None, *, read_only: bool = False) -> dict[str, Any]:
        """A GraphQL query; its data."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(
            f"{self.reading if read_only else self.writing}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        assert "errors" not in said, said["errors"]
        return dict(said["data"])


@contextmanager
def shared_instance(folder: Path, home: Path, environment: dict[str, str]) -> Iterator[Shared]:
    """The processes of the runbook: two code servers, the daemon, a web server, and one that only shows."""
    shutil.copy(EXAMPLE / "dagster.yaml", folder / "dagster.yaml")
    example = yaml.safe_load((EXAMPLE / "workspace.yaml").read_text())
    modules = {"opora": "pipelines.definitions", "waiting": "tests.shared.jobs"}
    ports = {name: free_port() for name in modules}
    servers = [
        {"grpc_server": {**example["load_from"][0]["grpc_server"], "location_name": n, "port": ports[n]}}
        for n in modules
    ]
    workspace = folder / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": servers}))
    settings = {
        **os.environ,
        **environment,
        "DAGSTER_HOME": str(folder),
        "OPORA_HOME": str(home),
        "PYTHONPATH": str(PROJECT),
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "900",  # a machine may be busy with other things for minutes
    }
    programmes = Path(sys.executable).parent
    pages = {"writing": free_port(), "reading": free_port()}
    for pool in POOLS:
        command = [str(programmes / "dagster"), "instance", "concurrency", "set", pool, "1"]
        subprocess.run(command, check=True, cwd=PROJECT, env=settings)
    with ExitStack() as stack:
        servers: list[Server] = []

        def start(name: str, *command: str) -> None:
            full = [str(programmes / command[0]), *command[1:]]
            servers.append(stack.enter_context(process(full, folder / f"{name}.log", cwd=PROJECT, env=settings)))

        for name, module in modules.items():
            start(name, "dagster", "api", "grpc", "-h", LOOPBACK, "-p", str(ports[name]), "-m", module)
        wait_until(lambda: all(map(listens, ports.values())), servers, seconds=UP_WITHIN_SECONDS)
        start("daemon", "dagster-daemon", "run", "-w", str(workspace))
        web = ("dagster-webserver", "-w", str(workspace), "-h", LOOPBACK, "-p")
        start("writing", *web, str(pages["writing"]))
        start("reading", *web, str(pages["reading"]), "--read-only")
        addresses = [f"http://{LOOPBACK}:{pages[name]}" for name in ("writing", "reading")]
        wait_until(lambda: all(map(_answers, addresses)), servers, seconds=UP_WITHIN_SECONDS)
        yield Shared(folder, *addresses, tuple(servers))


def _answers(page: str) -> bool:
    with urllib.request.urlopen(f"{page}/server_info", timeout=5):
        return True


def _unprivileged() -> pwd.struct_passwd | None:
    """Postgres refuses to serve as root: then as somebody who may nothing."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else None
