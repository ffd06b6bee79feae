"""A message as Slack's incoming webhooks take it.

Source: https://docs.slack.dev/messaging/formatting-message-text and https://docs.slack.dev/reference/block-kit/blocks
"""

from typing import Any, Final

from service.notifying.sending import Message

LONGEST_HEADER, LONGEST_TEXT, MOST_FIELDS = 150, 2_900, 10
TITLES: Final = {
    "estimate.moved": "An estimate moved",
    "budget.threshold_reached": "A budget reached a threshold",
    "budget.forecast_crossing": "A budget is forecast to cross its limit",
    "budget.exceeded": "A budget is exceeded",
    "feed.stale": "A price feed is stale",
    "feed.recovered": "A price feed is back",
    "price.quarantined": "Prices are held back",
    "price.changed": "Prices changed",
    "plan.flipped": "Another plan is best now",
    "plan.ended": "A watched goal has ended",
    "commitment.expiring": "A commitment ends soon",
}


def slack_payload(message: Message) -> dict[str, Any]:
    """Blocks, and a `text` for where blocks are not shown."""
    title = TITLES.get(message.type, message.type)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:LONGEST_HEADER], "emoji": False}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _plain(message.text)}},
    ]
    if message.details:
        fields = [f"*{_plain(name)}*\n{_plain(value)}" for name, value in message.details[:MOST_FIELDS]]
        blocks.append({"type": "section", "fields": [{"type": "mrkdwn", "text": one} for one in fields]})
    context = f"{_plain(message.subject)} · {message.occurred_at} · {message.message_id}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]})
    return {"text": _plain(message.text), "blocks": blocks}


def _plain(text: str) -> str:
    """Text that Slack shows as it is: no link, no mention of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:LONGEST_TEXT]
