"""Pages of results that open without a network: Data Docs with their outside parts taken out, and an index of our own.

What belongs here: HTML. What does not: checks and their results.

Data Docs fetch styles and scripts from public hosts and a logo whose address names the run. Here scripts, outside
styles and pictures are removed, one small style sheet is put in, and the index, which needs scripts to show
anything, is replaced by a table.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment

from opora.home import write_whole

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1.5rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { border: 1px solid #8888; padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { background: #8882; }
td p { margin: 0; }
.navbar, .modal, .cooltip, .fa, footer { display: none; }
.failed { font-weight: 700; }
a { text-underline-offset: .15em; }
@media print { body { max-width: none; padding: 0; } }
"""
_OUTSIDE = (
    re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.IGNORECASE),
    re.compile(r"<img\b[^>]*>", re.IGNORECASE),
    re.compile(r"@import[^;]*;|background(?:-image)?:\s*url\(['\"]?https?:[^;]*;", re.IGNORECASE),
)
_OUTSIDE_LINK = re.compile(r"<a\b[^>]*href=\"https?://[^\"]*\"[^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE)
_INDEX = """<!doctype html>
<html lang="ru">
<head><meta charset="utf-8"><title>Проверки выпуска</title><style>{{ style }}</style></head>
<body>
<h1>Проверки выпуска {{ title }}</h1>
<p>Проверок {{ rows | length }}, не прошло {{ rows | rejectattr("passed") | list | length }}.</p>
<table>
<thead><tr><th scope="col">Проверка</th><th scope="col">Итог</th><th scope="col">Что увидено, что делать</th>
<th scope="col">Подробно</th></tr></thead>
<tbody>
{%- for row in rows %}
<tr>
<th scope="row">{{ row.holds_ru }}<br><code>{{ row.check_id }}</code></th>
<td{% if not row.passed %} class="failed"{% endif %}>{{ row.outcome_ru }}</td>
<td>{{ row.message_ru }}</td>
<td>{% if row.page %}<a href="{{ row.page }}">ожидания</a>{% endif %}</td>
</tr>
{%- endfor %}
</tbody>
</table>
</body>
</html>
"""
_LOOKED_FOR = """
<section lang="ru">
<h2>Какие строки искались</h2>
<p>Проверен весь файл. Выше — ожидание, что в нём нет ни одной строки, где верно хотя бы одно из этого:</p>
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
</section>
"""


def without_outside_parts(page: str) -> str:
    """A page of Data Docs that asks nothing of the network."""
    for pattern in _OUTSIDE:
        page = pattern.sub("", page)
    page = _OUTSIDE_LINK.sub(r"\1", page)
    return page.replace("</head>", f"<style>{STYLE}</style></head>", 1)


def settle(folder: Path, looked_for: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Make the pages of a built site stand alone and short of name: `expectations/<suite>.html`; their addresses.

    Of the two pages of a suite only the one with results is kept. `looked_for` names, by suite, what would have brought
    a row into the frame that it was held against.
    """
    kept: dict[str, str] = {}
    for page in sorted((folder / "validations").rglob("*.html")):
        suite = page.relative_to(folder / "validations").parts[0]
        text = without_outside_parts(page.read_text(encoding="utf-8"))
        kept[suite] = text.replace("</body>", f"{_list(looked_for.get(suite, ()))}</body>", 1)
    for part in ("validations", "static", "expectations"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for suite, text in kept.items():
        _write(folder / "expectations" / f"{suite}.html", text)
    return {suite: f"expectations/{suite}.html" for suite in kept}


def _list(looked_for: Sequence[str]) -> str:
    return Environment(autoescape=True).from_string(_LOOKED_FOR).render(lines=looked_for) if looked_for else ""


def write_index(folder: Path, title: str, rows: Iterable[dict[str, object]]) -> None:
    """The index: every check with its outcome, what was seen and a link to its page if it has one."""
    page = Environment(autoescape=True).from_string(_INDEX)
    _write(folder / "index.html", page.render(style=STYLE, title=title, rows=list(rows)))


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def outside_addresses(pages: Sequence[Path]) -> list[str]:
    """Addresses that a browser would fetch from elsewhere; empty if all is at hand."""
    fetched = re.compile(r"(?:src=\"|<link[^>]*href=\"|url\(['\"]?)(https?:[^\"')]+)", re.IGNORECASE)
    return [address for page in pages for address in fetched.findall(page.read_text(encoding="utf-8"))]
