"""The views over the demo region without a browser, and the life of the release they read.

What belongs here: layouts as functions of a release and an address, following `current`, refusals. What does not:
what only a browser shows (`tests/browser/`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

from dashboards.app import create_app
from dashboards.data import NoRelease, Profile, ReleaseData, Releases
from dashboards.page import Page, address
from dashboards.views import FILES, VIEWS
from dashboards.words import Names, load_names
from opora.home import Home
from opora.release import switch_current
from tests.conftest import Region
from tests.pages import HOSTILE, change, copy_of_release, give_hostile_names

PROFILES: tuple[Profile, ...] = ("official", "public")
_ASKED = (
    {},
    {"id": "s990110"},
    {"id": "нет такой", "year": "1900-1901", "show": "'; drop table school; --", "q": "%' or 1=1 --"},
)


@pytest.fixture(scope="module")
def names() -> Names:
    return load_names()


@pytest.fixture(scope="module")
def opened(demo_region: Region) -> Iterator[dict[str, ReleaseData]]:
    keepers = {profile: Releases(demo_region.home, profile) for profile in PROFILES}
    with keepers["official"].reading() as official, keepers["public"].reading() as public:
        yield {"official": official, "public": public}


def words_of(layout: Component) -> str:
    """Everything a browser would get, as text."""
    return json.dumps(layout.to_plotly_json(), cls=PlotlyJSONEncoder, ensure_ascii=False)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.path)
def test_every_view_answers_whatever_it_is_asked(
    opened: dict[str, ReleaseData], names: Names, view: Any, profile: Profile
) -> None:
    for params in _ASKED:
        shown = words_of(view.layout(Page(opened[profile], params, names)))
        assert '"type": "H1"' in shown
        assert "рейтинг" not in shown.lower()


def test_a_view_is_the_same_for_the_same_release_and_address(opened: dict[str, ReleaseData], names: Names) -> None:
    for view in VIEWS:
        page = Page(opened["official"], {"id": "s990110"}, names)
        assert words_of(view.layout(page)) == words_of(view.layout(page))


def test_the_public_pages_hold_no_hidden_number(opened: dict[str, ReleaseData], names: Names) -> None:
    """Counts of schools whose cells are hidden stand nowhere on the page of the school, symbols do."""
    public = opened["public"]
    hidden = public.row(
        """
        select school_id from procedure_result where participants_symbol = 'c' or below_symbol = 'c'
        group by 1 order by count(*) desc, 1 limit 1
        """
    )
    assert hidden
    view = next(view for view in VIEWS if view.path == "/school")
    shown = words_of(view.layout(Page(public, {"id": hidden["school_id"]}, names)))
    assert "скрыто: мало участников" in shown
    assert "reason_ru" not in shown


@pytest.mark.parametrize("profile", PROFILES)
def test_every_file_has_the_rows_of_its_view(opened: dict[str, ReleaseData], names: Names, profile: Profile) -> None:
    for name, make in FILES.items():
        sheet = make(Page(opened[profile], {"show": "all", "latter": "threshold-25"}, names))
        assert sheet is None or (sheet.rows and len(sheet.cells()) == len(sheet.rows)), name


def test_hostile_names_are_texts(demo_region: Region, names: Names, tmp_path: Path) -> None:
    """No Markdown, no raw HTML anywhere: a name is the child of an element and nothing else."""
    home = copy_of_release(demo_region.home, tmp_path)
    give_hostile_names(home, ["s990110", "s990101", "s990103"])
    with Releases(home, "official").reading() as data:
        for view in VIEWS:
            for params in ({"id": "s990110"}, {"show": "all"}):
                shown = words_of(view.layout(Page(data, params, names)))
                assert '"type": "Markdown"' not in shown
                assert 'dangerously_allow_html": true' not in shown
                assert 'cellRenderer": "markdown' not in shown
        text = words_of(next(v for v in VIEWS if v.path == "/school").layout(Page(data, {"id": "s990110"}, names)))
        assert json.dumps(HOSTILE[0], ensure_ascii=False)[1:-1] in text


# --- the release -------------------------------------------------------------------------------------


def test_without_a_release_there_is_a_page_that_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoRelease), Releases(Home(tmp_path).ensure(), "official").reading():
        pass
    answer = _answer(create_app(Home(tmp_path), "official"), "/list", "")
    assert "opora run --home" in answer


def test_a_release_is_followed_and_the_former_closed_when_unused(demo_region: Region, tmp_path: Path) -> None:
    home = copy_of_release(demo_region.home, tmp_path, "first")
    copy_of_release(demo_region.home, tmp_path, "second")
    change(home, "delete from school", release_id="second")
    switch_current(home, home.releases / "first")
    keeper = Releases(home, "official")
    with keeper.reading() as first:
        before = first.rows("select count(*) as n from school")
        switch_current(home, home.releases / "second")
        with keeper.reading() as second:
            assert second.release.folder.name == "second"
            assert second.rows("select count(*) as n from school") == [{"n": 0}]
        assert first.rows("select count(*) as n from school") == before
    with pytest.raises(duckdb.ConnectionException):
        first.rows("select 1")
    keeper.close()


def test_many_readers_share_a_release_while_it_changes(demo_region: Region, tmp_path: Path) -> None:
    """Every page sees one of the two releases whole."""
    home = copy_of_release(demo_region.home, tmp_path, "first")
    copy_of_release(demo_region.home, tmp_path, "second")
    change(home, "update school set school_name = 'второй'", release_id="second")
    change(home, "update school_status set status_ru = 'второй'", release_id="second")
    switch_current(home, home.releases / "first")
    keeper, mixed = Releases(home, "official"), []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with keeper.reading() as data:
                schools = data.rows("select count(*) as n from school where school_name = 'второй'")[0]["n"]
                statuses = data.rows("select count(*) as n from school_status where status_ru = 'второй'")[0]["n"]
                if bool(schools) != bool(statuses):
                    mixed.append(data.release.release_id)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(20):
        switch_current(home, home.releases / ("first" if turn % 2 else "second"))
    stop.set()
    for reader in readers:
        reader.join()
    assert not mixed
    keeper.close()


def test_a_later_refusal_of_the_gate_is_told(demo_region: Region, tmp_path: Path) -> None:
    home = copy_of_release(demo_region.home, tmp_path)
    refused = home.releases / ".refused-1"
    refused.mkdir()
    checks = [
        {"check_id": "there_are_schools", "passed": True, "refuses": True, "message_ru": "Школ 60."},
        {"check_id": "list_did_not_jump", "passed": False, "refuses": True, "message_ru": "Список вырос втрое."},
    ]
    (refused / "gate.json").write_text(json.dumps(checks), encoding="utf-8")
    shown = {profile: _answer(create_app(home, profile), "/", "") for profile in PROFILES}
    assert "Список вырос втрое." in shown["official"]
    assert "Школ 60." not in shown["official"]
    assert "Список вырос втрое." not in shown["public"]


def test_an_open_page_is_told_of_a_new_release(demo_region: Region) -> None:
    app = create_app(demo_region.home, "official")
    current = demo_region.home.current.resolve().name
    said = {
        release: _ask(
            app,
            [("news", "children")],
            [("look", "n_intervals", 1)],
            [("shown", "data", {"path": "/", "title": "", "release": release})],
        )
        for release in (current, "former")
    }
    assert "Вышел новый выпуск" not in said[current]
    assert "Вышел новый выпуск" in said["former"]


def test_what_changed_since_the_former_release_is_told(demo_region: Region, names: Names, tmp_path: Path) -> None:
    home = copy_of_release(demo_region.home, tmp_path)
    result = {
        "academic_year": "2023-2024",
        "procedure_id": "oge_9_mathematics",
        "before_ru": "33 из 105",
        "after_ru": "31 из 105",
    }
    change_of_school = {
        "academic_year": "2024-2025",
        "school_id": "s990110",
        "before_ru": "не в списке",
        "after_ru": "в списке ШНОР",
        "causes": ["corrected_data"],
        "results": [result],
    }
    difference = {"former_id": "прежний", "schools": [change_of_school]}
    (home.current / "diff.json").write_text(json.dumps(difference), encoding="utf-8")
    school = next(view for view in VIEWS if view.path == "/school")
    with Releases(home, "official").reading() as data:
        changed, same = (words_of(school.layout(Page(data, {"id": name}, names))) for name in ("s990110", "s990101"))
    assert "исправленные данные" in changed
    assert "ОГЭ МА 2023/24: было 33 из 105, стало 31 из 105" in changed
    assert "Положение школы не изменилось по сравнению с выпуском прежний." in same


def test_a_programme_shows_values_plans_and_who_is_late(demo_region: Region, names: Names, tmp_path: Path) -> None:
    """The demo region is none of the five territories: figures are planted into a copy."""
    home = copy_of_release(demo_region.home, tmp_path)
    with duckdb.connect(str(home.current / "official" / "marts.duckdb")) as marts:
        marts.execute(
            """
            update indicator set value = 17.5, measured_value = 17.5, status = 'not_met', attainment_pct = 83.3
            where programme_id = 'tomsk-2020' and period = '2023' and indicator_id = (
                select min(indicator_id) from indicator where programme_id = 'tomsk-2020')
            """
        )
        marts.execute(
            """
            update measure set status = 'overdue', actual = 3, days_overdue = 12, responsible_ru = 'Отдел мониторинга'
            where programme_id = 'tomsk-2020' and period = '2023' and sort_order = 1
            """
        )
        marts.execute(
            """
            update monitoring_report set is_overdue = true, days_overdue = 12, responsible_ru = 'Отдел мониторинга'
            where programme_id = 'tomsk-2020' and item_kind = 'measure' and period = '2023' and sort_order = 1
            """
        )
    programme = next(view for view in VIEWS if view.path == "/programme")
    with Releases(home, "official").reading() as data:
        shown = words_of(programme.layout(Page(data, {"id": "tomsk-2020", "period": "2023"}, names)))
    assert "17,5" in shown
    assert "не достигнут" in shown
    assert "83,3" in shown
    assert "Просрочено: 1" in shown
    assert "Отдел мониторинга" in shown


def test_the_headers_keep_the_browser_here(demo_region: Region) -> None:
    client = create_app(demo_region.home, "public").server.test_client()
    answer = client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert 'lang="ru"' in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert client.get("/download/nothing.csv").status_code == 404
    assert client.get("/download/list.exe").status_code == 404


def test_the_pages_answer_to_their_own_names_alone(demo_region: Region) -> None:
    """A strange site may point a name of its own at this machine and have the reader's browser ask for the list."""
    client = create_app(demo_region.home, "official", {"127.0.0.1", "localhost", "::1", "pages.example.org"}).server
    for host in ("127.0.0.1:8050", "localhost:8050", "[::1]:8050", "pages.example.org"):
        assert client.test_client().get("/download/list.csv", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example:8050", "127.0.0.1.evil.example", ""):
        answer = client.test_client().get("/download/list.csv", headers={"Host": host})
        assert answer.status_code == 421, host
        assert "--name" in answer.text


def test_an_address_may_have_any_parameter() -> None:
    assert address("/school", path="1", id="s1") == "/school?path=1&id=s1"


def _answer(app: Any, path: str, search: str) -> str:
    """What the server says when a browser comes to an address."""
    outputs = [("page", "children"), ("head", "children"), ("shown", "data")]
    return _ask(app, outputs, [("url", "pathname", path), ("url", "search", search)])


def _ask(
    app: Any,
    outputs: list[tuple[str, str]],
    inputs: list[tuple[str, str, Any]],
    state: list[tuple[str, str, Any]] | None = None,
) -> str:
    """The answer of a callback, as a browser would get it."""
    named = [f"{name}.{prop}" for name, prop in outputs]
    described = [{"id": name, "property": prop} for name, prop in outputs]
    asked = {
        "output": named[0] if len(named) == 1 else ".." + "...".join(named) + "..",
        "outputs": described[0] if len(described) == 1 else described,
        "inputs": [{"id": name, "property": prop, "value": value} for name, prop, value in inputs],
        "state": [{"id": name, "property": prop, "value": value} for name, prop, value in state or []],
        "changedPropIds": [f"{inputs[0][0]}.{inputs[0][1]}"],
    }
    answer = app.server.test_client().post("/_dash-update-component", json=asked)
    assert answer.status_code == 200, answer.text
    return str(json.dumps(answer.json, ensure_ascii=False))
