"""Stage five: documents of the release, and who reads the marts beside them.

Belongs here: sets of documents as assets, exposures of dbt as assets that nothing here makes. Does not belong here:
what documents say. They are made by a job of their own: the run that publishes a release does not wait for them.
"""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import yaml
from pydantic import Field

from assets.release import RELEASE
from assets.shared import OWNERS
from opora.dbt_project import PROJECT_DIR
from opora.documents.kinds import make
from opora.documents.model import Document
from opora.documents.output import write_set
from opora.documents.reader import Marts
from opora.documents.sets import SETS, DocumentSet
from opora.release import require_release
from opora.safe_text import safe_markdown
from resources.home import OporaHome

DOCUMENTS, PAGES = "documents", "pages"
_LINKS_SHOWN = 50
_ROWS_SHOWN = 15


class DocumentsConfig(dg.Config):
    """Of whom notes of schools are made."""

    everything: bool = Field(default=False, description="notes of all schools, not only of those listed or at risk")


def build_document_assets() -> list[dg.AssetsDefinition]:
    """An asset for each set of documents of a release."""
    return [_set_asset(item) for item in SETS]


def _set_asset(item: DocumentSet) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey([DOCUMENTS, item.name]),
        deps=[RELEASE],
        group_name=DOCUMENTS,
        kinds={"docx", "pdf"},
        owners=OWNERS,
        description=f"{item.title_ru}: папка documents/<выпуск>/{item.folder}, целиком на месте прежней.",
    )
    def documents(
        context: dg.AssetExecutionContext, config: DocumentsConfig, opora_home: OporaHome
    ) -> dg.MaterializeResult:
        home = opora_home.home
        release = require_release(home)
        with Marts(release) as marts:
            wanted = item.wanted(marts, None, config.everything)
            first = make(marts, wanted[0]) if wanted else None
        folder = write_set(home, release, wanted, item.folder, item.formats())
        files = sorted(path for path in folder.rglob("*.*") if path.is_file())
        context.log.info("%s documents in %s", len(wanted), folder)
        return dg.MaterializeResult(
            metadata={
                "release_id": release.release_id,
                "folder": dg.MetadataValue.path(str(folder)),
                "documents": len(wanted),
                "files": dg.MetadataValue.md(_links(folder, files)),
                "preview": dg.MetadataValue.md(preview(first) if first else "В этом выпуске таких документов нет."),
            }
        )

    return documents


def _links(folder: Path, files: Sequence[Path]) -> str:
    lines = [f"* [{path.relative_to(folder)}]({path.as_uri()})" for path in files[:_LINKS_SHOWN]]
    return "\n".join([*lines, *([f"* и ещё {len(files) - len(lines)}"] if len(files) > len(lines) else [])])


def preview(document: Document) -> str:
    """The beginning of a document as Dagster shows it: requisites, the first words, the first table."""
    lines = [f"### {_cell(document.title_ru)}", _cell(document.subtitle_ru), ""]
    lines += [f"* {_cell(label)}: {_cell(value)}" for label, value in document.facts]
    for shape, section in document.ordered():
        if section.rows:
            lines += ["", f"**{_cell(section.title_ru or shape.title_ru)}**", ""]
            lines.append("|" + "|".join(_cell(column.title_ru) for column in shape.columns) + "|")
            lines.append("|" + "|".join("--:" if column.is_number else "---" for column in shape.columns) + "|")
            for row in section.rows[:_ROWS_SHOWN]:
                lines.append("|" + "|".join(_cell(row[column.key]) for column in shape.columns) + "|")
            break
    return "\n".join(lines)


def _cell(words: str) -> str:
    return safe_markdown(words)


def exposure_specs(path: Path = PROJECT_DIR / "models" / "exposures.yml") -> list[dg.AssetSpec]:
    """Pages and documents of dbt's exposures as external assets, downstream of the marts that they read."""
    exposures = yaml.safe_load(path.read_text(encoding="utf-8"))["exposures"]
    return [
        dg.AssetSpec(
            key=dg.AssetKey([PAGES, exposure["name"]]),
            deps=[RELEASE, *(dg.AssetKey(["marts", ref[len("ref('") : -len("')")]]) for ref in exposure["depends_on"])],
            group_name=PAGES,
            kinds={"dash"},
            owners=OWNERS,
            description=f"{exposure['label']}. {exposure['description']}. Открыть: opora dashboard.",
        )
        for exposure in exposures
        if exposure["type"] == "dashboard"
    ]
