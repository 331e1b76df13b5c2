"""The catalogue page as people use it, in a headless Chromium; what its explorer says is what `simulate` says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from slo_compiler.analysis.scenario import Phase, Rate, Scenario
from slo_compiler.analysis.simulate import AlertOutcome, simulate
from slo_compiler.documents.config import Config
from slo_compiler.emit import catalogue
from slo_compiler.emit.base import Context
from slo_compiler.emit.catalogue.page import page_text
from slo_compiler.ir import Spec
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment
from slo_compiler.units import Duration
from tests.browser import Visitor, browser

pytestmark = pytest.mark.browser

TTFT = "#assistant/llama-70b-chat-ttft"
HOSTILE = (
    "</script><script>console.error('acted')</script>",
    '"><img src="x" onerror="console.error(\'acted\')">',
    "<!--<script>",
    "javascript:console.error('acted')",
    "${console.error('acted')} {{ 7 * 7 }} \u2028\u202e'\"\\",
)
# The contrast of each text with what lies under it (WCAG 2.2, 1.4.3), of those that have less than they must.
CONTRAST = """() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const under = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
      if (a > 0) throw new Error(`half transparent: ${at.tagName}`);
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const found = { texts: 0, low: [] };
  const judge = (element, colour, text) => {
    const style = getComputedStyle(element);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const value = ratio(parse(colour), under(element));
    found.texts += 1;
    if (value < (large ? 3 : 4.5)) found.low.push(`${value.toFixed(2)} ${element.tagName} ${text}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, noscript") || !element.getClientRects().length) continue;
    judge(element, element.closest("svg") ? getComputedStyle(element).fill : getComputedStyle(element).color, node.data);
  }
  for (const field of document.querySelectorAll("input, select")) judge(field, getComputedStyle(field).color, field.value);
  const search = document.querySelector("#search");
  judge(search, getComputedStyle(search, "::placeholder").color, "placeholder");
  return found;
}"""

Opening = Callable[..., Page]


@pytest.fixture(scope="session")
def visitor() -> Iterator[Visitor]:
    """One browser, and one page of it, for all tests."""
    with browser() as started:
        yield Visitor(started)


@pytest.fixture
def visit(visitor: Visitor) -> Iterator[Opening]:
    """Opens a file; it may write no error, and ask for nothing but itself."""
    visitor.said.clear()
    yield visitor.visit
    visitor.page.evaluate("localStorage.clear()")
    assert visitor.said == []


@pytest.fixture(scope="session")
def fleet(root: Path) -> list[Spec]:
    """The example specs, and one with waivers, a known traffic and links."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(root)
        files = sorted(path.as_posix() for path in Path("specs").rglob("*.yaml"))
        checked = check_files(files, Environment(Config()))
    assert not checked.failed
    return checked.specs


@pytest.fixture(scope="session")
def file(fleet: list[Spec], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the fleet."""
    found = tmp_path_factory.mktemp("page") / "index.html"
    found.write_text(page_of(fleet), encoding="utf-8")
    return found


@pytest.fixture
def opening(visit: Opening, file: Path) -> Opening:
    """Opens the page of the fleet."""
    return partial(visit, file)


def entries_of(specs: list[Spec]) -> dict[str, str]:
    return {artifact.path: artifact.text for spec in specs for artifact in catalogue.emit(spec, Context())}


def page_of(specs: list[Spec]) -> str:
    texts = entries_of(specs)
    (page,) = catalogue.fold({path: texts[path] for path in sorted(texts)}, Context())
    return page.text


def names(page: Page) -> list[str]:
    """The SLOs that are shown, in order."""
    return page.locator("tr.slo th button").all_inner_texts()


def column(page: Page, name: str) -> list[str]:
    return page.locator(f"tr.slo .column-{name}").all_inner_texts()


def shown(page: Page, name: str) -> list[str]:
    """What a column shows, from the top; of alerts, how many."""
    if name == "SLO":
        return names(page)
    if name == "Alerts":
        counts = "chips => chips.reduce((sum, chip) => sum + (parseInt(chip.textContent) || 1), 0)"
        cells: list[int] = page.locator("tr.slo .column-alerts").evaluate_all(
            f"cells => cells.map((cell) => ({counts})([...cell.querySelectorAll('.chip')]))"
        )
        return [str(count) for count in cells]
    return column(page, name.lower())


def total(fleet: list[Spec]) -> int:
    return sum(len(spec.slos) for spec in fleet)


class TestTable:
    def test_every_slo_is_a_row(self, opening: Opening, fleet: list[Spec]) -> None:
        page = opening()
        assert sorted(names(page)) == sorted(slo.name for spec in fleet for slo in spec.slos)
        expect(page.get_by_role("status").first).to_have_text(f"{total(fleet)} of {total(fleet)} SLOs")
        expect(page.get_by_role("columnheader")).to_have_count(8)

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            pytest.param("llama-70b-chat", "llama-70b-chat-", id="a name"),
            pytest.param("TTFT  assistant/", "llama-70b-chat-ttft", id="two words in any case"),
            pytest.param("team=ml-platform ttft assistant/", "llama-70b-chat-ttft", id="a label"),
        ],
    )
    def test_search_narrows_and_tells_how_many_are_left(self, opening: Opening, asked: str, found: str) -> None:
        page = opening()
        page.get_by_role("searchbox").fill(asked)
        left = names(page)
        assert left and all(name.startswith(found) for name in left)
        expect(page.locator("#count")).to_contain_text(f"{len(left)} of ")

    def test_search_for_nothing_that_is_there_says_so(self, opening: Opening, fleet: list[Spec]) -> None:
        page = opening()
        page.get_by_role("searchbox").fill("no such thing")
        assert names(page) == []
        expect(page.locator("#rows")).to_contain_text("No SLO matches")
        page.get_by_role("button", name="Reset").click()
        expect(page.locator("tr.slo")).to_have_count(total(fleet))

    def test_filters_hold_together(self, opening: Opening) -> None:
        page = opening()
        page.get_by_role("combobox", name="Class").select_option("conversational")
        assert set(column(page, "class")) == {"conversational"}
        assert len(set(column(page, "service"))) > 1
        page.get_by_role("combobox", name="Service").select_option("assistant")
        assert set(column(page, "service")) == {"assistant"}
        page.get_by_role("combobox", name="Model").select_option("meta-llama/Llama-3.1-70B-Instruct")
        assert len(names(page)) == 4

    def test_every_heading_sorts_up_and_down(self, opening: Opening) -> None:
        page = opening()
        for name in ("SLO", "Service", "Model", "Class", "Promise", "Target", "Budget", "Alerts"):
            self.judge_order(page, name)

    def judge_order(self, page: Page, name: str) -> None:
        heading = page.get_by_role("columnheader", name=name, exact=True)
        if heading.get_attribute("aria-sort") is None:
            heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", "ascending")
        assert page.locator("th[aria-sort]").count() == 1
        up = shown(page, name)
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", "descending")
        down = shown(page, name)
        keys: dict[str, Callable[[str], Any]] = {
            "Promise": promised_seconds,
            "Target": lambda text: float(text.removesuffix("%")),
            "Budget": budget_minutes,
            "Alerts": int,
            "Model": lambda text: "" if text == "–" else text,
            "Class": lambda text: "" if text == "–" else text,
        }
        key = keys.get(name, str)
        assert [key(text) for text in up] == sorted(map(key, up)) != [key(text) for text in down]
        assert [key(text) for text in down] == sorted(map(key, down), reverse=True)

    def test_many_slos_come_in_parts(self, visit: Opening, fleet: list[Spec], tmp_path: Path) -> None:
        spec = next(spec for spec in fleet if spec.name == "llama-70b-chat")
        many = [replace(spec, name=f"copy-{number:03}", service=f"s-{number:03}") for number in range(60)]
        (tmp_path / "many.html").write_text(page_of(many), encoding="utf-8")
        page = visit(tmp_path / "many.html")
        assert len(names(page)) == 200
        page.get_by_role("button", name="Show 40 more").click()
        assert len(names(page)) == 240
        assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 201
        expect(page.locator("#more")).to_be_hidden()


def promised_seconds(text: str) -> float:
    found = re.match("≤ (.*)", text)
    return float(Duration.parse(re.sub(r"\s", "", found[1])).seconds) if found else float("inf")


def budget_minutes(text: str) -> float:
    number, unit = re.sub(r"(\d)\s(?=\d)", r"\1", text.split("\n")[0]).split()
    return float(number) / (60 if unit == "s" else 1)


class TestDetails:
    def test_an_address_opens_its_slo(self, opening: Opening) -> None:
        page = opening(fragment=TTFT)
        details = page.get_by_role("group", name="Details of llama-70b-chat-ttft")
        expect(details).to_contain_text("95% of requests: time to first token within 150ms (measured at 250ms)")
        expect(details).to_contain_text("use case chatbot, built-in catalog")
        expect(details).to_contain_text("2 016 min")
        expect(details.get_by_role("link", name="Runbook")).to_have_attribute(
            "href", "https://runbooks.example.com/chat"
        )
        row = details.get_by_role("row", name="page 14.4x").first
        assert row.get_by_role("cell").all_inner_texts() == ["72%", "43m 12s", "2.14%"]
        assert "1h and 5m · more than 3 bad · blind up to 3 requests/h" in row.inner_text()

    def test_waivers_links_and_traffic_are_shown_where_they_are_known(
        self, visit: Opening, fleet: list[Spec], tmp_path: Path
    ) -> None:
        spec = next(spec for spec in fleet if spec.name == "llama-70b-chat")
        (entry,) = entries_of(
            [replace(spec, requests_per_hour=Decimal(730), spec_url="https://git.example.com/x")]
        ).values()
        document = json.loads(entry)
        document["waivers"] = [{"code": "SLO301", "reason": "agreed with support", "until": "2019-03-01"}]
        for slo in document["slos"]:
            slo["links"]["dashboard"] = "https://grafana.example.com/d/1"
        (tmp_path / "one.html").write_text(page_text([json.dumps(document)]), encoding="utf-8")
        page = visit(tmp_path / "one.html", fragment=TTFT)
        details = page.get_by_role("group", name="Details of llama-70b-chat-ttft")
        expect(details).to_contain_text("24 528 bad requests")  # 730/h over 28 days, 5% of it
        expect(details.get_by_role("row", name="SLO301")).to_contain_text("2019-03-01")
        expect(details.get_by_role("row", name="SLO301")).to_contain_text("agreed with support")
        expect(details.get_by_role("link", name="Dashboard")).to_have_attribute("href", re.compile("grafana"))
        expect(details.get_by_role("link", name="Spec", exact=True)).to_have_attribute("href", re.compile("git"))
        expect(details.get_by_label("Requests an hour")).to_have_value("730")
        expect(page.locator("#summary")).to_contain_text("1 waiver")

    def test_a_second_click_closes(self, opening: Opening) -> None:
        page = opening()
        button = page.get_by_role("button", name="llama-70b-chat-ttft")
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        assert page.locator(f"#{button.get_attribute('aria-controls')}").count() == 1
        button.click()
        expect(button).to_have_attribute("aria-expanded", "false")
        assert page.locator("tr.details").count() == 0


class TestKeyboard:
    def test_everything_is_reached_without_a_pointer(self, opening: Opening) -> None:
        page = opening()
        keys = page.keyboard
        keys.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the SLOs"
        assert page.locator(".skip").bounding_box()["height"] > 10  # type: ignore[index]
        for _ in range(2):
            keys.press("Tab")
        keys.type("llama-70b-chat-ttft")
        assert names(page) == ["llama-70b-chat-ttft"]
        tab_to(page, "SLO")
        keys.press("Enter")
        expect(page.get_by_role("columnheader", name="SLO", exact=True)).to_have_attribute("aria-sort", "ascending")
        assert page.evaluate("document.activeElement.textContent") == "SLO"
        tab_to(page, "llama-70b-chat-ttft")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        keys.press("Space")
        assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
        while page.evaluate("document.activeElement.type") != "range":
            keys.press("Tab")
        before = float(page.locator(".ratio").input_value())
        keys.press("ArrowLeft")
        after = float(page.locator(".ratio").input_value())
        assert after < before
        expect(page.locator(".outcome")).to_contain_text(f"{after:g}% bad")
        assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == f"{after:g}%"


def tab_to(page: Page, text: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == text:
            return
    raise AssertionError(f"{text} is not reached")


class TestLooks:
    @pytest.mark.parametrize("width", [360, 800, 1400])
    def test_nothing_overflows(self, opening: Opening, width: int) -> None:
        page = opening(fragment=TTFT, width=width)
        page.get_by_role("button", name="gateway-availability").first.click()
        inside = (
            "[...document.querySelectorAll('main *')].filter(e => !e.closest('.hidden') && e.getClientRects().length"
        )
        over = page.evaluate(
            f"{inside} && e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))"
        )
        assert over == []
        assert page.evaluate("document.documentElement.scrollWidth") == width

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_every_text_stands_out(self, opening: Opening, dark: bool) -> None:
        page = opening(fragment=TTFT, dark=dark)
        page.get_by_role("button", name="llama-70b-chat-e2e").click()
        expect(page.locator("#theme")).to_have_attribute("aria-pressed", str(dark).lower())
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == dark
        found = page.evaluate(CONTRAST)
        assert found["texts"] > 500
        assert found["low"] == []

    def test_the_toggle_wins_over_the_system_and_is_remembered(self, opening: Opening) -> None:
        page = opening(dark=True)
        toggle = page.get_by_role("button", name="Dark mode")
        expect(toggle).to_have_attribute("aria-pressed", "true")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        toggle.click()
        expect(toggle).to_have_attribute("aria-pressed", "false")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
        page.reload()
        expect(toggle).to_have_attribute("aria-pressed", "false")


class TestHostileText:
    def test_whatever_a_spec_holds_is_shown_as_text(self, visit: Opening, fleet: list[Spec], tmp_path: Path) -> None:
        (entry,) = entries_of([next(spec for spec in fleet if spec.name == "llama-70b-chat")]).values()
        pages = [page_text([json.dumps(_everywhere(json.loads(entry), text))]) for text in HOSTILE]
        for number, (text, hostile) in enumerate(zip(HOSTILE, pages, strict=True)):
            file = tmp_path / f"{number}.html"
            file.write_text(hostile, encoding="utf-8")
            page = visit(file)
            page.locator("tr.slo button").first.click()
            assert page.locator("script").count() == 3
            assert page.locator("main img").count() == 0
            first = page.locator("tr.slo th button").first.evaluate("element => element.textContent")
            assert first == text
            assert page.locator("tr.details a:not([href^='#'])").count() == 0

    def test_only_what_the_page_brings_may_act(self, opening: Opening, visitor: Visitor) -> None:
        page = opening()
        policy = page.locator("meta[http-equiv]").get_attribute("content")
        assert policy is not None and "default-src 'none'" in policy and "unsafe" not in policy
        page.evaluate("""() => {
          const script = document.createElement("script");
          script.textContent = "window.acted = true";
          document.body.append(script);
        }""")
        assert page.evaluate("window.acted") is None
        (refusal,) = visitor.said
        assert "Content Security Policy" in refusal
        visitor.said.clear()


def _everywhere(value: Any, text: str) -> Any:
    """A document with a text in place of every text that people write."""
    if isinstance(value, dict):
        kept = ("schema", "counts", "mode", "levels", "until")
        return {key: item if key in kept else _everywhere(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_everywhere(item, text) for item in value]
    return text if isinstance(value, str) else value


class TestExplorer:
    """The page and `slo-compiler simulate` step the same rules."""

    # Odd shares and times, at the edges of tiers, with traffic at which guards matter, and without.
    SCENARIOS = (
        ("100%", "1h", None),
        ("73.7%", "47m", None),
        ("30%", "6h", None),
        ("7%", "3d", "900/h"),
        ("100%", "5m", "20/h"),
        ("100%", "9h", "0.7/h"),
        ("0.33%", "7d", None),
        ("1.44%", "2h", "5/s"),
        ("100%", "3d", "20/h"),
    )

    @pytest.mark.parametrize(("share", "time", "rate"), SCENARIOS, ids=lambda value: str(value or "any traffic"))
    def test_the_same_alerts_fire_and_clear_at_the_same_times(
        self, opening: Opening, fleet: list[Spec], share: str, time: str, rate: str | None
    ) -> None:
        chosen = _unlike(fleet)
        ratio, lasting = Decimal(share.removesuffix("%")) / 100, Duration.parse(time)
        scenario = Scenario((Phase(ratio, lasting),), None if rate is None else Rate.parse(rate))
        outcomes = simulate([replace(spec, requests_per_hour=None) for spec in fleet], scenario, chosen)
        per_hour = None if scenario.rate is None else float(scenario.rate.per_second * 3600)
        script = """([ids, ratio, seconds, rate]) => {
          const data = JSON.parse(document.getElementById("data").textContent);
          return ids.map((id) => {
            const slo = data.slos.find((found) => found.sloId === id);
            return burn.simulate({ ...slo, tiers: data.tiers[slo.tiers] }, ratio, seconds, rate);
          });
        }"""
        ids = [outcome.slo.slo_id for outcome in outcomes]
        page = opening()
        found = page.evaluate(script, [ids, float(ratio), lasting.whole_seconds, per_hour])
        assert len(outcomes) > 20
        for outcome, shown in zip(outcomes, found, strict=True):
            name = outcome.slo.slo_id
            assert shown["spent"] == pytest.approx(float(outcome.spent), rel=1e-9), name
            assert [_shown(alert) for alert in shown["alerts"]] == [_expected(alert) for alert in outcome.alerts], name

    def test_what_the_table_says_is_what_was_reckoned(self, opening: Opening) -> None:
        page = opening(fragment=TTFT)
        page.get_by_label("Bad events in %").fill("80")
        page.get_by_label("Lasting").select_option("3 hours")
        page.get_by_label("Requests an hour").fill("50")
        rows = page.get_by_role("table", name="What alerts").locator("tbody tr").all_inner_texts()
        assert rows[0].split("\t")[1:] == ["54m 30s", "2.16%", "5m 30s after the end"]
        assert "too short: the long window reaches 3.33%, needs over 5%" in rows[3]
        expect(page.locator(".outcome")).to_contain_text("80% bad for 3 hours: outage alerts first (page)")

    @pytest.mark.parametrize("wrong", ["", "0", "101", "-5"])
    def test_a_share_that_is_none_is_said(self, opening: Opening, wrong: str) -> None:
        page = opening(fragment=TTFT)
        page.get_by_label("Bad events in %").fill(wrong)
        expect(page.locator(".outcome")).to_contain_text("Give a share over 0 and up to 100%")
        page.get_by_label("Bad events in %").fill("5")
        expect(page.locator(".outcome")).to_contain_text("5% bad for 1 hour")


def _unlike(fleet: list[Spec]) -> list[str]:
    """An SLO of each kind of measurement, target, period, pace and policy."""
    found: dict[tuple[object, ...], str] = {}
    for spec in fleet:
        for slo in spec.slos:
            policy = tuple((tier.name, tier.factor) for tier in slo.tiers)
            key = (
                type(slo.measurement),
                slo.target,
                slo.period.name,
                slo.steps,
                slo.mode,
                slo.events_per_request,
                policy,
            )
            found.setdefault(key, slo.slo_id)
    return list(found.values())


def _shown(alert: dict[str, Any]) -> tuple[object, ...]:
    times = [(found["fires"], found["clears"], round(found["budgetSpent"], 9)) for found in alert["episodes"]]
    never = alert["never"]
    why = (never["reason"], round(never["reached"], 6), round(never["needed"], 6)) if never is not None else None
    return alert["alert"], alert["severity"], times, why


def _expected(alert: AlertOutcome) -> tuple[object, ...]:
    times = [(found.fires, found.clears, round(float(found.budget_spent), 9)) for found in alert.episodes]
    never = alert.never
    why = (never.reason.value, round(float(never.reached), 6), round(float(never.needed), 6)) if never else None
    return alert.alert, alert.severity, times, why
