"""Certificates, and users of TLS, for the tests."""

import hashlib
import os
import ssl

from .lab import DEADLINE
from .wire import Wire, connect


class Authority:
    """A certificate authority of the lab's own."""

    def __init__(self, lab):
        self.lab = lab
        self.key, self.cert = lab.path("ca.key"), lab.path("ca.crt")
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
            "-subj", "/CN=ptp test authority", "-keyout", self.key,
            "-out", self.cert)

    def _openssl(self, *argv):
        done = self.lab.run(["openssl", *argv])
        if done.returncode != 0:
            raise OSError(done.stderr)

    def issue(self, name, kind="ec", days=90):
        """A certificate for that name: paths of its chain and its key."""
        base = self.lab.path(name.replace("*", "_") + f"-{self.lab.next()}")
        new = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
               "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
               "ed25519": ["ed25519"]}.get(kind, [kind])
        self._openssl("req", "-new", "-newkey", *new, "-nodes", "-subj",
                      f"/CN={name}", "-keyout", base + ".key", "-out",
                      base + ".csr")
        self.lab.write(base + ".ext", f"subjectAltName=DNS:{name}\n"
                       "extendedKeyUsage=serverAuth\n"
                       "crlDistributionPoints=URI:http://127.0.0.1/crl\n")
        self._openssl("x509", "-req", "-in", base + ".csr", "-CA", self.cert,
                      "-CAkey", self.key, "-days", str(days), "-extfile",
                      base + ".ext", "-out", base + ".crt")
        with open(self.cert, "rb") as f, open(base + ".crt", "ab") as out:
            out.write(f.read())
        os.chmod(base + ".key", 0o600)
        return base + ".crt", base + ".key"

    def context(self, low=None, high=None, alpn=("http/1.1",)):
        """A user who trusts it, and speaks these versions."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.cert)
        context.minimum_version = low or ssl.TLSVersion.TLSv1_2
        context.maximum_version = high or ssl.TLSVersion.MAXIMUM_SUPPORTED
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


def anyone():
    """A user who trusts every certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def fingerprint(path):
    """SHA-256 of the first certificate of a file."""
    with open(path, encoding="ascii") as f:
        first = f.read().split("-----END CERTIFICATE-----")[0]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(
        first + "-----END CERTIFICATE-----\n")).hexdigest()


def seen(wire):
    """SHA-256 of the certificate that the server has shown."""
    return hashlib.sha256(wire.sock.getpeercert(True)).hexdigest()


def dial(port, name=None, context=None, timeout=DEADLINE, session=None,
         rcvbuf=0):
    """A user's connection over TLS; without name none is sent."""
    raw = connect(port, timeout, rcvbuf=rcvbuf).sock
    return Wire((context or anyone()).wrap_socket(
        raw, server_hostname=name, session=session), timeout)


class Half:
    """TLS over a raw socket, for ends that Python's sockets cannot make."""

    def __init__(self, port, name=None, timeout=DEADLINE):
        self.raw = connect(port, timeout).sock
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = anyone().wrap_bio(self.come, self.go, server_hostname=name)
        self._do(self.tls.do_handshake)

    def _do(self, call, *args):
        while True:
            try:
                value = call(*args)
                self.flush()
                return value
            except ssl.SSLWantReadError:
                self.flush()
                data = self.raw.recv(65536)
                if not data:
                    raise EOFError("a bare end") from None
                self.come.write(data)

    def flush(self):
        if self.go.pending:
            self.raw.sendall(self.go.read())

    def send(self, data):
        self._do(self.tls.write, data)

    def read(self, count=65536):
        """Some bytes; b"" at close_notify; EOFError at a bare end."""
        try:
            return self._do(self.tls.read, count)
        except ssl.SSLZeroReturnError:
            return b""

    def rest(self):
        """Everything up to close_notify."""
        parts = []
        while True:
            data = self.read()
            if not data:
                return b"".join(parts)
            parts.append(data)

    def notify(self):
        """close_notify: no more from here; the other direction goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def close(self):
        self.raw.close()
