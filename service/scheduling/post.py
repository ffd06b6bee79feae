"""How messages leave this installation, as its settings say."""

from datetime import datetime
from typing import Self

import msgspec

from service.domain.notifications import Target
from service.notifying.mail import MailServer
from service.notifying.posting import Poster
from service.notifying.sending import Message, NotSent
from service.notifying.signatures import BadSecret, keys_of, signed_headers
from service.notifying.slack import slack_payload
from service.settings import PREFIX, Settings


class PostOffice:
    """Sends by webhook, Slack and mail; close it when done."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._poster = Poster(private=settings.notify_private)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._poster.close()

    def send(self, target: Target, message: Message, now: datetime) -> str:
        """Send a message; what the other side said. Raises NotSent, in words that hold no secret."""
        match target.kind:
            case "webhook":
                headers = signed_headers(self._keys(target), message.message_id, now, message.body)
                return self._poster.post(self._url(target), headers, message.body)
            case "slack":
                return self._poster.post(self._url(target), {}, msgspec.json.encode(slack_payload(message)))
            case "mail":
                return self._mail().send(message, target.to)

    def _keys(self, target: Target) -> tuple[bytes, ...]:
        try:
            return keys_of(self._settings.target(target.name, "SECRET"))
        except BadSecret as error:
            raise NotSent(f"{_variable(target, 'SECRET')}: {error}") from None

    def _url(self, target: Target) -> str:
        found = target.url or self._settings.target(target.name, "URL")
        if not found:
            raise NotSent(f"the target has no url and {_variable(target, 'URL')} is not set")
        return found

    def _mail(self) -> MailServer:
        url = self._settings.text("SMTP_URL")
        if not url:
            raise NotSent("COSTPLAN_SMTP_URL is not set")
        return MailServer(url, self._settings.text("MAIL_FROM"), insecure=self._settings.notify_private)


def _variable(target: Target, what: str) -> str:
    return f"{PREFIX}TARGET_{target.name.upper().replace('-', '_')}_{what}"
