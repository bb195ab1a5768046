"""Mail over SMTP, as much of it as cards need: plain text to a few addresses, encrypted on the way."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate

from tasks.domain.base import Noun
from tasks.errors import PermanentError, TransientError
from tasks.settings import MailSettings

_TRANSIENT = range(400, 500)
"""Replies of SMTP that may pass: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1"""


class Letter(Noun):
    """One mail to one address."""

    to: str
    subject: str
    text: str
    message_id: str
    """Without brackets; the same for the same thing said again, so that a mailbox shows it once."""
    answers: str = ""
    """The id of the mail that this one belongs below; empty for a new thread."""


class MailClient:
    """One short connection for each batch of letters."""

    def __init__(self, settings: MailSettings) -> None:
        if not settings.host or not settings.sender:
            raise PermanentError("mail is not set up: set HEALFLOW_MAIL__HOST and HEALFLOW_MAIL__SENDER")
        self._settings = settings

    def send(self, letters: Sequence[Letter]) -> None:
        """Hand all of them over; one address that is refused does not keep the others from theirs.

        Raises:
            TransientError: the server is away, busy, or took none of them for now.
            PermanentError: it refuses the login, an unencrypted connection, or every address.
        """
        refused: list[tuple[int, str]] = []
        with self._connected() as server:
            for letter in letters:
                try:
                    server.send_message(self._message(letter), self._settings.sender, [letter.to])
                except smtplib.SMTPRecipientsRefused as error:
                    refused += [(code, f"{to}: {_said(reply)}") for to, (code, reply) in error.recipients.items()]
        if refused and len(refused) == len(letters):
            told = "; ".join(text for _, text in refused)[:300]
            passing = any(code in _TRANSIENT for code, _ in refused)
            raise (TransientError if passing else PermanentError)(f"the mail server took none of the addresses: {told}")

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        where = f"{settings.host}:{settings.port}"
        try:
            with self._open() as server:
                if settings.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if settings.user:
                    password = settings.password.get_secret_value() if settings.password is not None else ""
                    server.login(settings.user, password)
                yield server
        except smtplib.SMTPAuthenticationError as error:
            raise PermanentError(f"{where} refuses the login of HEALFLOW_MAIL__USER ({error.smtp_code})") from error
        except smtplib.SMTPNotSupportedError as error:
            raise PermanentError(f"{where} cannot do what HEALFLOW_MAIL__SECURITY asks for: {error}") from error
        except ssl.SSLError as error:
            raise PermanentError(f"{where} shows no certificate that can be trusted: {error.reason}") from error
        except smtplib.SMTPResponseException as error:
            kind = TransientError if error.smtp_code in _TRANSIENT else PermanentError
            raise kind(f"{where} answers {error.smtp_code} {_said(error.smtp_error)}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise TransientError(f"{where} does not answer ({type(error).__name__})") from error

    def _open(self) -> smtplib.SMTP:
        host, port, timeout = self._settings.host, self._settings.port, float(self._settings.timeout_seconds)
        if self._settings.security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=timeout)

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = f"Healflow <{self._settings.sender}>", letter.to
        message["Subject"] = " ".join(letter.subject.split())[:200]
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = f"<{letter.message_id}>"
        if letter.answers:
            message["In-Reply-To"] = message["References"] = f"<{letter.answers}>"
        message["Auto-Submitted"] = "auto-generated"  # out-of-office replies stay away: RFC 3834
        message.set_content(letter.text)
        return message


def _said(reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:200]
