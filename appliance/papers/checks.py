"""What papers let the doctor check: templates can be read, PDF can be made, nothing is overdue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path

from appliance.clock import SystemClock
from appliance.doctor import Finding
from appliance.errors import BadFile, BadHome
from appliance.papers.pages import check_templates
from appliance.papers.recurring import due_papers, papers_of
from appliance.papers.template import template_of
from appliance.records.store import glance
from appliance.settings import FILE, load

LIBRARIES = ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
FONTS = ("wqy", "cjk", "sourcehan", "uming", "ukai", "simsun", "simhei")
"""Parts of the file names of fonts with Chinese glyphs."""


def check_papers(home: Path) -> Iterator[Finding]:
    """All checks of papers."""
    if not (home / FILE).exists():
        return
    templates = _templates(home)
    yield templates
    yield _pdf()
    if templates.result == "passed":
        yield _due(home)


def _templates(home: Path) -> Finding:
    try:
        template_of(home)
        papers_of(home)
        check_templates(home)
    except BadFile as error:
        return Finding("papers.templates", "failed", error.zh, error.en)
    return Finding("papers.templates", "passed", "文书模板正常", "templates of papers can be read")


def _pdf() -> Finding:
    missing = [name for name in LIBRARIES if find_library(name) is None]
    if find_spec("weasyprint") is None:
        missing.append("weasyprint")
    if missing:
        zh, en = f"缺少 {'、'.join(missing)},不能生成 PDF", f"PDF cannot be made: {', '.join(missing)} missing"
        return Finding("papers.pdf", "failed", f"{zh};请重新运行 install.sh。", f"{en}; run install.sh again.")
    if not any(_is_chinese(file) for folder in FONT_FOLDERS for file in folder.rglob("*.[to]t[cf]")):
        return Finding(
            "papers.pdf", "failed", "没有中文字体,PDF 会缺字;请安装 fonts-wqy-zenhei。",
            "There is no Chinese font, so PDF would lack signs; install fonts-wqy-zenhei.",
        )  # fmt: skip
    return Finding("papers.pdf", "passed", "可以生成 PDF", "PDF can be made, with Chinese signs")


def _is_chinese(file: Path) -> bool:
    return any(part in file.name.lower() for part in FONTS)


def _due(home: Path) -> Finding:
    try:
        with glance(home) as connection:
            found = due_papers(connection, home, load(home), SystemClock().now())
    except BadHome as error:
        return Finding("papers.due", "skipped", error.zh, error.en)
    late = Counter(each.paper for each in found if each.state == "overdue")
    if late:
        named_zh = "、".join(f"{paper.chinese} {number} 份" for paper, number in late.items())
        named_en = ", ".join(f"{paper.english} {number}" for paper, number in late.items())
        zh = f"报表逾期: {named_zh};请运行任务 make-papers,月报请签发报送。"
        en = f"Papers are overdue: {named_en}; run the job make-papers, and hand in the return."
        return Finding("papers.due", "warning", zh, en)
    return Finding("papers.due", "passed", "没有逾期的报表", "no paper is overdue")
