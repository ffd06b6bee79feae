"""Mail by SMTP."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import unquote, urlsplit

from service.notifying.sending import Message, NotSent

SECONDS: Final = 15.0
LONGEST_SUBJECT: Final = 150
PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in: `smtp://user:password@host:587` (STARTTLS) or `smtps://…` (TLS from the first byte)."""

    url: str
    sender: str
    insecure: bool = False
    """True: hand in without encryption where the server offers none; for one on this machine."""

    def send(self, message: Message, to: Sequence[str]) -> str:
        """Hand a message in; what became of it, for the record. Raises NotSent, in words without the password."""
        parts = urlsplit(self.url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise NotSent("COSTPLAN_SMTP_URL must be smtp://user:password@host:port or smtps://…")
        try:
            with self._connected(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]) as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                refused = server.send_message(letter(message, self.sender, to), self.sender, list(to))
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"{parts.hostname} answered {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"{parts.hostname}: {type(error).__name__}") from None
        if refused:
            raise NotSent(f"{parts.hostname} refused {len(refused)} of {len(to)} addresses")
        return f"{parts.hostname} took it for {len(to)} address{'es' if len(to) > 1 else ''}"

    def _connected(self, scheme: str, host: str, port: int) -> smtplib.SMTP:
        trusted = ssl.create_default_context()
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=trusted)
        server = smtplib.SMTP(host, port, timeout=SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=trusted)
        elif not self.insecure:
            server.close()
            raise NotSent(f"{host} offers no encryption; use smtps://, or COSTPLAN_NOTIFY_PRIVATE_ADDRESSES=true")
        return server


def letter(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail: its subject on one line whatever the event says, its id the same at every attempt."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Subject"] = " ".join(message.text.split())[:LONGEST_SUBJECT]
    made["Message-ID"] = f"<{message.message_id}@llm-cost-planner>"
    lines = [message.text, "", *(f"{name}: {value}" for name, value in message.details), ""]
    made.set_content("\n".join([*lines, f"{message.type} · {message.subject} · {message.occurred_at}"]) + "\n")
    return made
