"""Reports: what stands in the tables, how it is marked, and that the page needs nothing from elsewhere."""

import re
from html.parser import HTMLParser

import pytest

from schemas.experiments import EpochFigures, Failure, Results, RunResult, Side
from trainer.experiments import pictures
from trainer.experiments.ablate import summarise_ablation
from trainer.experiments.published import published
from trainer.experiments.report import Bullets, Cell, Heading, Image, MadeBy, Paragraph, Table, as_markdown
from trainer.experiments.report_html import as_html, write_blocks
from trainer.experiments.summary import compared, spread, summarise_results

GROUPS = ("hip", "shoulder", "head", "elbow", "ankle", "knee", "wrist")


def side(mpjpe, pck=60.0):
    overall = {"mpjpe_mm": mpjpe, "mpjpe_no_root_mm": mpjpe * 17 / 16, "p_mpjpe_mm": mpjpe / 2, "pck_200": pck, "velocity_mm_s": 300.0}
    return Side(sequences=4, frames=100, overall=overall, by_group_mm={group: mpjpe + place for place, group in enumerate(GROUPS)})


def run_result(experiment, recipe, seed, sides, variant="", history=3):
    rows = [
        EpochFigures(epoch=e, loss=1 / e, train_mpjpe_mm=90 / e, validation_mpjpe_mm=None, test_mpjpe_mm=100 / e + seed)
        for e in range(1, history + 1)
    ]
    return RunResult(
        name="-".join(part for part in (recipe, experiment, variant, f"s{seed}") if part),
        experiment=experiment,
        variant=variant,
        recipe=recipe,
        seed=seed,
        config={},
        data_sha256="a",
        benchmark_sha256="b",
        split=f"{experiment}: 10 train, 0 validation, 4 test sequences",
        note="",
        model="cvmnet",
        parameters=1234567,
        seconds=12.3,
        device="processor",
        best_epoch=2,
        sides=sides,
        history=rows,
    )


def results(runs, failures=(), recipes=("paper", "default"), seeds=(0, 1)):
    return Results(
        protocol={"root": "pelvis", "fps": "30"},
        command="trainer experiments <data>.h5",
        versions={"python": "3"},
        seeds=seeds,
        recipes=recipes,
        published=published(),
        runs=runs,
        failures=failures,
    )


@pytest.fixture
def example():
    """Two recipes and two seeds; B without one of the runs."""
    runs = []
    for recipe, offset in (("paper", 0.0), ("default", -100.0)):
        for seed in (0, 1):
            runs.append(run_result("A", recipe, seed, {"train": side(150.0 + offset), "test": side(210.0 + offset + 20 * seed)}))
            runs.append(run_result("C", recipe, seed, {"train": side(150.0 + offset), "test": side(140.0 + offset)}))
            for place, actor in enumerate(("bd", "tr")):
                if (recipe, seed, actor) != ("default", 1, "tr"):
                    runs.append(run_result("B", recipe, seed, {"train": side(180.0), "test": side(190.0 + offset + 10 * place + 4 * seed)}, actor))
            cmu = {"train": side(100.0), "basketball": side(200.0 + offset + 10 * seed, 70.0), "break dance": side(300.0 + offset, 40.0)}
            runs.append(run_result("CMU", recipe, seed, cmu))
    return results(runs, [Failure(name="default-B-tr-s1", error="broke <down>")])


def rows(blocks, start):
    """Return the rows whose first cell begins so, as texts."""
    found = [[cell.text if isinstance(cell, Cell) else cell for cell in row] for block in blocks if isinstance(block, Table) for row in block.rows]
    return [row for row in found if row[0].startswith(start)]


@pytest.fixture
def blocks(example, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "available", lambda: False)
    return summarise_results(example, tmp_path)


def test_headlines_are_means_over_seeds_beside_published_figures(blocks):
    assert rows(blocks, "A: random")[0][1:] == ["about 200", "220.0 ± 14.1 ▲", "120.0 ± 14.1 ▼"]
    assert rows(blocks, "B: tr held out")[0][1:] == ["about 200", "202.0 ± 2.8 ▲", "100.0 (1 of 2) ▼"]
    # The mean over actors for each seed, then the spread between seeds.
    # A seed of which an actor is missing has no such mean.
    assert rows(blocks, "B: mean of 2 actors")[0][1:] == ["–", "197.0 ± 2.8", "95.0 (1 of 2)"]
    assert rows(blocks, "C: the hop")[0][1:] == ["–", "140.0 ± 0.0", "40.0 ± 0.0"]
    assert rows(blocks, "CMU: basketball")[0][1:] == ["206.6", "205.0 ± 7.1 ▼", "105.0 ± 7.1 ▼"]
    assert rows(blocks, "CMU: average")[0][1:] == ["235.6", "252.5 ± 3.5 ▲", "152.5 ± 3.5 ▼"]
    assert rows(blocks, "clip") == []


def test_the_two_tables_of_cmu_are_as_published(blocks):
    (benchmark,) = (block for block in blocks if isinstance(block, Table) and block.title == "CMU benchmark")
    assert list(benchmark.header) == ["", "", "basketball", "break dance", "average"]
    assert rows(blocks, "MPJPE, mm")[0] == ["MPJPE, mm", "published", "206.6", "264.6", "235.6"]
    assert rows(blocks, "3DPCK")[0] == ["3DPCK at 200 mm, %", "published", "54.59", "45.54", "50.07"]
    assert rows(blocks, "3DPCK")[1][2:] == ["70.00 ± 0.00 ▲", "40.00 ± 0.00 ▼", "55.00 ± 0.00 ▲"]
    assert [cell.mark for cell in benchmark.rows[4][2:]] == ["better", "worse", "better"]
    groups = next(block for block in blocks if isinstance(block, Table) and block.title.startswith("MPJPE by group"))
    assert tuple(groups.header[1:]) == GROUPS
    assert list(groups.rows[0][1:]) == ["75.59", "238.18", "216.50", "275.03", "295.42", "259.72", "378.01"]
    assert groups.rows[1][1].text == "252.5 ± 3.5 ▲"
    assert groups.rows[2][7].text == "158.5 ± 3.5 ▼"


def test_test_error_against_train_error_is_told_beside_what_was_published(blocks):
    told = {tuple(row[:2]): row[5] for start in ("20 %", "hop*", "bd", "tr (published choice)") for row in rows(blocks, start)}
    assert told["20 % of sequences", "paper"] == "above"
    assert told["hop*", "default"] == "below, not as published"
    assert told["bd", "default"] == "below, as published"
    assert told["tr (published choice)", "paper"] == "above, not as published"


class Page(HTMLParser):
    """Collects what a page would fetch, and whether its tags are closed."""

    VOID = frozenset({"meta", "img", "link"})

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action", "poster")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_from_elsewhere(example, tmp_path):
    svg = pictures.draw_histories([run for run in example.runs if run.experiment == "A"], example.recipes)
    text = as_html([*summarise_results(results([]), tmp_path), Image("a.svg", svg, 'said "so" & <more>')])
    page = Page()
    page.feed(text)
    assert page.open == []
    assert [link.partition(",")[0] for link in page.fetched if not link.startswith("#")] == ["data:", "data:image/svg+xml;base64"]
    assert not {"script", "iframe", "object", "base"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import", text)


def test_texts_are_escaped(example, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "available", lambda: False)
    text = as_html(summarise_results(example, tmp_path))
    assert "broke &lt;down&gt;" in text
    assert "<down>" not in text
    assert "trainer experiments &lt;data&gt;.h5" in text
    assert as_markdown([Table("", ["a|b"], [["c|d"]])]) == "| a\\|b |\n| --- |\n| c\\|d |\n"


def test_both_forms_of_every_block(tmp_path):
    blocks = [
        Heading("T", 1),
        Paragraph("words"),
        Paragraph("careful", warning=True),
        Bullets(("one", "two")),
        MadeBy("trainer x", {"python": "3"}),
        Table("F", ["", "x"], [["ours", Cell("1 ▼", "better")], ["theirs", "2"]], published=frozenset({1})),
        Image("p.svg", b"svg", "seen"),
    ]
    write_blocks(blocks, tmp_path)
    assert (tmp_path / "pictures" / "p.svg").read_bytes() == b"svg"
    page, text = (tmp_path / "report.html").read_text(), (tmp_path / "report.md").read_text()
    assert text == as_markdown(blocks)
    for found in (
        '<p class="warning">careful</p>',
        '<td class="mp-num better">1 ▼</td>',
        '<tr class="published">',
        "<title>T</title>",
        "base64,c3Zn",
    ):
        assert found in page
    assert page.index("Made with python 3, by:</p><pre>trainer x</pre>") > page.index("<footer")
    for found in ("# T\n", "> careful", "- one\n- two", "Made by:\n\n    trainer x\n", "| ours | **1 ▼** |", "![seen](pictures/p.svg)"):
        assert found in text


def test_no_finished_run_is_a_report_of_failures(tmp_path):
    text = as_markdown(summarise_results(results([], [Failure(name="x", error="why")]), tmp_path))
    assert "1 run failed" in text
    assert "- x: why" in text
    assert "At a glance" not in text


@pytest.mark.parametrize(
    ("values", "given", "lower", "expected"),
    [
        ([1.0], 2.0, True, Cell("1.0 ▼", "better")),
        ([3.0], 2.0, True, Cell("3.0 ▲", "worse")),
        ([3.0], 2.0, False, Cell("3.0 ▲", "better")),
        ([2.0], 2.0, False, Cell("2.0 =")),
        ([2.0], None, True, Cell("2.0")),
        ([], 2.0, True, Cell("–")),
    ],
)
def test_marks(values, given, lower, expected):
    assert compared(values, given, lower_is_better=lower) == expected


def test_spread_is_the_sample_standard_deviation():
    assert spread([1.0, 2.0, 3.0, 4.0]) == "2.5 ± 1.3"
    assert spread([1.0, 2.0], digits=2, expected=3) == "1.50 ± 0.71 (2 of 3)"


def test_ablation_compares_runs_of_the_same_seed():
    def sides(mpjpe, pck):
        return {"validation": side(mpjpe), "test": side(mpjpe + 1), "basketball": side(2 * mpjpe, pck), "break dance": side(3 * mpjpe, pck)}

    runs = [run_result("ablation", "default", seed, sides(40.0 + 10 * seed, 90.0), "complete") for seed in (0, 1)]
    runs += [run_result("ablation", "default", 1, sides(53.0, 80.0), "flip")]
    found = rows(summarise_ablation(results(runs, recipes=("default",))), "")
    assert found[0] == [
        "complete",
        "45.0 ± 7.1",
        "46.0 ± 7.1",
        "90.0 ± 14.1",
        "135.0 ± 21.2",
        "112.5 ± 17.7",
        "90.0 ± 0.0",
        "300.0 ± 0.0",
    ]
    assert found[1][:3] == ["without flip", "53.0 (1 of 2) (+3.0)", "54.0 (1 of 2) (+3.0)"]
    assert found[1][6] == "80.0 (1 of 2) (-10.0)"


def test_figures_of_cmu_say_how_many_seeds_they_rest_on():
    run = run_result("CMU", "paper", 0, {"train": side(100.0), "basketball": side(200.0), "break dance": side(300.0)})
    blocks = summarise_results(results([run], recipes=("paper",), seeds=(0, 1, 2)), None)
    titles = [row[:2] for block in blocks if isinstance(block, Table) and "CMU" in block.title for row in block.rows if row[1] != "published"]
    assert [any("paper (1 of 3 seeds)" in cell for cell in title) for title in titles] == [True] * len(titles)


def test_runs_that_are_not_finished_are_named(example):
    some = example.model_copy(update={"runs": example.runs[:1], "failures": (), "unfinished": ("paper-C-s0", "paper-C-s1")})
    for blocks in (summarise_results(some, None), summarise_ablation(some.model_copy(update={"recipes": ("paper",)}))):
        warnings = [block.text for block in blocks if isinstance(block, Paragraph) and block.warning]
        assert "Not finished, so figures are missing or rest on fewer seeds: paper-C-s0, paper-C-s1." in warnings


def test_ablation_says_which_settings_differ():
    found = []
    for variant, settings in (("complete", {"head": "rigid", "augment": {"flip": 0.5}}), ("flip", {"head": "rigid", "augment": {"flip": 0.0}})):
        run = run_result("ablation", "default", 0, {"test": side(40.0)}, variant)
        found.append(run.model_copy(update={"config": settings | {"seed": 0}}))
    blocks = summarise_ablation(results(found, recipes=("default",), seeds=(0,)))
    assert Bullets(("without flip: augment.flip=0.0",)) in blocks
