from tests.web.browser import Site


def test_a_page_that_is_not_there_says_so(site: Site) -> None:
    page = site.browser("admin@example.org").get("/no/such/page")
    assert page.status == 404
    assert "There is nothing here" in page.text


def test_every_answer_has_the_headers_that_keep_others_out(site: Site) -> None:
    headers = site.browser().get("/no/such/page").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
