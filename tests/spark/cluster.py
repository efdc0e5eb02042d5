"""A Spark standalone cluster on loopback: a master, workers, a session on them.

What belongs here: starting and stopping, with everything in one folder. What does not: what is computed there.
Nothing of it outlives the `with`, nor the process that opened it.
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jinja2
import yaml

from opora.dbt_project import PROJECT_DIR
from tests.processes import LOOPBACK, free_port, process, wait_until

STARTED_WITHIN_SECONDS = 600
# The tables are small: to compile Java for a query, and to plan it again while it runs, costs more than the query.
_SMALL_TABLES = {
    "spark.driver.memory": "2g",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    # a machine may be busy with other things for minutes
    "spark.network.timeout": "900s",
    "spark.executor.heartbeatInterval": "120s",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ansi.enabled": "false",  # dbt-spark sets it so
}


def java() -> str | None:
    """The Java that Spark would run on."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else shutil.which("java")


@contextmanager
def cluster(folder: Path, *, workers: int = 2, memory: str = "1g") -> Iterator[str]:
    """A master and workers of one core each; the address of the master."""
    import pyspark

    spark_class = Path(pyspark.__file__).parent / "bin" / "spark-class"
    port, page = free_port(), free_port()
    settings = {
        **os.environ,
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_HOME": str(spark_class.parents[1]),
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_MASTER_OPTS": "-Dspark.worker.timeout=900",
    }
    master = f"spark://{LOOPBACK}:{port}"
    deploy = "org.apache.spark.deploy"
    node = [str(spark_class), f"{deploy}.worker.Worker", "--host", LOOPBACK, "--cores", "1", "--memory", memory]
    commands = [
        ["--host", LOOPBACK, "--port", str(port), "--webui-port", str(page)],
        *(
            [*node, "--webui-port", str(free_port()), "--work-dir", str(folder / f"work-{n}"), master]
            for n in range(workers)
        ),
    ]
    commands[0] = [str(spark_class), f"{deploy}.master.Master", *commands[0]]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(process(command, folder / f"spark-{number}.log", cwd=folder, env=settings))
            for number, command in enumerate(commands)
        ]
        status = f"http://{LOOPBACK}:{page}/json/"
        wait_until(lambda: _alive_workers(status) == workers, servers, seconds=STARTED_WITHIN_SECONDS)
        yield master


@contextmanager
def session(master: str, folder: Path) -> Iterator[Any]:
    """A session by the profile `spark` of dbt, as dbt itself would open it; dbt in this process joins it."""
    from pyspark.sql import SparkSession

    os.environ.update(profile_environment(master, folder))
    builder = SparkSession.builder
    for name, value in {**profile_settings(), **_SMALL_TABLES}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        spark.sparkContext.setLogLevel("OFF")
        yield spark
    finally:
        spark.stop()


def profile_environment(master: str, folder: Path) -> dict[str, str]:
    """What the profile asks the environment for. The catalogue lives in the session: no metastore is left behind."""
    return {
        "SPARK_LOCAL_IP": LOOPBACK,
        "OPORA_SPARK_MASTER": master,
        "OPORA_SPARK_WAREHOUSE": str(folder / "warehouse"),
        "OPORA_SPARK_CATALOG": "in-memory",
        "OPORA_SPARK_PARTITIONS": "2",
    }


def profile_settings() -> dict[str, str]:
    """The settings of the session in dbt/profiles.yml."""
    template = jinja2.Environment(autoescape=False)
    template.filters["as_number"] = int
    text = template.from_string((PROJECT_DIR / "profiles.yml").read_text()).render(env_var=os.environ.get)
    return dict(yaml.safe_load(text)["opora"]["outputs"]["spark"]["server_side_parameters"])


def _alive_workers(status: str) -> int:
    with urllib.request.urlopen(status, timeout=5) as answer:
        return int(json.load(answer)["aliveworkers"])
