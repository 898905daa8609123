"""The video behind the 2D pane."""

import shutil

import numpy as np
import pytest

from mocapgen.store.predictions import open_predictions
from mocapgen.view import backdrop
from mocapgen.view.write_page import view
from schemas.errors import ConfigError
from tests.videos import write_video
from tests.view.conftest import PLAYER, SCREENSHOT, write_predictions


@pytest.fixture(scope="module")
def predicted(files, tmp_path_factory):
    return write_predictions(files["unity"], tmp_path_factory.mktemp("backdrop") / "pred.h5", [0])


@pytest.fixture(scope="module")
def clip(predicted):
    """A video of two seconds that becomes lighter with time, in a form that every browser plays."""
    with open_predictions(predicted) as data:
        camera = data[0].camera
    images = [np.full((camera.height // 8 * 2, camera.width // 8 * 2, 3), 4 * k, dtype=np.uint8) for k in range(50)]
    return write_video(predicted.with_name("a clip.webm"), images, 25.0)


def test_a_small_video_is_in_the_page(predicted, clip, tmp_path):
    report = view(predicted, out=tmp_path / "a.html", video=clip)
    page = report.path.read_text()
    assert 'src="data:video/webm;base64,' in page
    assert "media-src" in page
    assert report.video.endswith("in the page")
    assert "media-src" not in view(predicted, out=tmp_path / "b.html").path.read_text()


def test_a_large_video_stays_where_it_is(predicted, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(backdrop, "MOST_EMBEDDED", 10)
    (tmp_path / "pages").mkdir()
    here = shutil.copy(clip, tmp_path / "a clip.webm")
    report = view(predicted, out=tmp_path / "pages" / "a.html", video=here)
    assert 'src="../a%20clip.webm"' in report.path.read_text()
    assert "keep it where it is" in report.video


def test_what_does_not_fit_is_refused(predicted, files, tmp_path):
    upright = write_video(tmp_path / "upright.mp4", [np.zeros((64, 32, 3), dtype=np.uint8)] * 3)
    with pytest.raises(ConfigError, match="video: expected the video that"):
        view(predicted, out=tmp_path / "a.html", video=upright)
    with pytest.raises(ConfigError, match="found a dataset"):
        view(files["unity"], out=tmp_path / "a.html", video=upright)


@pytest.mark.parametrize("embedded", [True, False])
def test_the_picture_is_that_of_the_frame(predicted, clip, tmp_path, browser, monkeypatch, embedded):
    monkeypatch.setattr(backdrop, "MOST_EMBEDDED", 10**9 if embedded else 10)
    path = view(predicted, out=tmp_path / "a.html", video=clip).path
    page = browser.new_page(viewport={"width": 900, "height": 500})  # frames are drawn by the processor
    complaints = []
    page.on("console", lambda message: None if SCREENSHOT in message.text else complaints.append(message.text))
    page.goto(path.resolve().as_uri() + "#sequence=0&frame=30")
    page.wait_for_function("() => { const v = document.querySelector('video'); return v.readyState >= 2 && !v.seeking && v.currentTime > 0.99; }")
    assert page.evaluate("() => document.querySelector('video').currentTime") == pytest.approx(1.0, abs=0.01)
    page.wait_for_function(f"() => {PLAYER}.world.picture")  # making it takes longer than the two may be apart
    page.evaluate(f"() => {PLAYER}.play()")
    page.wait_for_function("() => { const v = document.querySelector('video'); return !v.paused && v.currentTime > 1.05; }")
    shown, played = page.evaluate(f"() => [{PLAYER}.frame / {PLAYER}.scene.fps, document.querySelector('video').currentTime]")
    assert shown == pytest.approx(played, abs=0.5)
    assert complaints == []
    page.close()
