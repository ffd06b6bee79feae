"""Messages for people: Slack's blocks, and mail over a real SMTP conversation."""

import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import policy

import pytest
from typing_extensions import override

from service.notifying.mail import MailServer
from service.notifying.sending import Message, NotSent
from service.notifying.slack import slack_payload

MESSAGE = Message(
    uid="ab" * 32,
    type="budget.exceeded",
    subject="tuning",
    text="tuning has spent 96,000.00 EUR, more than its limit of 95,000.00 EUR",
    occurred_at="2026-11-02T07:00:00Z",
    body=b"{}",
    details=(("spent", "96,000.00"), ("limit", "95,000.00")),
)


def test_slack_gets_blocks_and_a_text_for_where_there_are_none() -> None:
    payload = slack_payload(MESSAGE)
    assert payload["text"] == MESSAGE.text
    assert [block["type"] for block in payload["blocks"]] == ["header", "section", "section", "context"]
    assert payload["blocks"][0]["text"] == {"type": "plain_text", "text": "A budget is exceeded", "emoji": False}
    assert payload["blocks"][2]["fields"][0] == {"type": "mrkdwn", "text": "*spent*\n96,000.00"}


def test_what_a_name_holds_is_no_link_and_calls_nobody() -> None:
    payload = slack_payload(replace(MESSAGE, text="<!channel> <https://evil.example|pay> & go", subject="<@U1>"))
    assert payload["text"] == "&lt;!channel&gt; &lt;https://evil.example|pay&gt; &amp; go"
    assert "<" not in str(payload["blocks"])


class Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to hand in a mail."""

    @override
    def handle(self) -> None:
        server = self.server
        self.say("220 test")
        while words := self.rfile.readline().decode().strip():
            verb = words[:4].upper()
            server.heard.append(words)
            if verb in {"EHLO", "HELO"}:
                self.say("250 test")
            elif verb == "RCPT" and server.refuses:
                self.say("550 nobody of that name")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                server.mails.append(b"".join(lines))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def smtp() -> Iterator[socketserver.ThreadingTCPServer]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)
    server.daemon_threads = True
    server.heard, server.mails, server.refuses = [], [], False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def mail_server(smtp: socketserver.ThreadingTCPServer, *, insecure: bool = True) -> MailServer:
    return MailServer(f"smtp://127.0.0.1:{smtp.server_address[1]}", "costplan@example.com", insecure=insecure)


def test_a_mail_is_handed_in_with_an_id_that_stays(smtp: socketserver.ThreadingTCPServer) -> None:
    done = mail_server(smtp).send(MESSAGE, ["a@example.com", "b@example.com"])
    assert done == "127.0.0.1 took it for 2 addresses"
    [sent] = [email.message_from_bytes(one, policy=policy.default) for one in smtp.mails]
    assert (sent["Subject"], sent["To"]) == (MESSAGE.text, "a@example.com, b@example.com")
    assert sent["Message-ID"] == f"<{MESSAGE.message_id}@llm-cost-planner>"
    assert "spent: 96,000.00" in sent.get_content()


def test_an_event_cannot_add_a_header_or_an_addressee(smtp: socketserver.ThreadingTCPServer) -> None:
    mail_server(smtp).send(replace(MESSAGE, text="x\r\nBcc: all@example.com\r\n\r\nhello"), ["a@example.com"])
    [sent] = [email.message_from_bytes(one, policy=policy.default) for one in smtp.mails]
    assert sent["Bcc"] is None
    assert [words for words in smtp.heard if words.startswith("rcpt")] == ["rcpt TO:<a@example.com>"]


def test_a_server_without_encryption_is_handed_nothing_unless_it_is_allowed(
    smtp: socketserver.ThreadingTCPServer,
) -> None:
    with pytest.raises(NotSent, match="offers no encryption"):
        mail_server(smtp, insecure=False).send(MESSAGE, ["a@example.com"])
    assert smtp.mails == []


def test_a_mail_that_is_refused_says_so_without_the_password(smtp: socketserver.ThreadingTCPServer) -> None:
    smtp.refuses = True
    with pytest.raises(NotSent, match="SMTPRecipientsRefused"):
        mail_server(smtp).send(MESSAGE, ["a@example.com"])
    elsewhere = MailServer("smtp://me:hunter2@127.0.0.1:1", "costplan@example.com", insecure=True)
    with pytest.raises(NotSent) as failed:
        elsewhere.send(MESSAGE, ["a@example.com"])
    assert "hunter2" not in str(failed.value)
