#!/usr/bin/python3
"""The second door of a web server: gate.py SOCKET

nginx asks /check for every request (auth_request) and sends whoever has no cookie to /code. It has checked the password
before it comes here, and says whose it was and where from: so nobody but nginx may reach SOCKET.
"""
import hashlib
import hmac
import html
import http.server
import os
import re
import secrets
import socketserver
import sys
import time
import urllib.parse

from verify import verify

HOURS = 8  # how long a code is good for
COOKIE = "__Host-sallyport"
KEY = secrets.token_bytes(32)  # a new one at every start: everybody is asked again
PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Verification code</title>
<form method="post"><p role="status">{}</p>
<label>Verification code: <input name="code" maxlength="64" autocomplete="one-time-code" autofocus required></label>
<button>Continue</button></form></html>
"""


def sealed(user, until):
    """The cookie's value: until when it is good, and a proof that it is for this user."""
    return f"{until}.{hmac.new(KEY, f'{until} {user}'.encode(), hashlib.sha256).hexdigest()}"


class Gate(http.server.BaseHTTPRequestHandler):
    timeout = 20  # seconds without a byte

    def do_GET(self):
        if self.path == "/check":
            self.answer(204 if self.known() else 403)
        elif self.path.startswith("/code"):
            self.answer(200, PAGE.format(""))
        else:
            self.answer(404)

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        # A page elsewhere must not be able to give wrong codes in somebody's name.
        if self.headers["Origin"] != f"https://{self.headers['Host']}" or not re.fullmatch("[0-9]{1,4}", length):
            return self.answer(403)
        form = urllib.parse.parse_qs(self.rfile.read(int(length)).decode(errors="replace"))
        user = self.headers["X-Gate-User"]
        allowed, message = verify(user, form.get("code", [""])[0].strip(), "nginx", self.headers["X-Gate-Address"])
        if not allowed:
            return self.answer(403, PAGE.format(html.escape(message)))
        value = sealed(user, int(time.time()) + HOURS * 3600)
        self.answer(303, "", Location=self.back(), Set_Cookie=f"{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax")

    def known(self):
        """Whether the cookie is there, for this user, and good."""
        user = self.headers["X-Gate-User"]
        found = re.search(rf"(?:^|; ){COOKIE}=(([0-9]{{1,15}})\.[0-9a-f]{{64}})(?:;|$)", self.headers.get("Cookie", ""))
        return bool(user and found) and hmac.compare_digest(found[1], sealed(user, found[2])) and int(found[2]) > time.time()

    def back(self):
        """The page that was asked for: on this host, wherever the address says."""
        path = self.path.partition("?back=")[2]
        return path if re.fullmatch(r"/(?![/\\])[!-~]*", path) else "/"

    def answer(self, status, page="", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
        self.send_header("Cache-Control", "no-store")
        if status != 204:
            self.send_header("Content-Length", str(len(page.encode())))
        self.end_headers()
        self.wfile.write(page.encode())

    def address_string(self):
        return self.headers["X-Gate-Address"] or "-"  # for the log


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(print(__doc__, file=sys.stderr) or 2)
    os.umask(0o117)  # for the owner and its group
    Server(sys.argv[1], Gate).serve_forever()
