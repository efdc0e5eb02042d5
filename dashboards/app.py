"""The application: addresses to views, filters to addresses, files, headers that keep the browser on this machine.

What belongs here: wiring. What does not: what a view shows and what it asks of a release.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import dash_mantine_components as dmc
import flask
from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboards.components import SHOWN_VALUE, alert, aria, bullets, empty, heading
from dashboards.data import NoRelease, Profile, ReleaseData, Releases
from dashboards.files import as_csv, as_xlsx
from dashboards.page import Page, params_of, search_of
from dashboards.views import FILES, VIEWS, view_of
from dashboards.words import MATURITY, PROFILE, PROFILE_NOTE, Names, load_names
from opora import russian as fmt
from opora.explain import UnknownSchool, explain_from
from opora.home import Home

log = logging.getLogger(__name__)

_INDEX = """<!DOCTYPE html>
<html lang="ru">
<head>
{%metas%}
<title>{%title%}</title>
{%favicon%}
{%css%}
</head>
<body>
<a class="skip" href="#main">К содержанию</a>
<noscript>Страницам нужен JavaScript. Те же списки есть в файлах выпуска.</noscript>
{%app_entry%}
{%config%}
{%scripts%}
{%renderer%}
</body>
</html>"""
_MIME = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_THEME = {
    "primaryColor": "blue",
    "fontFamily": "inherit",
    "headings": {"fontFamily": "inherit"},
    "defaultRadius": "sm",
}
_SECONDS_BETWEEN_LOOKS = 60


class Pages(Dash):
    """Dash with Russian words where it has English ones of its own."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        parts["app_entry"] = parts["app_entry"].replace("Loading...", "Загружаю…")
        return str(super().interpolate_index(**parts))


def create_app(home: Home, profile: Profile = "official", answers_to: Collection[str] | None = None) -> Dash:
    """The pages over the releases of a home. Nothing is read until somebody asks.

    `answers_to` are the names of this server; a request for another one is refused. None answers to any name.
    """
    app = Pages(
        __name__,
        title="Опора",
        update_title="",
        index_string=_INDEX,
        serve_locally=True,
        suppress_callback_exceptions=True,  # filters and late parts come and go with the views
        enable_mcp=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    releases, names = Releases(home, profile), load_names()
    app.layout = _shell()
    _add_pages(app, releases, names)
    _add_filters(app)
    _add_late_parts(app, releases)
    _add_files(app.server, releases, names)
    _add_headers(app)
    if answers_to is not None:
        _refuse_other_names(app, frozenset(answers_to))
    return app


# --- the frame ---------------------------------------------------------------------------------------


def _shell() -> Component:
    """What stays while views come and go."""
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="shown"),
            dcc.Interval(id="look", interval=_SECONDS_BETWEEN_LOOKS * 1000),
            html.Header(id="head", className="head"),
            html.Div(id="news"),
            html.Main(html.Div(html.P("Загружаю…", className="loading"), id="page"), id="main", tabIndex=-1),
            html.Footer(
                html.P("Опора: адресная поддержка школ. Страницы показывают выпуск и ничего не считают сами."),
                className="foot",
            ),
        ],
        theme=_THEME,
        forceColorScheme="light",
    )


def _head(path: str, data: ReleaseData | None, profile: Profile) -> list[Component]:
    links = [
        html.Li(html.A(view.title, href=view.path, **aria(current="page" if view is view_of(path) else None)))
        for view in VIEWS
    ]
    return [
        html.Div([html.A("Опора", href="/", className="brand"), _release_line(data, profile)], className="head-line"),
        html.Nav(html.Ul(links), **aria(label="Разделы")),
    ]


def _release_line(data: ReleaseData | None, profile: Profile) -> Component:
    shown = html.Span(
        [PROFILE[profile], html.Span(f" ({PROFILE_NOTE[profile]})", className="only-read")],
        className=f"profile {profile}",
        title=PROFILE_NOTE[profile],
    )
    if data is None:
        return html.P(["Выпуска нет", shown], className="release")
    manifest = data.manifest
    return html.P(
        [
            html.Span(f"Выпуск {manifest.get('version', '—')} от {fmt.day(manifest['created_at'])}"),
            html.Span(MATURITY[str(manifest["maturity"])], className=f"maturity {manifest['maturity']}"),
            shown,
            html.Code(data.release.release_id),
        ],
        className="release",
    )


def _refusal(releases: Releases, data: ReleaseData) -> Component | None:
    """The last candidate did not pass the gate: readers see the release before it."""
    if data.is_public:
        return None
    failed = releases.refused_later(data)
    if failed is None:
        return None
    return alert(
        "alert",
        "Последний пересчёт не выпущен: шлюз его отклонил. Здесь прежний выпуск.",
        bullets(f"{check['check_id']}: {check['message_ru']}" for check in failed),
        html.P(
            "Что делать: раздел «Качество данных», docs/runbooks/refused-candidate.md и opora run после исправления."
        ),
    )


# --- pages -------------------------------------------------------------------------------------------


def _add_pages(app: Dash, releases: Releases, names: Names) -> None:
    @app.callback(
        Output("page", "children"),
        Output("head", "children"),
        Output("shown", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
    )
    def show(path: str | None, search: str | None) -> tuple[Component, list[Component], Mapping[str, str]]:
        path = path or "/"
        view = view_of(path)
        title = f"{view.title if view else 'Нет такой страницы'} — Опора"
        try:
            with releases.reading() as data:
                page = Page(data, params_of(search), names)
                body = view.layout(page) if view else _unknown_page(path)
                return (
                    html.Div([_refusal(releases, data), body]),
                    _head(path, data, releases.profile),
                    {"title": title, "path": path, "release": data.release.release_id},
                )
        except NoRelease as reason:
            return (
                _no_release(releases, str(reason)),
                _head(path, None, releases.profile),
                {"title": title, "path": path},
            )

    @app.callback(Output("news", "children"), Input("look", "n_intervals"), State("shown", "data"))
    def look(_: int | None, shown: Mapping[str, str] | None) -> Component | None:
        current = releases.current_id()
        if not shown or current is None or shown.get("release") == current:
            return None
        again = html.A("Показать его", href=flask.request.headers.get("Referer", "/"), className="reload")
        return alert("calm", "Вышел новый выпуск.", html.P(again))

    app.clientside_callback(
        ClientsideFunction("opora", "arrived"), Output("main", "data-shown"), Input("shown", "data")
    )


def _unknown_page(path: str) -> Component:
    links = bullets(html.A(view.title, href=view.path) for view in VIEWS)
    return html.Div(
        [heading("Нет такой страницы"), empty(f"По адресу {path} ничего нет", html.P("Есть вот что:"), links)]
    )


def _no_release(releases: Releases, reason: str) -> Component:
    return html.Div(
        [
            heading("Показывать пока нечего"),
            empty(
                reason,
                html.P("Положите поставки в landing и запустите расчёт:"),
                html.Pre(f"opora receive ПАПКА --home {releases.home.root}\nopora run --home {releases.home.root}"),
                html.P("Посмотреть на выдуманном регионе: make run, затем make dashboard."),
                html.P("Страница покажет выпуск, как только он появится: обновите её."),
            ),
        ]
    )


# --- filters -----------------------------------------------------------------------------------------


def _add_filters(app: Dash) -> None:
    @app.callback(
        Output("url", "search"),
        Input({"filter": ALL}, "value"),
        State({"filter": ALL}, SHOWN_VALUE),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def narrow(values: list[str | None], shown: list[str | None], search: str | None) -> Any:
        """What a reader chose goes into the address; the address makes the page."""
        names = [item["id"]["filter"] for item in ctx.inputs_list[0]]
        chosen = {
            name: str(value or "").strip()
            for name, value, was in zip(names, values, shown, strict=True)
            if str(value or "").strip() != str(was or "").strip()
        }
        return search_of(params_of(search) | chosen) if chosen else no_update


# --- late parts --------------------------------------------------------------------------------------


def _add_late_parts(app: Dash, releases: Releases) -> None:
    @app.callback(Output({"late": MATCH}, "children"), Input({"late-of": MATCH}, "data"))
    def explain(asked: Mapping[str, str]) -> Component:
        if releases.profile == "public":
            return html.P("В публичном профиле этого нет.")
        try:
            with releases.reading() as data:
                lines = explain_from(data.connection.cursor(), data.home, asked["school"], asked["year"])
                return html.Pre("\n".join([f"Выпуск {data.release.release_id}", *lines]), tabIndex=0)
        except (NoRelease, UnknownSchool) as error:
            return html.P(str(error))


# --- files -------------------------------------------------------------------------------------------


def _add_files(server: flask.Flask, releases: Releases, names: Names) -> None:
    @server.get("/download/<name>.<kind>")
    def download(name: str, kind: str) -> flask.Response:
        make = FILES.get(name)
        if make is None or kind not in _MIME:
            flask.abort(404)
        try:
            with releases.reading() as data:
                sheet = make(Page(data, flask.request.args.to_dict(), names))
                if sheet is None:
                    flask.abort(404)
                content = as_csv(sheet) if kind == "csv" else as_xlsx(sheet, _about(data))
                file_name = f"opora-{sheet.name}-{data.profile}-{data.release.release_id}.{kind}"
        except NoRelease as reason:
            return flask.Response(str(reason), status=404, mimetype="text/plain")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name)}"}
        return flask.Response(content, mimetype=_MIME[kind], headers=headers)


def _about(data: ReleaseData) -> dict[str, str]:
    manifest = data.manifest
    return {
        "Выпуск": data.release.release_id,
        "Версия данных": str(manifest.get("version", "—")),
        "Сделан": fmt.day(manifest["created_at"]),
        "Состояние": MATURITY[str(manifest["maturity"])],
        "Профиль": f"{PROFILE[data.profile]}. {PROFILE_NOTE[data.profile]}",
        "Методика": "; ".join(f"{item['method_id']}: {item['title_ru']}" for item in manifest["methods"]),
    }


# --- headers -----------------------------------------------------------------------------------------


def _refuse_other_names(app: Dash, names: frozenset[str]) -> None:
    """Another site cannot have a reader's browser fetch the pages by a name that it has pointed at this machine."""

    @app.server.before_request
    def refuse() -> flask.Response | None:
        asked = urlsplit(f"//{flask.request.host}").hostname or ""
        if asked in names:
            return None
        words = "Страницы открываются не под этим именем. Имя прокси-сервера называет opora dashboard --name."
        return flask.Response(words, status=421, mimetype="text/plain")


def _add_headers(app: Dash) -> None:
    """Nothing is loaded from, sent to or shown in another site."""
    policy = "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' " + " ".join(_inline_scripts(app)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )

    @app.server.after_request
    def guard(response: flask.Response) -> flask.Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if not flask.request.path.startswith(("/assets/", "/_dash-component-suites/")):
            response.headers["Cache-Control"] = "no-store"
        return response


def _inline_scripts(app: Dash) -> list[str]:
    return [f"'{found.strip(chr(39))}'" for found in app.csp_hashes()]
