#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""OAuth2 access tokens that the private Dovecot accepts.

    issue(key, "alice", lifetime=3600)       # a JWT; a negative lifetime gives an expired one
"""

import base64
import hashlib
import hmac
import json
import time


def _base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def issue(key, user, lifetime=3600, **claims):
    """A JWT for user, signed with HS256 by key (bytes), valid from a minute ago until lifetime
    seconds from now."""
    now = int(time.time())
    body = {"sub": user, "iat": now - 60 + min(lifetime, 0), "exp": now + lifetime,
            "iss": "mailrack-test", **claims}
    signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode())
                      for part in ({"alg": "HS256", "typ": "JWT"}, body))
    signature = hmac.new(key, signed.encode("ascii"), hashlib.sha256).digest()
    return signed + "." + _base64url(signature)
