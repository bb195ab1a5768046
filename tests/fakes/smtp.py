"""An SMTP server on loopback that behaves: it takes mails, refuses, hangs, and can speak TLS."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any


class PostOffice:
    """What has arrived, and how the server answers; `replies` is by command, or by `RCPT ADDRESS`."""

    def __init__(self) -> None:
        self.port = 0
        self.greeting = "220 post office"
        self.replies: dict[str, str] = {}
        self.features = ["8BITMIME"]
        self.context: ssl.SSLContext | None = None
        self.commands: list[str] = []
        self.mails: list[tuple[str, EmailMessage]] = []
        self.hang = threading.Event()
        self.hanging = False

    def texts(self) -> dict[str, str]:
        return {to: mail.get_content() for to, mail in self.mails}

    def serve(self, link: "_Line") -> None:
        to: list[str] = []
        link.write(self.greeting)
        while (line := link.read()) is not None:
            self.commands.append(line)
            command = line.split(" ")[0].upper()
            if self.hanging:
                self.hang.wait(10)
                return
            address = line.partition("<")[2].partition(">")[0]
            reply = self.replies.get(f"{command} {address}") or self.replies.get(command)
            if command == "EHLO":
                lines = ["post office", *self.features, *(["STARTTLS"] if self.context and not link.secure else [])]
                for number, feature in enumerate(lines, 1):
                    link.write(f"250{' ' if number == len(lines) else '-'}{feature}")
            elif command == "STARTTLS" and self.context is not None:
                link.write("220 go ahead")
                if not link.secured(self.context):
                    return
            elif command == "DATA" and reply is None:
                link.write("354 go ahead")
                raw = link.read_mail()
                mail = message_from_bytes(raw, policy=policy.default)
                assert isinstance(mail, EmailMessage)
                self.mails += [(one, mail) for one in to]
                to = []
                link.write("250 taken")
            elif command == "QUIT":
                link.write("221 bye")
                return
            else:
                link.write(reply or ("235 welcome" if command == "AUTH" else "250 ok"))
                if command == "RCPT" and not (reply or "250").startswith(("4", "5")):
                    to.append(address)


class _Line:
    def __init__(self, request: Any) -> None:
        self._socket = request
        self._file = request.makefile("rb")
        self.secure = False

    def read(self) -> str | None:
        line: bytes = self._file.readline()
        return line.decode(errors="replace").strip() if line else None

    def read_mail(self) -> bytes:
        lines = []
        while (line := self._file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def write(self, text: str) -> None:
        self._socket.sendall(f"{text}\r\n".encode())

    def secured(self, context: ssl.SSLContext) -> bool:
        try:
            self._socket = context.wrap_socket(self._socket, server_side=True)
        except (ssl.SSLError, OSError):
            return False
        self._file = self._socket.makefile("rb")
        self.secure = True
        return True

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """Open while it is needed."""
    office = PostOffice()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            line = _Line(self.request)
            try:
                office.serve(line)
            except OSError:
                return
            finally:
                line.close()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield office
        finally:
            office.hang.set()
            server.shutdown()
            thread.join(timeout=10)


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, and the server's side of it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "post office")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "post-office.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context
