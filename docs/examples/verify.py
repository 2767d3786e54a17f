#!/usr/bin/python3
"""Has Sallyport check a code: verify.py USER SERVICE [ADDRESS] <CODE

Status 0 lets the person in, 1 does not. A panel imports verify().
"""
import json
import socket
import sys
import time

SOCKET = "/run/sallyport/io.sallyport"
SECONDS = 10  # for all of it
LONGEST = 64 << 10  # bytes of a reply


def verify(user, code, service, address=None):
    """Returns (whether to let the person in, what to tell them). Whatever goes wrong lets nobody in."""
    parameters = {"user": user, "code": code, "service": service}
    if address:
        parameters["rhost"] = address
    try:
        reply = call("io.sallyport.Login.Verify", parameters)
        return reply["verdict"] in ("granted", "not_required"), str(reply["message"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as e:
        print(f"sallyport: {type(e).__name__}: {e}", file=sys.stderr)
        return False, "The code cannot be checked at the moment."


def call(method, parameters):
    """One Varlink call: JSON and a NUL out, JSON and a NUL back."""
    request = json.dumps({"method": method, "parameters": parameters}, ensure_ascii=False).encode() + b"\0"
    end = time.monotonic() + SECONDS
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(SECONDS)
        s.connect(SOCKET)
        s.sendall(request)
        reply = b""
        while b"\0" not in reply:
            s.settimeout(max(end - time.monotonic(), 0.001))
            part = s.recv(4096)
            if not part or len(reply) > LONGEST:
                raise ValueError("no whole reply")
            reply += part
    reply = json.loads(reply[: reply.index(b"\0")])
    if "error" in reply:
        raise ValueError(f"{reply['error']} {reply.get('parameters')}")
    return reply["parameters"]


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(print(__doc__, file=sys.stderr) or 2)
    allowed, message = verify(sys.argv[1], sys.stdin.readline(1024).rstrip("\n"), *sys.argv[2:])
    print(message or "Let in.")
    sys.exit(0 if allowed else 1)
