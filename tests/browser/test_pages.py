"""The pages in a real browser: every view in both profiles, filters, links, figures as in the marts, files, access.

What belongs here: what only a browser shows. What does not: layouts and queries (`tests/integration/test_pages.py`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dashboards.views import VIEWS
from opora import russian as fmt
from opora.home import Home
from tests.browser.conftest import Visit, served, visited
from tests.conftest import Region
from tests.pages import HOSTILE, copy_of_release, give_hostile_names

Start = Callable[..., Visit]
PROFILES = ("official", "public")
_SCHOOL = "s990110"
_OF_VIEW = {
    "/school": f"?id={_SCHOOL}",
    "/municipality": "?id=99_m001",
    "/methods": "?latter=threshold-25",
    "/quality": "?severity=refusal&status=refused",
    "/dictionary": "?table=school_status",
}


def addresses() -> list[str]:
    return [view.path + _OF_VIEW.get(view.path, "") for view in VIEWS]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_view_opens_clean_and_is_accessible(visit: Start, profile: str) -> None:
    """A title, Russian, one h1, headings in order; axe finds nothing serious; nothing leaves the machine.

    At double zoom, which is half the width, only tables scroll sideways.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(profile)
    found: dict[str, list[str]] = {}
    for view, address in zip(VIEWS, addresses(), strict=True):
        page.open(address)
        page.settle()
        assert page.page.get_attribute("html", "lang") == "ru"
        assert page.page.title() == f"{view.title} — Опора"
        assert page.page.get_attribute("nav a[aria-current]", "href") == view.path
        assert page.page.locator("h1").count() == 1
        assert _steps_of_headings(page.page) <= 1
        assert not re.search(r"(?i:рейтинг)|undefined|NaN|\bNone\b|Traceback", page.text())
        violations = axe.run(page.page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [v for v in violations if v["impact"] in ("serious", "critical")]
        if serious:
            found[address] = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in serious]
        name = view.path.strip("/") or "overview"
        page.shoot(name)
        page.page.set_viewport_size({"width": 640, "height": 800})
        if page.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.setdefault(address, []).append("the page scrolls sideways")
        page.shoot(f"narrow-{name}")
        page.page.set_viewport_size({"width": 1280, "height": 900})
    assert not found


def _steps_of_headings(page: Any) -> int:
    """The largest jump down between neighbouring headings; 1 is right."""
    levels = page.eval_on_selector_all("main h1, main h2, main h3, main h4", "all => all.map(h => +h.tagName[1])")
    return max((later - former for former, later in pairwise(levels)), default=0)


def test_the_list_is_filtered_by_the_address_and_leads_to_a_school(visit: Start, demo_region: Region) -> None:
    with demo_region.marts() as marts:
        (year,) = marts.sql("select max(academic_year) from school_status where is_shnor").fetchone() or ("",)
        listed = marts.execute(
            """
            select s.municipality_id, s.municipality_name, count(*)
            from school_status join school as s using (school_id)
            where is_shnor and academic_year = ? group by all order by 3 desc, 1 limit 1
            """,
            [year],
        ).fetchone()
        (whole,) = marts.execute(
            "select count(*) from school_status where is_shnor and academic_year = ?", [year]
        ).fetchone() or (0,)
    assert listed
    page = visit("official")
    page.open("/list")
    assert f"{fmt.year(year)}: {fmt.schools(whole)}" in page.text()
    page.page.get_by_role("textbox", name="Муниципалитет", exact=True).click()
    page.page.get_by_role("option", name=listed[1]).click()
    page.page.wait_for_url(f"**municipality={listed[0]}*")
    page.page.wait_for_selector(f"text={fmt.year(year)}: {fmt.schools(listed[2])}")
    page.page.wait_for_selector(".ag-row")
    assert page.page.locator(".ag-center-cols-container .ag-row").count() == listed[2]
    link = page.page.locator(".ag-row a").first
    name = link.get_attribute("title")
    link.click()
    page.page.wait_for_url("**/school?id=*")
    page.page.wait_for_selector("#why")
    assert page.title() == name
    page.page.go_back()
    page.page.wait_for_selector(".ag-row")
    assert "municipality=" in page.page.url


def test_a_school_shows_the_figures_of_the_marts(visit: Start, demo_region: Region) -> None:
    with demo_region.marts() as marts:
        rows = marts.execute(
            """
            select below_minimum, participants, below_share, share_ci_low, share_ci_high from procedure_result
            where school_id = ? and state = 'held' and below_minimum is not null
            """,
            [_SCHOOL],
        ).fetchall()
        ((reason, evidence),) = marts.execute(
            """
            select reason_ru, evidence_participants from school_status where school_id = ? and is_shnor
            order by academic_year desc limit 1
            """,
            [_SCHOOL],
        ).fetchall()
    page = visit("official")
    page.open(f"/school?id={_SCHOOL}")
    text = page.text()
    assert len(rows) > 20
    for below, participants, share, low, high in rows:
        assert fmt.out_of(below, participants) in text
        assert fmt.share(share) in text
        assert fmt.interval(low, high) in text
    for part in reason.partition(": ")[2].split("; "):
        assert part in text
    assert fmt.counted(evidence, "участнике", "участниках", "участниках") in text
    page.page.locator("summary", has_text="До файла и строки").click()
    page.page.wait_for_selector("#why pre")
    assert "Результаты 2023-2024 учебного года" in page.page.inner_text("#why pre")


def test_a_grid_rounds_as_the_rest_of_the_page(visit: Start) -> None:
    values = [k / n for n in (16, 80, 91, 2000) for k in range(0, n + 1, max(1, n // 100))] + [1e-7]
    opened = visit("official")
    opened.open("/list")
    opened.settle()
    page = opened.page
    shares = page.evaluate("values => values.map(v => dashAgGridFunctions.oporaShare(v, 1))", values)
    assert shares == [fmt.share(value) for value in values]
    numbers = page.evaluate(
        "values => values.map(v => dashAgGridFunctions.oporaNumber(v, 2))", [12345.675, -0.125, -0.001]
    )
    assert numbers == [fmt.number(value, 2) for value in (12345.675, -0.125, -0.001)]


def test_the_region_shows_the_figures_of_the_marts(visit: Start, demo_region: Region) -> None:
    with demo_region.marts() as marts:
        ((listed, new, left),) = marts.sql(
            """
            select shnor_count, new_count, left_count from region_summary where procedure_id = 'all'
            order by academic_year desc limit 1
            """
        ).fetchall()
    page = visit("official")
    page.open("/")
    shown = page.page.locator(".cards .big").all_inner_texts()
    assert (shown[0], shown[1], shown[3]) == (str(listed), str(new), str(left))


@pytest.mark.parametrize("profile", PROFILES)
def test_the_list_is_taken_away_as_files(visit: Start, profile: str, demo_region: Region) -> None:
    import openpyxl

    page = visit(profile)
    page.open("/list?show=all")
    taken = {}
    for kind in ("CSV", "XLSX"):
        with page.page.expect_download() as waiting:
            page.page.get_by_role("link", name=kind).click()
        download = waiting.value
        assert demo_region.home.current.resolve().name in download.suggested_filename
        taken[kind] = download.path().read_bytes()
    rows = list(csv.reader(io.StringIO(taken["CSV"].decode("utf-8-sig")), delimiter=";"))
    sheet = openpyxl.load_workbook(io.BytesIO(taken["XLSX"]))["Данные"]
    assert sheet.max_row == len(rows)
    assert [cell.value for cell in sheet[1]] == rows[0]
    with demo_region.marts() as marts:
        found = marts.sql(
            "select count(*) from school_status where academic_year = (select max(academic_year) from school_status)"
        ).fetchone()
    assert found == (len(rows) - 1,)
    has_reason = "Причина" in rows[0]
    assert has_reason == (profile == "official")


def test_the_keyboard_is_enough(visit: Start) -> None:
    """Skip link first, the menu next; focus follows to the title of the new view; a filter opens and chooses."""
    page = visit("official")
    page.open("/")
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    for _ in range(3):
        page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.getAttribute('href')") == "/list"
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector(".ag-row")
    page.page.wait_for_selector("#title:focus")
    field = page.page.get_by_role("textbox", name="Какие школы", exact=True)
    field.focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    page.page.wait_for_url("**show=*")
    page.page.wait_for_selector("input[data-shown=risk]:focus")
    page.open("/list")
    page.page.wait_for_selector(".ag-row")
    assert page.page.url == f"{page.base}/list"  # what a view shows by default does not go into the address
    page.page.locator(".ag-cell").first.focus()
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("#why")


def test_on_paper_there_is_the_whole_list_and_no_menu(visit: Start) -> None:
    page = visit("official")
    page.open("/list?show=both")
    page.page.wait_for_selector(".ag-row")
    rows = int(page.page.locator(".ag-center-cols-container .ag-row").count())
    page.page.emulate_media(media="print")
    assert not page.page.locator("header nav").is_visible()
    assert not page.page.locator(".grid").is_visible()
    assert page.page.locator(".only-print tbody tr").count() >= rows > 0
    assert page.page.locator(".only-print tbody tr").first.is_visible()
    page.shoot("print-list")


def test_hostile_names_do_no_harm(browser: Any, demo_region: Region, tmp_path: Path) -> None:
    """A name with a script, a formula or Markdown in it is shown letter by letter in every view."""
    home = copy_of_release(demo_region.home, tmp_path)
    school_ids = ["s990110", "s990101", "s990103"]
    give_hostile_names(home, school_ids)
    with served(home, "official") as base, visited(browser, base, "hostile") as page:
        for school_id, name in zip(school_ids, HOSTILE, strict=True):
            page.open(f"/school?id={school_id}")
            assert page.title() == name
        for address in ("/municipality?id=99_m001", "/objectivity"):
            page.open(address)
            page.settle()
            assert page.page.title().endswith("— Опора")
            assert page.page.locator("main script, main img, main a[href^=javascript]").count() == 0
        page.open("/list?show=all")
        page.page.wait_for_selector(".ag-row")
        page.shoot("list")
        page.assert_clean()


def test_without_a_release_or_a_school_the_page_says_what_to_do(
    browser: Any, visit: Start, demo_region: Region, tmp_path: Path
) -> None:
    with served(Home(tmp_path / "new").ensure(), "official") as base, visited(browser, base, "empty") as page:
        page.open("/")
        assert "opora run --home" in page.text()
        page.shoot("no-release")
        copy_of_release(demo_region.home, tmp_path / "new")
        page.open("/")
        assert page.title() == "Обзор"
        page.assert_clean()
    page = visit("official")
    page.open("/school?id=s000000")
    assert "Школы с кодом «s000000» в этом выпуске нет" in page.text()
    page.page.get_by_role("textbox", name="Школа", exact=True).fill("Лицей")
    page.page.wait_for_url("**q=*")
    page.page.get_by_role("link", name=re.compile("Лицей")).first.click()
    page.page.wait_for_selector("#why")
    page.open("/nowhere")
    assert page.title() == "Нет такой страницы"
    page.shoot("no-page")


def test_a_refused_run_is_told_on_every_page(browser: Any, demo_region: Region, tmp_path: Path) -> None:
    home = copy_of_release(demo_region.home, tmp_path)
    (home.releases / ".refused-1").mkdir()
    check = {"check_id": "list_did_not_jump", "passed": False, "refuses": True, "message_ru": "Список вырос втрое."}
    (home.releases / ".refused-1" / "gate.json").write_text(json.dumps([check]), encoding="utf-8")
    with served(home, "official") as base, visited(browser, base, "refused") as page:
        page.open("/list")
        assert "Последний пересчёт не выпущен" in page.text()
        assert "list_did_not_jump: Список вырос втрое." in page.text()
        page.shoot("list")
        page.assert_clean()
