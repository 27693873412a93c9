"""A page with one widget's code and nothing else: no server, no kernel."""

from contextlib import contextmanager


@contextmanager
def bare_page(browser, content, sheets, script, *, width=800):
    """Open a page that must end without an error; `script` is a widget's, with what it is given."""
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(content)
    page.add_style_tag(content=sheets)
    page.add_script_tag(content=f"{{ {script.replace('export default { render };', '')} }}")
    yield page
    context.close()
    assert errors == []
