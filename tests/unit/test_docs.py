"""The documents are true: links resolve, lists are complete, words are the agreed ones, examples add up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from scipy import stats

from opora.cli import main
from opora.home import PROJECT
from opora.methods import Method, MethodSettings
from opora.reference import load_reference
from schemas.dictionary import dictionary_markdown
from schemas.registry import tables

DOCS = PROJECT / "docs"
METHODOLOGY = DOCS / "methodology"
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", PROJECT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
CODE = [path for folder in ("opora", "schemas") for path in sorted((PROJECT / folder).rglob("*.py"))]
REWRITE = (
    'rewrite docs/dictionary.md: python -c "from schemas.dictionary import dictionary_markdown as d; '
    "open('docs/dictionary.md', 'w', encoding='utf-8').write(d())\""
)


def page_id(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def method() -> Method:
    return next(found for found in load_reference().methods if found.is_official)


# --- reading Markdown --------------------------------------------------------------------------------


def prose_of(path: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(path), flags=re.DOTALL | re.MULTILINE)


def anchors_of(path: Path) -> set[str]:
    """Anchors of the headings, made as repository hosts make them."""
    headings = re.findall(r"^#+\s+(.+?)\s*$", prose_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose_of(path))


def tables_of(path: Path, *columns: str) -> Iterator[list[str]]:
    """Rows of every table of a page whose header has just these columns."""
    lines = text_of(path).splitlines()
    for number, line in enumerate(lines):
        if cells_of(line) == list(columns):
            for row in lines[number + 2 :]:
                if not row.lstrip().startswith("|"):
                    break
                yield cells_of(row)


def cells_of(line: str) -> list[str]:
    return [cell.strip().strip("*").strip() for cell in line.strip().strip("|").split("|")]


def number(cell: str) -> float:
    return float(cell.replace("%", "").replace(",", ".").strip())


# --- links, words, lists -----------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_relative_links_and_anchors_resolve(page: Path) -> None:
    broken = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_list_is_never_called_a_rating(page: Path) -> None:
    if page.name == "words.md":
        return
    assert not re.findall(r"(?i)\w*рейтинг\w*|\b(?:rating|ranking|league table)s?\b", text_of(page))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_names_a_machine(page: Path) -> None:
    assert not re.findall(r"(?<![\w<.])/(?:work|tmp|home|root|Users)/", text_of(page))


def test_the_committed_dictionary_is_the_generated_one() -> None:
    assert text_of(DOCS / "dictionary.md") == dictionary_markdown(), REWRITE


def test_every_mart_and_column_is_in_the_dictionary() -> None:
    sections = {part.split(" ", 1)[0]: part for part in text_of(DOCS / "dictionary.md").split("\n## ")[1:]}
    assert set(sections) == {mart.table for mart in tables("marts")}
    for mart in tables("marts"):
        missing = [name for name in mart.names if f"| `{name}` |" not in sections[mart.table]]
        assert not missing, mart.table


def test_every_page_of_the_methodology_and_every_decision_is_listed() -> None:
    for folder, index in ((METHODOLOGY, "index.md"), (DOCS / "adr", "README.md")):
        listed = set(links_of(folder / index))
        assert {path.name for path in folder.glob("*.md")} - {index} <= listed


# --- checks of data ------------------------------------------------------------------------------------


def check_ids_in_code() -> set[str]:
    """Every check that can stand in `quality_issue`: of the registry, of intake, of pandera, of dbt."""
    found = {rule.id for table in tables("lake") for rule in table.rules}
    for path in CODE:
        if "demo" not in path.parts:
            found |= set(_check_ids(ast.parse(text_of(path))))
    models = (PROJECT / "dbt" / "models" / "intermediate").glob("int_*_issue.sql")
    return found | {check for model in models for check in re.findall(r"'(\w+)' as check_id", text_of(model))}


def _check_ids(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("Refusal", "UnreadableFile"):
                yield from _constants(node.args[:1])
            elif name in ("issue_frame", "_of_sheets"):
                yield from _constants(node.args[1:2])
            elif name == "alias" and list(_constants(node.args)) == ["check_id"]:
                yield from _literals(node.func)
            yield from _constants([k.value for k in node.keywords if k.arg == "error"])
        elif isinstance(node, ast.Assign):
            yield from _assigned(node)
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from _constants([v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "check_id"])


def _literals(tree: ast.AST) -> Iterator[str]:
    """Words in `pl.lit("…")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "lit":
            yield from _constants(node.args[:1])


def _assigned(node: ast.Assign) -> Iterator[str]:
    """`check = "a" if … else "b"`, `check, severity = "a", "warning"`, `_BUILT_IN = {"…": "a"}`."""
    for target in node.targets:
        if isinstance(target, ast.Name) and target.id in ("check", "check_id"):
            branches = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            yield from _constants(branches)
        elif isinstance(target, ast.Name) and target.id == "_BUILT_IN" and isinstance(node.value, ast.Dict):
            yield from _constants(node.value.values)
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=True)
            yield from _constants([v for t, v in pairs if isinstance(t, ast.Name) and t.id == "check"])


def _constants(nodes: Any) -> Iterator[str]:
    for parent in nodes:
        for node in ast.walk(parent):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z_]+", node.value):
                yield node.value


def test_every_check_is_explained_and_no_other() -> None:
    page = METHODOLOGY / "data-quality.md"
    told = {row[0].strip("`") for row in tables_of(page, "проверка", "когда", "что делать")}
    known = check_ids_in_code()
    assert {"empty_form", "duplicate_participant", "school_key_malformed", "value_out_of_range"} <= known
    assert told == known


# --- the method ------------------------------------------------------------------------------------------


def test_every_setting_of_the_method_is_explained_as_it_stands() -> None:
    rows = tables_of(METHODOLOGY / "index.md", "поле", "что решает", "значение", "метка", "подробнее")
    told = {row[0].strip("`"): row for row in rows}
    assert list(told) == list(MethodSettings.model_fields)
    for name, row in told.items():
        setting = getattr(method().settings, name)
        assert row[3] == setting.status, name
        if isinstance(setting.value, (bool, int, float, str)):
            assert row[2] == str(setting.value).lower(), name


def test_the_kinds_of_excluded_schools_are_those_of_the_method() -> None:
    told = [row[0].strip("`") for row in tables_of(METHODOLOGY / "school-identity.md", "`excluded_reason`", "кто")]
    assert told == list(method().settings.excluded_school_reasons.value)


def test_the_states_are_those_of_the_registry() -> None:
    told = [row[0].strip("`") for row in tables_of(METHODOLOGY / "states.md", "`state`", "когда", "участников")]
    mart = next(mart for mart in tables("marts") if mart.table == "procedure_result")
    assert sorted(told) == sorted(mart.column("state").vocabulary)


def test_every_setting_of_the_markers_is_explained_as_it_stands() -> None:
    (found,) = load_reference().marker_methods
    told = {
        row[0].strip("`"): row
        for row in tables_of(METHODOLOGY / "objectivity.md", "поле", "что решает", "значение", "метка")
    }
    assert list(told) == list(type(found.settings).model_fields)
    for name, row in told.items():
        setting = getattr(found.settings, name)
        assert row[2:] == [str(setting.value), setting.status], name


def test_the_breaks_are_those_of_the_reference() -> None:
    told = {
        row[0].strip("`"): (row[1], row[3])
        for row in tables_of(METHODOLOGY / "comparability.md", "разрыв", "годы", "что случилось", "временный")
    }
    assert told == {
        found.break_id: (", ".join(found.academic_years), "да" if found.is_temporary else "нет")
        for found in load_reference().breaks
    }


# --- worked examples -------------------------------------------------------------------------------------


def is_low(below: int, participants: int) -> bool:
    settings = method().settings
    numerator, denominator = settings.low_share_numerator.value, settings.low_share_denominator.value
    return below * denominator >= numerator * participants


def test_examples_of_a_low_result() -> None:
    page = METHODOLOGY / "low-result.md"
    rows = list(tables_of(page, "участников", "ниже минимума", "доля", "низкий результат"))
    assert len(rows) >= 6
    for participants, below, share, low in rows:
        assert low == ("да" if is_low(int(below), int(participants)) else "нет")
        assert number(share) == round(100 * int(below) / int(participants), 2)


def test_examples_of_unknown_results() -> None:
    page = METHODOLOGY / "low-result.md"
    rows = list(tables_of(page, "участников", "ниже минимума", "неизвестно", "низкий результат"))
    assert rows
    for cells in rows:
        participants, below, unknown = (int(cell) for cell in cells[:3])
        least, most = is_low(below, participants), is_low(below + unknown, participants)
        assert cells[3] == ("да" if least else "нет" if not most else "не решено")


def is_listed(previous: int, before: int) -> tuple[bool, bool]:
    """Does the rule hold by the branch of two procedures, by the branch of two years?"""
    settings = method().settings
    return (
        previous >= settings.previous_year_low_procedures.value,
        min(previous, before) >= settings.both_years_low_procedures.value,
    )


def test_examples_of_the_list() -> None:
    rows = list(tables_of(METHODOLOGY / "shnor.md", "школа", "низких в Y−1", "низких в Y−2", "в списке", "основание"))
    words = {(True, True): "both", (True, False): "two_procedures", (False, True): "two_years", (False, False): "—"}
    assert {row[4] for row in rows} == set(words.values())
    for _, previous, before, listed, basis in rows:
        branches = is_listed(int(previous), int(before))
        assert (listed, basis) == ("да" if any(branches) else "нет", words[branches])


def test_examples_of_the_risk_zone() -> None:
    header = ("низких в Y−1", "низких в Y−2", "низких в Y", "в списке", "в зоне риска", "status")
    rows = list(tables_of(METHODOLOGY / "risk.md", *header))
    assert rows
    for previous, before, current, listed, at_risk, status in rows:
        is_shnor = any(is_listed(int(previous), int(before)))
        is_at_risk = int(current) >= method().settings.at_risk_low_procedures.value
        assert (listed, at_risk) == tuple("да" if flag else "нет" for flag in (is_shnor, is_at_risk))
        assert status == ("shnor" if is_shnor else "risk" if is_at_risk else "none")


def test_examples_of_small_numbers() -> None:
    settings = method().settings
    header = ("участников", "ниже минимума", "доля, %", "интервал, %", "вероятность", "надёжность", "низкий результат")
    rows = list(tables_of(METHODOLOGY / "small-numbers.md", *header))
    assert rows
    for cells in rows:
        n, k = int(cells[0]), int(cells[1])
        interval = stats.binomtest(k, n).proportion_ci(settings.confidence.value, method="wilson")
        threshold = settings.low_share_numerator.value / settings.low_share_denominator.value
        assert number(cells[2]) == round(100 * k / n, 1)
        assert [number(end) for end in cells[3].split("–")] == [round(100 * end, 1) for end in interval]
        assert number(cells[4]) == round(float(stats.binom.cdf(k, n + 1, threshold)), 3)
        assert cells[5] == next(
            band.reliability
            for band in settings.reliability_bands.value
            if band.participants_from <= n <= (band.participants_to or n)
        )
        assert cells[6] == ("да" if is_low(k, n) else "нет")


def test_example_of_several_years() -> None:
    header = ("год", "участников", "ниже минимума", "доля, %", "низкий результат")
    *years, together = tables_of(METHODOLOGY / "small-numbers.md", *header)
    assert [int(cell) for cell in together[1:3]] == [sum(int(row[column]) for row in years) for column in (1, 2)]
    for row in (*years, together):
        n, k = int(row[1]), int(row[2])
        assert number(row[3]) == round(100 * k / n, 1)
        assert row[4] == ("да" if is_low(k, n) else "нет")


def test_the_exact_interval_said_in_passing() -> None:
    page = text_of(METHODOLOGY / "small-numbers.md")
    for kind, place in (("exact", "для 3 из 10 — {}"), ("wilson", "у Уилсона\n{}")):
        ends = (f"{100 * end:.1f}".replace(".", ",") for end in stats.binomtest(3, 10).proportion_ci(0.95, method=kind))
        assert place.format("–".join(ends)) in page


def test_the_methods_of_what_if_are_those_of_the_reference() -> None:
    told = {
        cells[0].strip("`"): cells
        for cells in tables_of(METHODOLOGY / "what-if.md", "методика", "что иначе", "значение")
    }
    variants = {variant.method_id: variant for variant in load_reference().variants}
    assert set(told) == set(variants)
    for method_id, (_, settings, value) in told.items():
        changes = variants[method_id].changes
        assert re.findall(r"`(\w+)`", settings) == list(changes)
        assert len(changes) > 1 or value == str(next(iter(changes.values())).value)


def test_example_of_what_if() -> None:
    """The lists of one school, worked here from its results by the settings of each method."""
    page = METHODOLOGY / "what-if.md"
    results = list(tables_of(page, "год", "процедура", "участников", "ниже минимума"))
    rows = list(tables_of(page, "методика", "низких в Y−1", "низких в Y−2", "в списке", "перемена"))
    assert {"threshold-35", "minimum-10", "interval-95"} <= {row[0].strip("`") for row in rows}
    for name, previous, before, listed, movement in rows:
        settings = load_reference().method(name.strip("`")).settings
        share = settings.low_share_numerator.value / settings.low_share_denominator.value

        def low(k: int, n: int, settings: MethodSettings = settings, share: float = share) -> bool:
            reached = k / n
            if settings.low_result_decided_by.value == "interval":
                reached = stats.binomtest(k, n).proportion_ci(settings.confidence.value, method="wilson").low
            return n >= settings.minimum_participants.value and reached >= share

        lows = [sum(low(int(k), int(n)) for year, _, n, k in results if year == wanted) for wanted in ("Y−1", "Y−2")]
        is_listed = lows[0] >= 2 or (lows[0] >= 1 and lows[1] >= 1)
        assert [int(previous), int(before)] == lows, name
        assert listed == ("да" if is_listed else "нет")
        assert movement == ("—" if name.strip("`") == method().method_id else "both" if is_listed else "leaves")


def test_steps_of_reliability_are_those_of_the_method() -> None:
    told = list(tables_of(METHODOLOGY / "small-numbers.md", "участников", "`reliability`", "словами"))
    bands = method().settings.reliability_bands.value
    assert told == [
        [
            f"{band.participants_from}–{band.participants_to}"
            if band.participants_to
            else f"от {band.participants_from}",
            band.reliability,
            band.label_ru,
        ]
        for band in bands
    ]


def test_example_of_a_territory() -> None:
    page = METHODOLOGY / "aggregation.md"
    *schools, total = tables_of(page, "школа", "участников", "ниже минимума", "доля")
    participants, below = (sum(int(row[i]) for row in schools) for i in (1, 2))
    assert total[1:3] == [str(participants), str(below)]
    assert number(total[3]) == round(100 * below / participants, 1)
    assert [number(row[3]) for row in schools] == [round(100 * int(row[2]) / int(row[1]), 1) for row in schools]
    mean = sum(100 * int(row[2]) / int(row[1]) for row in schools) / len(schools)
    assert f"{mean:.1f} %".replace(".", ",") in text_of(page)


def test_example_of_a_branch() -> None:
    page = METHODOLOGY / "school-identity.md"
    rows = list(tables_of(page, "", "участников", "ниже минимума", "доля", "низкий результат"))
    head, branch, whole = ([int(cell) for cell in row[1:3]] for row in rows)
    assert whole == [head[0] + branch[0], head[1] + branch[1]]
    for row in rows:
        assert number(row[3]) == round(100 * int(row[2]) / int(row[1]), 2)
        assert row[4] in ("—", "да" if is_low(int(row[2]), int(row[1])) else "нет")


def test_example_of_a_scale() -> None:
    page = METHODOLOGY / "marks-and-thresholds.md"
    scale_id = re.findall(r"`(vpr_\w+_\d+)`", text_of(page))[0]
    scale = next(scale for scale in load_reference().scales if scale.scale_id == scale_id)
    assert any(period.covers("2020-2021") for period in scale.periods)
    ranges = [f"{band.score_min}–{band.score_max}" for band in scale.mark_bands]
    assert ", ".join(ranges) in text_of(page)
    rows = list(tables_of(page, "балл", "отметка"))
    assert rows
    for score, mark in rows:
        fitting = [b.mark for b in scale.mark_bands if b.score_min <= int(score) <= b.score_max]
        assert [int(mark)] == fitting


def test_minimums_and_the_example_of_mathematics() -> None:
    page = METHODOLOGY / "marks-and-thresholds.md"
    purpose = method().settings.ege_russian_minimum.value
    least = {
        threshold.subject_id: threshold.minimum
        for threshold in load_reference().thresholds
        if purpose in threshold.purposes
    }
    assert f"тестовый балл меньше {least['russian']} " in text_of(page)
    assert f"тестовый балл меньше {least['mathematics_profile']} " in text_of(page)
    assert f"отметка меньше {least['mathematics_base']} " in text_of(page)
    header = ("базовая, отметка", "профильная, балл", "участников", "ниже минимума")
    rows = list(tables_of(page, *header))
    assert rows
    for base, profile, participants, below in rows:
        taken = [(base, least["mathematics_base"]), (profile, least["mathematics_profile"])]
        passed = [int(result) >= minimum for result, minimum in taken if result != "—"]
        assert (int(participants), int(below)) == (1, int(not any(passed)))


def test_numbers_said_in_passing() -> None:
    assert round(89 * 12.36 / 100) == 11
    assert "89 участников, 12,36 % «двоек» —\n11 человек" in text_of(METHODOLOGY / "marks-and-thresholds.md")
    states = text_of(METHODOLOGY / "states.md")
    assert "15 строк, из них 5" in states
    assert "7 из 15, 46,7 %" in states
    assert is_low(7, 15)
    assert not is_low(2, 10)


# --- the command line and the targets ----------------------------------------------------------------


def commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            found.update({f"{name} {inner}": sub for inner, sub in command.commands.items()})
        else:
            found[name] = command
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_and_their_options_exist(page: Path) -> None:
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    spans = re.findall(r"`([^`\n]+)`", prose_of(page))
    spans += [
        line
        for block in re.findall(r"^```\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    for span in spans:
        called = re.match(r"^(?:\.venv/bin/)?opora ([a-z]+)(?: ([a-z-]+))?", span)
        if not called:
            continue
        name = f"{called[1]} {called[2]}" if called[1] in groups and called[2] else called[1]
        assert name in known or name in groups, span
        if name in known:
            options = {option for parameter in known[name].params for option in parameter.opts}
            used = set(re.findall(r"(?<!\S)--[a-z-]+", span.split("#")[0]))
            assert used <= options, span


def test_the_readme_lists_every_command() -> None:
    told = [row[0] for row in tables_of(PROJECT / "README.md", "command", "does")]
    named = {" ".join(word for word in cell.strip("`").split()[1:] if word.islower()) for cell in told}
    assert named == set(commands())


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(PROJECT / "Makefile"), re.MULTILINE))
    called = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE)}
    assert {"run", "test"} <= called <= targets


def test_jobs_and_events_of_the_runbooks_exist() -> None:
    calendar = yaml.safe_load(text_of(PROJECT / "reference" / "calendar.yaml"))
    jobs = {event["job"] for event in calendar["monitoring"]}
    told = {
        row[2].strip("`")
        for row in tables_of(DOCS / "runbooks" / "annual-run.md", "when", "what arrives", "job", "result")
    }
    assert told == jobs


def test_examples_of_dynamics() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    header = (
        *("участников раньше", "ниже минимума раньше", "участников", "ниже минимума"),
        *("изменение, п. п.", "интервал, п. п.", "динамика"),
    )
    rows = list(tables_of(METHODOLOGY / "dynamics.md", *header))
    assert {row[6] for row in rows} == {"improved", "unchanged", "worsened"}
    for *counts, change, interval, dynamics in rows:
        n1, k1, n2, k2 = (int(cell) for cell in counts)
        ends = confint_proportions_2indep(k2, n2, k1, n1, method="newcomb", compare="diff")
        assert signed(change) == round(100 * (k2 / n2 - k1 / n1), 1)
        assert [signed(end) for end in interval.split("…")] == [round(100 * end, 1) for end in ends]
        difference = k2 * n1 - k1 * n2
        assert dynamics == ("improved" if difference < 0 else "worsened" if difference else "unchanged")


def signed(cell: str) -> float:
    return number(cell.replace("−", "-"))


def test_example_of_a_rank_correlation() -> None:
    text = text_of(METHODOLOGY / "objectivity.md")
    marks, scores = (
        [int(n) for n in found.split(", ")]
        for found in re.findall(r"Отметки в журнале ([\d, ]+) и баллы ([\d, ]+\d)\.", text)[0]
    )
    rho = stats.spearmanr(marks, scores).statistic
    assert f"корреляция\n−{abs(rho):.2f}".replace(".", ",") in text
