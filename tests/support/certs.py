#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private certificate authority and one certificate for each thing that can be wrong with one.

    ca = Certs(directory)              # makes what is not there yet, in a third of a second
    ca.ca_file                         # what a client shall trust (ssl_ca_file)
    ca["good"].chain, ca["good"].key   # what a server shall present: PEM files

    certs.py --dir DIR                 # the same from a shell; prints a table

TABLE is the matrix: to add a certificate, add a row.  All of it is made by the openssl command
line (EC P-256 keys, SHA-256); nothing here is a secret or good for anything but a test.

What it is not: a TLS server.  dovecot.py and scripted.py present these files.
"""

import argparse
import dataclasses
import datetime
import fcntl
import pathlib
import subprocess
import sys
import tempfile

DAY = datetime.timedelta(days=1)

# Addresses up to .9, for servers that present different certificates at different ones.
LOCAL = ("DNS:localhost", "IP:::1", *(f"IP:127.0.0.{last}" for last in range(1, 10)))


@dataclasses.dataclass(frozen=True)
class Spec:
    """One row of the matrix."""
    about: str
    san: tuple = LOCAL           # subjectAltName entries as openssl spells them; () for none
    cn: str = "localhost"
    issuer: str = "ca"           # another row, "ca", "stranger" (not in ca_file), or "" for itself
    usage: str = "serverAuth"    # extendedKeyUsage
    begins: int = -2             # days from now
    ends: int = 30
    authority: bool = False      # may sign others
    send_chain: bool = True      # .chain holds the intermediates too
    san_der: str = ""            # or subjectAltName as DER in hex, where openssl has no syntax


TABLE = {
    "ca": Spec("the authority in ca_file", san=(), cn="Test CA", issuer="", usage="",
               authority=True),
    "stranger": Spec("an authority nobody trusts", san=(), cn="Stranger CA", issuer="", usage="",
                     authority=True),
    "inter": Spec("an intermediate authority", san=(), cn="Test Intermediate", usage="",
                  authority=True),
    "inter-expired": Spec("an intermediate that has expired", san=(), cn="Old Intermediate",
                          usage="", authority=True, begins=-30, ends=-1),

    "good": Spec("localhost, 127.0.0.1 to .9 and ::1; nothing is wrong"),
    "good-ip": Spec("IP addresses only, no DNS name", san=LOCAL[1:], cn="nobody.test"),
    "good-dns": Spec("the DNS name localhost only, no IP address", san=LOCAL[:1]),
    "good-inter": Spec("through an intermediate that is sent along", issuer="inter"),

    "wrong-host": Spec("another host's name and address",
                       san=("DNS:mail.example.test", "IP:192.0.2.1"), cn="mail.example.test"),
    "cn-only": Spec("the host in CN and no subjectAltName", san=()),
    "self-signed": Spec("its own issuer", issuer=""),
    "unknown-ca": Spec("issued by an authority that is not in ca_file", issuer="stranger"),
    "expired": Spec("expired yesterday", begins=-30, ends=-1),
    "expired-inter": Spec("valid itself, through an intermediate that has expired",
                          issuer="inter-expired"),
    "not-yet-valid": Spec("begins in ten days", begins=10, ends=40),
    "missing-inter": Spec("through an intermediate that is not sent", issuer="inter",
                          send_chain=False),
    "client-only": Spec("extendedKeyUsage clientAuth only", usage="clientAuth"),

    "wildcard": Spec("*.mail.test: good for imap.mail.test, not for mail.test or a.b.mail.test",
                     san=("DNS:*.mail.test",), cn="*.mail.test"),
    "wildcard-tld": Spec("*.test: one label under the star, which no client should take",
                         san=("DNS:*.test",), cn="*.test"),
    "wildcard-partial": Spec("l*alhost: a star within a label", san=("DNS:l*alhost",), cn="l*t"),
    # SEQUENCE { [2] "localhost\0.evil.test" }, 22 and 20 bytes: a C string would end at the NUL.
    "nul-san": Spec("localhost, a NUL and .evil.test in one DNS name",
                    san_der="30168214" + b"localhost\0.evil.test".hex()),
    "idn": Spec("an internationalised name: bücher.mail.test",
                san=("DNS:xn--bcher-kva.mail.test",), cn="bücher.mail.test"),
}


@dataclasses.dataclass(frozen=True)
class Cert:
    """The files of one certificate."""
    name: str
    key: pathlib.Path            # private key, PEM
    cert: pathlib.Path           # the certificate alone, PEM
    chain: pathlib.Path          # what a server sends: the certificate, then intermediates


class Certs:
    """All certificates of TABLE in one directory; those already there are kept."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        with open(self.dir / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name, spec in TABLE.items():
                if not self[name].chain.exists():
                    self._make(name, spec)

    @property
    def ca_file(self):
        return self["ca"].cert

    def __getitem__(self, name):
        if name not in TABLE:
            raise KeyError(f"no certificate {name!r}; there are: {', '.join(TABLE)}")
        return Cert(name, self.dir / f"{name}.key", self.dir / f"{name}.crt",
                    self.dir / f"{name}.pem")

    def names(self, authorities=False):
        return [name for name, spec in TABLE.items() if spec.authority == authorities]

    def _make(self, name, spec):
        files = self[name]
        issuer = self[spec.issuer or name]
        with tempfile.TemporaryDirectory(dir=self.dir) as scratch:
            scratch = pathlib.Path(scratch)
            config = scratch / "config"
            config.write_text(self._config(scratch, spec), encoding="utf-8")
            (scratch / "index").write_text("")
            self._openssl("req", "-new", "-config", config, "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:P-256", "-nodes", "-keyout", files.key,
                          "-out", scratch / "request")
            files.key.chmod(0o600)

            # `ca` and not `x509 -req`, because only it takes both dates (before OpenSSL 3.4).
            now = datetime.datetime.now(datetime.timezone.utc)
            signer = ["-selfsign"] if not spec.issuer else ["-cert", issuer.cert]
            self._openssl("ca", "-batch", "-notext", "-config", config, "-keyfile", issuer.key,
                          *signer, "-in", scratch / "request", "-out", files.cert,
                          "-startdate", f"{now + spec.begins * DAY:%Y%m%d%H%M%SZ}",
                          "-enddate", f"{now + spec.ends * DAY:%Y%m%d%H%M%SZ}")

            chain = files.cert.read_text()
            if spec.send_chain and spec.issuer not in ("", "ca", "stranger"):
                chain += issuer.cert.read_text()
            # The last file to appear says that the row is complete.
            (scratch / "chain").write_text(chain)
            (scratch / "chain").rename(files.chain)

    def _config(self, scratch, spec):
        extensions = ["subjectKeyIdentifier = hash", "authorityKeyIdentifier = keyid"]
        if spec.authority:
            extensions += ["basicConstraints = critical, CA:TRUE",
                           "keyUsage = critical, keyCertSign"]
        else:
            extensions += ["basicConstraints = critical, CA:FALSE",
                           "keyUsage = critical, digitalSignature"]
        if spec.usage:
            extensions.append(f"extendedKeyUsage = {spec.usage}")
        if spec.san_der:
            extensions.append(f"subjectAltName = DER:{spec.san_der}")
        elif spec.san:
            extensions.append(f"subjectAltName = {', '.join(spec.san)}")
        return "\n".join([
            "[req]", "prompt = no", "utf8 = yes", "string_mask = utf8only",
            "distinguished_name = name",
            "[name]", f"CN = {spec.cn}",
            "[ca]", "default_ca = self",
            "[self]", f"database = {scratch}/index", f"new_certs_dir = {scratch}",
            "rand_serial = yes", "unique_subject = no", "default_md = sha256",
            "policy = anything", "x509_extensions = ext",
            "[anything]", "commonName = supplied",
            "[ext]", *extensions, ""])

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(map(str, arguments))}\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description="Make the tests' certificates.")
    parser.add_argument("--dir", required=True)
    options = parser.parse_args()
    certs = Certs(options.dir)
    for name, spec in TABLE.items():
        print(f"{certs[name].chain}\t{spec.about}")
    print(f"trust {certs.ca_file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
