"""The rules of OPSMEND_SLACK__MENTIONS: which one wins, and what is refused."""

from typing import Final

import pytest

from opsmend.domain.alert import Severity
from opsmend.domain.mentions import MentionRule, mentioned, read_mentions

EVERYTHING: Final = "*=here; critical=S0CRITICAL; shop=U0SHOPPERS; shop/critical=U0BOTHOFIT,W0ENTERPRISE; dev=none"


@pytest.mark.parametrize(
    ("namespace", "severity", "who"),
    [
        ("shop", "critical", ("U0BOTHOFIT", "W0ENTERPRISE")),
        ("shop", "warning", ("U0SHOPPERS",)),
        ("pay", "critical", ("S0CRITICAL",)),
        ("pay", "info", ("here",)),
        ("", "info", ("here",)),
        ("", "critical", ("S0CRITICAL",)),
        ("dev", "critical", ()),
    ],
)
def test_the_most_specific_rule_wins(namespace: str, severity: str, who: tuple[str, ...]) -> None:
    entries = EVERYTHING.split(";")
    for text in (EVERYTHING, ";".join(reversed(entries))):
        assert mentioned(read_mentions(text), namespace, Severity(severity)) == who


@pytest.mark.parametrize("text", ["", " ; ", "shop=here"])
def test_where_no_rule_fits_nobody_is_mentioned(text: str) -> None:
    assert mentioned(read_mentions(text), "pay", Severity.CRITICAL) == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("critical/*=here", MentionRule(namespace="critical", who=("here",))),
        ("*/critical=here", MentionRule(severity=Severity.CRITICAL, who=("here",))),
        ("critical=here", MentionRule(severity=Severity.CRITICAL, who=("here",))),
        ("default=here", MentionRule(namespace="default", who=("here",))),
        ("*/*=here", MentionRule(who=("here",))),
        (" shop/info = U0123456789 , here , U0123456789 ", MentionRule(
            namespace="shop", severity=Severity.INFO, who=("U0123456789", "here")
        )),
    ],
)  # fmt: skip
def test_an_entry_is_read_as_it_is_meant(text: str, rule: MentionRule) -> None:
    assert read_mentions(text) == (rule,)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("here", "`here` says nobody"),
        ("shop=", "`shop=` mentions ``"),
        ("*=here; critical=@mia", "`critical=@mia` mentions `@mia`"),
        ("*=sre-oncall", "mentions `sre-oncall`"),
        ("*=u0123456789", "mentions `u0123456789`"),
        ("*=C0123456789", "mentions `C0123456789`"),
        ("*=<!channel>", "mentions `<!channel>`"),
        ("*=U0123456789> <!channel", "mentions `U0123456789> <!channel`"),
        ("*=none,here", "mentions `none`"),
        ("Shop=here", "is for `Shop`, which is no namespace"),
        ("shop/fatal=here", "is for severity `fatal`: expected critical, warning, info or `*`"),
        ("shop/critical/web=here", "is for severity `critical/web`"),
        ("shop=here; shop/*=channel", "`shop/*=channel` is the second rule"),
        ("=here", "is for ``, which is no namespace"),
    ],
)
def test_a_bad_entry_is_named_with_what_was_expected(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"^`") as refused:
        read_mentions(text)
    assert complaint in str(refused.value)
