"""The check of pages finds what is planted, and nothing on a page without faults."""

from __future__ import annotations

from typing import Any

import pytest

from tests.axe.check_page import serious

PAGE = "<!doctype html><html lang='en'><head><title>A page</title></head><body><main><h1>Words</h1>{}</main></body></html>"
FAULTS = {
    "color-contrast": "<p style='color: #999; background: #fff'>pale</p>",
    "button-name": "<button></button>",
    "image-alt": "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
    "scrollable-region-focusable": "<div style='width: 90px; height: 20px; overflow: auto'><p style='width: 900px'>wide</p><p>two</p></div>",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(browser: Any, fault: str) -> None:
    page = browser.new_page()
    page.set_content(PAGE.format(FAULTS[fault]))
    assert [line.split()[0] for line in serious(page)] == [fault]
    page.close()


def test_a_page_without_faults_passes_whatever_its_content_policy(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(PAGE.replace("<head>", "<head><meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">").format("<p>text</p>"))
    assert serious(page) == []
    page.close()
