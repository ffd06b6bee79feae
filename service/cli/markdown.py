"""A gate's report as a comment on a pull request."""

from collections.abc import Iterable, Sequence
from typing import Final

from service.cli.history import CAUSES, signed
from service.cli.output import harmless, money, text
from service.domain.gate import GateReport, StalePrice

MARKER: Final = "<!-- costplan check -->"
"""First line of the comment, by which a workflow finds it to replace it."""
MOST_LINES: Final = 20


def markdown_of(report: GateReport) -> str:
    """The report in GitHub-flavoured Markdown; names in it are text, never markup."""
    blocks = [MARKER, f"### Cost of {_plain(report.name)}", _verdict(report), *_change(report), *_doubts(report)]
    known = f"Prices as of {text(report.as_of.valid_at)}, known at {text(report.as_of.known_at)}."
    whose = "".join(f" {_plain(one.attribution)} ({_plain(one.licence)})." for one in report.terms)
    return "\n\n".join([*blocks, f"<sub>{known}{whose}</sub>"])


def last_word(price: StalePrice) -> str:
    """When its source was last looked at, and, if it stands still, since when."""
    looked = f"was last looked at {text(price.last_checked_at)}"
    return (
        looked if price.newest_period is None else f"{looked} and tells nothing newer than {text(price.newest_period)}"
    )


def _verdict(report: GateReport) -> str:
    total = f"{'at least ' if report.lower_bound else ''}**{money(report.total, report.currency)}**"
    if report.limit is None:
        return total
    limit = money(report.limit, report.currency)
    if report.total > report.limit:
        over = money(report.total - report.limit, report.currency)
        return f"{total}: **over the limit** of {limit} by {over}."
    if report.lower_bound:
        return f"{total}: **not shown to be within the limit** of {limit}, because lines have no price."
    return f"{total}, within the limit of {limit} ({money(report.limit - report.total, report.currency)} left)."


def _change(report: GateReport) -> Iterable[str]:
    if report.against is None:
        return
    bridge = report.bridge
    if bridge is None:
        yield f"{_plain(report.against)} has no such scenario: all of it is new."
        return
    before, after = money(bridge.before, bridge.currency), money(bridge.after, bridge.currency)
    yield f"Against {_plain(report.against)}: {before} → {after}"
    if not bridge.effects:
        yield "Nothing changed."
        return
    effects = [(CAUSES[one.cause], signed(one.amount, bridge.currency)) for one in bridge.effects]
    yield _table(
        ("Because", "Effect"), [*effects, ("**together**", f"**{signed(bridge.difference, bridge.currency)}**")]
    )
    changed = sorted((one for one in bridge.lines if one.effects), key=lambda one: -abs(one.difference))
    lines = [
        (
            f"{one.part} {one.name}",
            signed(one.difference, bridge.currency),
            ", ".join(CAUSES[e.cause] for e in one.effects),
        )
        for one in changed[:MOST_LINES]
    ]
    rest = f"\n\n{len(changed) - MOST_LINES} more lines." if len(changed) > MOST_LINES else ""
    found = _table(("Line", "Effect", "Because"), lines)
    yield f"<details><summary>Line by line</summary>\n\n{found}{rest}\n\n</details>"


def _doubts(report: GateReport) -> Iterable[str]:
    doubts = [f"Not priced: {_plain(one)}" for one in report.unpriced]
    doubts += [f"Stale: {_plain(one.series)}, {_plain(one.source)} {last_word(one)}" for one in report.stale]
    if doubts:
        yield "\n".join(f"- {one}" for one in doubts)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---", *("---:" if name == "Effect" else "---" for name in columns[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(words: str) -> str:
    """Text that Markdown and HTML leave alone."""
    escaped = "".join(f"\\{one}" if one in "\\`*_{}[]()#+-.!|~@" else one for one in harmless(words))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
