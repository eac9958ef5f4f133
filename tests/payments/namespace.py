"""Runs localstripe, which listens on all addresses, in a network namespace of its own; nobody else reaches it.

usage: unshare -rn python3 namespace.py SOCKET
SOCKET is a Unix socket, which no namespace hides: what comes there is carried to localstripe and back.
Prints `ready` once it answers.
"""

import ctypes
import fcntl
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

PORT = 8420
SERVE = (
    "from localstripe import resources, server; "
    # It would write what it holds to a file in /tmp after each request.
    "resources.Store.dump_to_disk = lambda self: None; "
    f"import sys; sys.argv = ['localstripe', '--port', '{PORT}', '--from-scratch']; server.start()"
)


def raise_loopback():
    """`ip link set lo up`, which not every machine has (SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack_from("16sh", fcntl.ioctl(any_socket, 0x8913, name))[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", flags | 1).ljust(40, b"\0"))


def end_with_parent():
    """PR_SET_PDEATHSIG: whoever started this may be killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def carry(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main(path):
    raise_loopback()
    server = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", PORT)).close()
                break
            except OSError:
                if server.poll() is not None:
                    raise SystemExit("localstripe ended")
                time.sleep(0.1)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", PORT))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=pair, daemon=True).start()
    finally:
        server.kill()


main(sys.argv[1])
