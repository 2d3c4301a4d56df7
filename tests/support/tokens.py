#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""OAuth2 for tests: access tokens that the private Dovecot accepts, and an endpoint that renews.

    issue(key, "alice", lifetime=3600)            # a JWT; a negative lifetime gives an expired one

    with TokenServer(certificates, server.key) as endpoint:
        endpoint.account_keys("alice")            # what goes into an account's section
        endpoint.url                              # https://localhost:PORT/token
        endpoint.plan("invalid_grant", 429, Answer(lifetime=-60), "redirect", "garbage")
        endpoint.requests                         # what came: [Request(form=..., headers=...)]

    tokens.py --issue alice --key FILE            # prints a token: an oauth2_token_command
    tokens.py --serve --certs DIR --key FILE      # runs an endpoint until its stdin closes

Requests are answered by the plan, in order, and then with a good token.  A refresh token is 2,000
characters long and, with rotate=True, good once: its use gives a new one and a second use of the
old one is invalid_grant, as with Microsoft.  With `login` given, the client id and secret must be
those, in the form or as HTTP Basic.

First tokens are given as well, without anybody logging in: GET /authorize sends whoever comes back
with a code for `visitor` (None: access_denied), and /device gives a code that allow() lets pass:

    endpoint.first_keys()                         # an account's keys without a refresh token
    endpoint.allow(user_code, "alice")            # the person has entered it; None: refused

What it is not: an authorization server that knows persons.
"""

import argparse
import base64
import dataclasses
import hashlib
import hmac
import http.server
import json
import pathlib
import secrets
import ssl
import sys
import threading
import time
import urllib.parse

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.support import certs  # noqa: E402

CLIENT_ID = "mailrack-test"
CLIENT_SECRET = "client ;sec#ret%20"
REFRESH_TOKEN_LENGTH = 2000


def _base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def issue(key, user, lifetime=3600, **claims):
    """A JWT for user, signed with HS256 by key (bytes), valid from a minute ago until lifetime
    seconds from now."""
    now = int(time.time())
    body = {"sub": user, "iat": now - 60 + min(lifetime, 0), "exp": now + lifetime,
            "iss": "mailrack-test", "jti": secrets.token_hex(8), **claims}
    signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode())
                      for part in ({"alg": "HS256", "typ": "JWT"}, body))
    signature = hmac.new(key, signed.encode("ascii"), hashlib.sha256).digest()
    return signed + "." + _base64url(signature)


@dataclasses.dataclass
class Answer:
    """What to say to one request.  Without status the request is answered by the rules, with this
    lifetime in the token and expires_in beside it (the same unless given)."""
    status: int = 0
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)
    lifetime: int = 3600
    expires_in: int = None       # None: as lifetime; 0: leave it out
    delay: float = 0.0           # seconds before anything is sent
    close: bool = False          # close instead of answering
    trickle: float = 0.0         # seconds between the octets of the body


def _error(status, name, **headers):
    return Answer(status, json.dumps({"error": name, "error_description": f"test: {name}"}
                                     ).encode(), {"Content-Type": "application/json", **headers})


def _json(content):
    return Answer(200, json.dumps(content).encode(), {"Content-Type": "application/json",
                                                      "Cache-Control": "no-store"})


# The answers that have a name.
NAMED = {
    "invalid_grant": _error(400, "invalid_grant"),
    "invalid_client": _error(401, "invalid_client"),
    "garbage": Answer(200, b"<html>{\"access_token\": \xff\x00", {"Content-Type": "text/html"}),
    "not-a-token": Answer(200, b'{"access_token": 17}', {"Content-Type": "application/json"}),
    "empty": Answer(200, b"", {"Content-Type": "application/json"}),
    "huge": Answer(200, b'{"access_token": "' + b"x" * (8 << 20) + b'"}',
                   {"Content-Type": "application/json"}),
    "redirect": Answer(307, b"", {"Location": "/elsewhere"}),
    "close": Answer(close=True),
    "slow": Answer(delay=3),
    "hang": Answer(delay=3600),
    "expired": Answer(lifetime=-60, expires_in=3600),
}


@dataclasses.dataclass(frozen=True)
class Request:
    """What a client sent."""
    method: str
    path: str
    headers: dict                # names in lower case
    body: bytes
    form: dict                   # the body as a form, the last value of each name


class TokenServer:
    """An HTTPS token endpoint on localhost, in threads of this process."""

    def __init__(self, certificates, key, certificate="good", rotate=False,
                 login=(CLIENT_ID, CLIENT_SECRET), port=0):
        self.key = key
        self.rotate = rotate
        self.login = login
        self.requests = []
        self.users = {}              # refresh token -> user
        self.spent = set()
        self.visitor = "alice"
        self.codes = {}              # code -> (user, redirect URI, PKCE challenge)
        self.devices = {}            # device code -> [user code, user, answered]
        self._planned = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._ca_file = certificates.ca_file
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates[certificate].chain, certificates[certificate].key)
        self._http = _Server(("127.0.0.1", port), _Handler, self, context)
        self.port = self._http.server_address[1]
        self.url = f"https://localhost:{self.port}/token"

    def start(self):
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def close(self):
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def plan(self, *answers):
        """Answer the next requests with these: an Answer, a name of NAMED, or an HTTP status."""
        for answer in answers:
            if isinstance(answer, int):
                retry = {"Retry-After": "1"} if answer in (429, 503) else {}
                answer = _error(answer, "temporarily_unavailable", **retry)
            elif isinstance(answer, str):
                answer = NAMED[answer]
            with self._lock:
                self._planned.append(answer)

    def refresh_token(self, user):
        """A new refresh token that is good for user."""
        token = secrets.token_urlsafe(REFRESH_TOKEN_LENGTH)[:REFRESH_TOKEN_LENGTH]
        with self._lock:
            self.users[token] = user
        return token

    def account_keys(self, user):
        """The keys of an account that renews its tokens here."""
        return {"oauth2_client_id": self.login[0], "oauth2_client_secret": self.login[1],
                "oauth2_refresh_token": self.refresh_token(user), "oauth2_token_url": self.url,
                "oauth2_ca_file": self._ca_file}

    def first_keys(self):
        """The keys of an account that has no token yet."""
        top = f"https://localhost:{self.port}"
        return {"oauth2_client_id": self.login[0], "oauth2_client_secret": self.login[1],
                "oauth2_token_url": self.url, "oauth2_auth_url": f"{top}/authorize",
                "oauth2_device_url": f"{top}/device", "oauth2_ca_file": self._ca_file}

    def allow(self, user_code, user):
        with self._lock:
            device, = [each for each in self.devices.values() if each[0] == user_code]
            device[1:] = user, True

    # For the handler

    def answer(self, request):
        with self._lock:
            self.requests.append(request)
            answer = self._planned.pop(0) if self._planned else Answer()
        if self._stopping.wait(answer.delay):
            return Answer(close=True)
        return answer if answer.status or answer.close else self._grant(request, answer)

    def _grant(self, request, planned):
        path, _, query = request.path.partition("?")
        if request.method == "GET" and path == "/authorize":
            return self._visit(dict(urllib.parse.parse_qsl(query)))
        if request.method != "POST" or path not in ("/token", "/device"):
            return _error(404, "not_found")
        if self.login and self._client(request) != self.login:
            return NAMED["invalid_client"]
        if path == "/device":
            return self._device()
        kind = request.form.get("grant_type", "").rpartition(":")[2]
        if kind == "authorization_code":
            return self._first(self._visitor_of(request.form))
        if kind == "device_code":
            return self._holder_of(request.form.get("device_code"))
        if kind != "refresh_token":
            return _error(400, "unsupported_grant_type")
        token = request.form.get("refresh_token")
        with self._lock:
            user = self.users.get(token)
            if user is None or token in self.spent:
                return NAMED["invalid_grant"]
            if self.rotate:
                self.spent.add(token)
        given = {"access_token": issue(self.key, user, planned.lifetime), "token_type": "Bearer"}
        expires = planned.lifetime if planned.expires_in is None else planned.expires_in
        if expires:
            given["expires_in"] = expires
        if self.rotate:
            given["refresh_token"] = self.refresh_token(user)
        return Answer(200, json.dumps(given).encode(), {"Content-Type": "application/json",
                                                        "Cache-Control": "no-store"})

    def _visit(self, query):
        """The person comes along, and is sent back to the application."""
        if query.get("response_type") != "code" or query.get("client_id") != self.login[0] \
                or query.get("code_challenge_method") != "S256":
            return _error(400, "invalid_request")
        back = {"state": query["state"], "error": "access_denied"}
        if self.visitor:
            back = {"state": query["state"], "code": secrets.token_urlsafe(24)}
            self.codes[back["code"]] = (self.visitor, query["redirect_uri"],
                                        query["code_challenge"])
        where = query["redirect_uri"] + "?" + urllib.parse.urlencode(back)
        return Answer(302, b"", {"Location": where})

    def _visitor_of(self, form):
        """Whose a code is: it is good once, and for who knows the verifier."""
        user, redirect, challenge = self.codes.pop(form.get("code"), (None, None, None))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        good = form.get("redirect_uri") == redirect and _base64url(digest) == challenge
        return user if good else None

    def _device(self):
        code, user_code = secrets.token_urlsafe(24), secrets.token_hex(4).upper()
        with self._lock:
            self.devices[code] = [user_code, None, False]
        return _json({"device_code": code, "user_code": user_code, "expires_in": 60, "interval": 1,
                      "verification_uri": f"https://localhost:{self.port}/enter"})

    def _holder_of(self, code):
        with self._lock:
            _, user, answered = self.devices.get(code, (None, None, True))
        if not answered:
            return _error(400, "authorization_pending")
        if user is None:
            return _error(400, "access_denied")
        return self._first(user)

    def _first(self, user):
        if user is None:
            return NAMED["invalid_grant"]
        return _json({"access_token": issue(self.key, user), "token_type": "Bearer",
                      "expires_in": 3600, "refresh_token": self.refresh_token(user)})

    def _client(self, request):
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            pair = base64.b64decode(value).decode().partition(":")[::2]
            return tuple(urllib.parse.unquote_plus(part) for part in pair)
        return request.form.get("client_id"), request.form.get("client_secret")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address, handler, endpoint, context):
        super().__init__(address, handler)
        self.endpoint = endpoint
        self.context = context

    def finish_request(self, request, client_address):
        # The handshake belongs into the connection's own thread.
        try:
            with self.context.wrap_socket(request, server_side=True) as stream:
                self.RequestHandlerClass(stream, client_address, self)
        except OSError:
            pass                     # the client refused us or left: its test will say


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"),
                                           keep_blank_values=True))
        answer = self.server.endpoint.answer(Request(
            self.command, self.path, {name.lower(): value for name, value in self.headers.items()},
            body, form))
        self.close_connection = True
        if answer.close:
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body)),
                            "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.trickle:
            for at in range(len(answer.body)):
                self.wfile.write(answer.body[at:at + 1])
                time.sleep(answer.trickle)
        else:
            self.wfile.write(answer.body)

    do_GET = do_POST = do_HEAD = do_PUT = _any

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="OAuth2 tokens for the tests' Dovecot.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--issue", metavar="USER", help="print an access token")
    what.add_argument("--serve", action="store_true", help="run an endpoint")
    parser.add_argument("--key", required=True, help="the file that Dovecot checks tokens with")
    parser.add_argument("--lifetime", type=int, default=3600)
    parser.add_argument("--certs", help="directory of certs.py, for --serve")
    parser.add_argument("--rotate", action="store_true")
    parser.add_argument("--user", default="alice")
    options = parser.parse_args()
    key = base64.b64decode(pathlib.Path(options.key).read_bytes())
    if options.issue:
        print(issue(key, options.issue, options.lifetime))
        return 0
    if not options.certs:
        parser.error("--serve needs --certs")
    with TokenServer(certs.Certs(options.certs), key, rotate=options.rotate) as endpoint:
        for name, value in endpoint.account_keys(options.user).items():
            print(f"{name} = {value}", flush=True)
        sys.stdin.buffer.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
