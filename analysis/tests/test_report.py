"""The report: self-contained, the same bytes for the same results; in a browser the right numbers, and
filters and switches that work. Without Chromium the browser's part is skipped."""
import re

import pytest

import chromium
from skiff_analysis import cli, comparison
from skiff_analysis.groups import band
from skiff_analysis.report import write
from skiff_analysis.sweep import load_sweep
from sweep_runs import write_run, write_sweep


@pytest.fixture(name="folder", scope="module")
def sweep_folder(tmp_path_factory):
    folder = write_sweep(tmp_path_factory.mktemp("sweep"))
    evil = folder / "zz-<script>alert(1)</script>" / "aaaa-s1" / "run.h5"
    write_run(evil, "</script><b>bold&", 1, {"test_accuracy": [0.0, 0.0, 0.3], "test_loss": [3.0, float("nan"), 2.0]})
    return folder


@pytest.fixture(name="page", scope="module")
def written_page(folder, tmp_path_factory):
    page = tmp_path_factory.mktemp("report") / "report.html"
    assert cli.main(["report", str(folder), "-o", str(page), "--target", "0.4"]) == 0
    return page


@pytest.fixture(name="browser", scope="module")
def opened_browser(page):
    if chromium.PROGRAM is None:
        pytest.skip("no Chromium on this machine")
    browser = chromium.Chromium()
    browser.open(page)
    yield browser
    browser.close()


def cells(browser, case, table="summary"):
    script = f"[...document.querySelectorAll('#{table} tr')].find(r => r.dataset.case === {case!r})"
    return browser.run(f"(r => r && [...r.children].map(c => c.textContent))({script})")


def click(browser, name, value):
    browser.run(f"[...document.querySelectorAll('#filter-{name} input')].find(i => i.value === {str(value)!r}).click()")


def select(browser, name, value):
    browser.run(f"(s => {{ s.value = {value!r}; s.dispatchEvent(new Event('change')); }})(document.getElementById({name!r}))")


def test_the_same_results_give_the_same_bytes(folder, page, tmp_path):
    again = tmp_path / "again.html"
    assert cli.main(["report", str(folder), "-o", str(again), "--target", "0.4"]) == 0
    assert again.read_bytes() == page.read_bytes()


def test_when_and_where_a_run_was_made_leaves_no_trace(tmp_path):
    pages = []
    for place, when in (("a", "2026-01-01T00:00:00Z"), ("b", "2027-07-07T07:07:07Z")):
        folder = write_sweep(tmp_path / place)
        import h5py

        for path in folder.rglob("run.h5"):
            with h5py.File(path, "r+") as file:
                file["provenance"].attrs.update({"started_utc": when, "threads": len(place), "cpu": place})
        pages.append(tmp_path / f"{place}.html")
        assert cli.main(["report", str(folder), "-o", str(pages[-1])]) == 0
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_nothing_is_fetched_and_no_text_becomes_markup(page):
    text = page.read_text()
    shell = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"(?!data:)", shell)
    assert "<b>bold" not in text and "alert(1)</script>" not in text
    assert "Copyright 2010-2026 Mike Bostock" in text and "Copyright 2020-2025 Observable" in text


def test_vendored_files_are_what_they_were(monkeypatch, tmp_path):
    for name, _ in write.LIBRARIES:
        assert len(write.library(name)) > 100_000
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "SHA256SUMS").write_text("0" * 64 + "  d3-7.9.2.min.js\n")
    (tmp_path / "vendor" / "d3-7.9.2.min.js").write_text("other")
    monkeypatch.setattr(write, "HERE", tmp_path)
    with pytest.raises(OSError, match="not the file that was vendored"):
        write.library("d3-7.9.2.min.js")


def test_it_opens_without_errors_or_requests(browser):
    assert browser.errors == [] and browser.requests == []
    assert browser.run("document.querySelectorAll('main svg').length") >= 5


def test_the_summary_is_that_of_the_package(browser, folder):
    table = comparison.summary(load_sweep(folder), target=0.4).set_index("case")
    for case in ("slow", "fast"):
        row, shown = table.loc[case], cells(browser, case)
        assert shown[:4] == [case, "3", f"{row['final_mean']:.3f} ± {row['final_half_width']:.3f}",
                             f"{row['best_mean']:.3f} ± {row['best_half_width']:.3f}"]
        assert f"{row['upload_factor']:.2f}x" in shown
        assert f"{100 * row['to_target_reached']:.0f} %" in shown
        half = row["to_target_round_half_width"]
        assert f"{row['to_target_round_mean']:.0f} ± {half:.0f}" in shown
    assert cells(browser, "fast")[2] == "0.700 ± 0.248"


def test_the_page_averages_as_the_package_does(browser):
    curves = [([1, 2, 4], [0.1, 0.2, 0.4]), ([1.5, 3, 5], [0.3, 0.1, 0.9]), ([1, 3.5, 4.5], [0.5, 0.6, 0.7])]
    expected = band(curves)
    pairs = [list(map(list, zip(x, y))) for x, y in curves]
    points = browser.run(f"band({pairs}, [12.7062, 4.30265])")
    assert [p["x"] for p in points] == list(expected["x"])
    assert [p["mean"] for p in points] == pytest.approx(list(expected["mean"]))
    assert [p["half"] for p in points] == pytest.approx(list(expected["half_width"]), rel=1e-3)


def test_filters_by_seed_and_case(browser):
    click(browser, "seed", 1)
    try:
        assert cells(browser, "fast")[:2] == ["fast", "2"]
        assert cells(browser, "fast")[2].startswith("0.750 ±")  # of 0.8 and 0.7
        click(browser, "case", "slow")
        assert cells(browser, "slow") is None and cells(browser, "slow", "runs") is None
        assert browser.run("document.querySelectorAll('#runs tbody tr').length") == 2
        click(browser, "case", "slow")
    finally:
        click(browser, "seed", 1)
    assert cells(browser, "fast")[1] == "3" and browser.errors == []


def test_nothing_chosen_is_no_error(browser):
    for case in ("slow", "fast"):
        click(browser, "case", case)
    click(browser, "case", "</script><b>bold&")
    assert "nothing is chosen" in browser.run("document.getElementById('convergence').textContent")
    for case in ("slow", "fast", "</script><b>bold&"):
        click(browser, "case", case)
    assert browser.errors == []


def test_the_x_axis_and_the_metric_switch(browser):
    labels = {}
    for axis in ("round", "bytes", "time", "energy"):
        select(browser, "axis", axis)
        labels[axis] = browser.run("document.getElementById('convergence').textContent")
    select(browser, "axis", "round")
    assert "round" in labels["round"] and "bytes over the air" in labels["bytes"]
    assert "virtual time (s)" in labels["time"] and "energy of all devices (J)" in labels["energy"]
    select(browser, "metric", "test_loss")
    assert cells(browser, "slow")[2].startswith("1.000")
    select(browser, "metric", "test_accuracy")
    for cost in ("virtual_time", "energy", "peak_memory", "bytes_up"):
        select(browser, "cost", cost)
    assert browser.errors == [] and browser.requests == []


def test_runs_and_configurations_are_there(browser):
    shown = cells(browser, "fast", "runs")
    assert shown[:3] == ["fast", "1", "20"] and "ffffffff" in shown and "abc" in shown
    assert "clients: 4" in browser.run("document.querySelector('#configurations pre').textContent")


def test_light_dark_and_a_phone(browser, tmp_path):
    def paper():
        browser.run("new Promise(done => setTimeout(done, 200))")
        return browser.run("getComputedStyle(document.body).backgroundColor")

    assert paper() == "rgb(255, 255, 255)"
    browser.scheme("dark")
    assert paper() == "rgb(21, 24, 27)"
    browser.run("document.getElementById('theme').click()")
    assert paper() == "rgb(255, 255, 255)"
    browser.scheme("light")
    browser.resize(360, 780)
    browser.run("new Promise(done => setTimeout(done, 300))")
    assert browser.run("document.documentElement.scrollWidth") <= 360
    assert browser.run("Math.max(...[...document.querySelectorAll('main svg')].map(s => s.getBoundingClientRect().right))") <= 360
    browser.screenshot(tmp_path / "phone.png")
    assert (tmp_path / "phone.png").stat().st_size > 20_000
    browser.resize(1100, 900)
    assert browser.errors == []
