"""Outside text stays inside its block, and a diff shows what a person reads."""

import re

import pytest

from tasks.domain.evidence import EvidenceLine
from tasks.domain.markdown import bounded_diff, fenced, inline, prose, quote, readable_diff

DIFF = """diff --git a/a.txt b/a.txt
index 1111111..2222222 100644
--- a/a.txt
+++ b/a.txt
@@ -1 +1,2 @@
 index of things
+index more
"""


def test_text_cannot_close_its_own_block() -> None:
    assert fenced("a\n```\nb").startswith("````\n")


def test_prose_is_no_markup() -> None:
    assert prose("[click](http://evil) <b>") == r"\[click\](http\://evil) \<b\>"


@pytest.mark.parametrize("text", ["https://evil.example", "HTTP://evil", "see www.evil.example", "ftp://x", "a://b"])
def test_bare_address_in_prose_is_no_link(text: str) -> None:
    assert not re.search(r"(?i)[a-z]://|www\.", prose(text))
    assert prose(text).replace("\\", "") == text


@pytest.mark.parametrize("text", ["@acme/team", "`@acme/team`", "thanks @ada", "```@ada```"])
def test_nobody_is_notified_by_prose(text: str) -> None:
    assert not re.search(r"@\w", prose(text))


def test_diff_is_shown_without_gits_index_line_and_with_all_others() -> None:
    shown = bounded_diff(DIFF)
    assert "1111111" not in shown
    assert " index of things\n+index more" in shown


def test_diff_looks_like_what_it_does() -> None:
    hidden = "+if access == 'user\u202e\u2066# check\u2069':\r\n+x = 1\u2028-y = 2\x0b-z\n+\x1b[2Ja\ud800\n"
    expected = [r"+if access == 'user\u202e\u2066# check\u2069':", r"+x = 1\u2028-y = 2\u000b-z", r"+\u001b[2Ja\ud800"]
    assert readable_diff(hidden) == expected
    assert bounded_diff(hidden) == "\n".join(["```diff", *expected, "```"])
    assert readable_diff("") == []


def test_quotes_and_names_show_what_would_be_unseen() -> None:
    assert quote(EvidenceLine(id="E1", source="log", text="a\u202eb\x1b[1m")).endswith(r"a\u202eb\u001b[1m")
    assert inline("main\u202e") == r"`main\u202e`"
    assert prose("main\u202e") == r"main\\u202e"


def test_long_diff_is_cut_and_says_so() -> None:
    shown = bounded_diff(DIFF + "+x\n" * 200)
    assert "more lines: see 'healflow show'" in shown
    assert shown.count("+x") < 120
