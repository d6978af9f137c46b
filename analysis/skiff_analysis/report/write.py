"""Joins the page: template, style, script, chart libraries and numbers in one file without a link outside."""

import hashlib
import json
import os
import pathlib

from .collect import collect

HERE = pathlib.Path(__file__).parent
LIBRARIES = (("d3-7.9.2.min.js", "LICENSE-d3.txt"), ("plot-0.6.17.min.js", "LICENSE-plot.txt"))


def library(name):
    """A vendored file, checked against the digest that it was taken with."""
    text = (HERE / "vendor" / name).read_bytes()
    listed = dict(reversed(line.split()) for line in (HERE / "vendor" / "SHA256SUMS").read_text().splitlines())
    if hashlib.sha256(text).hexdigest() != listed[name]:
        raise OSError(f"{HERE / 'vendor' / name}: not the file that was vendored")
    return text.decode()


def page(numbers):
    """The whole page as text."""
    data = json.dumps(numbers, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    scripts = "".join(
        f"<script>\n/*\n{(HERE / 'vendor' / licence).read_text()}*/\n{library(name)}\n</script>\n" for name, licence in LIBRARIES
    )
    title = numbers["title"].replace("&", "&amp;").replace("<", "&lt;")
    parts = {
        "TITLE": title,
        "STYLE": (HERE / "page.css").read_text(encoding="utf-8"),
        "LIBRARIES": scripts,
        "DATA": data,
        "SCRIPT": (HERE / "numbers.js").read_text(encoding="utf-8") + (HERE / "page.js").read_text(encoding="utf-8"),
    }
    pieces = (HERE / "page.html").read_text(encoding="utf-8").split("@@")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def write(sweep, path, **choices):
    """Writes the page, complete or not at all; the same results give the same bytes. Returns its path."""
    path = os.fspath(path)
    if os.path.isdir(path):
        path = os.path.join(path, "report.html")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        file.write(page(collect(sweep, **choices)))
    os.replace(part, path)
    return path
