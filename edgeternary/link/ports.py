"""Lines to a device: a serial port, a URL of pyserial, or a Unix socket."""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from edgeternary.errors import EdgeTernaryError
from edgeternary.link import faults
from edgeternary.toolchains import require

SOCKET = "unix:"
TIMELESS = "timeless"  # name of the Unix socket of an emulator that does not model the time of a core
NO_TIME = "QEMU does not model the time of a core: instructions take no time"
WRITE_SECONDS = 60.0  # a line of 115,200 baud carries 690 kB in that time
LISTEN_SECONDS = 1.0  # time between the creation of a server's socket and its listening, at most


class Port(Protocol):
    """A line to a device. It is a context manager that closes the line.

    name  the name that the user gave
    """

    name: str

    def write(self, data: bytes) -> None:
        """Sends bytes. EdgeTernaryError if the device is gone."""

    def read(self, timeout: float) -> bytes:
        """The bytes that have arrived, at least one; b"" after `timeout` seconds without a byte."""

    def close(self) -> None:
        """Closes the line."""


def open_port(name: str, baud: int = 115_200) -> Port:
    """The port called `name`: /dev/ttyACM0, COM3, a pty, a URL such as socket://host:port, or unix:PATH.

    EdgeTernaryError if the port does not exist, is busy, or may not be opened.
    """
    if name.startswith(SOCKET):
        return SocketPort(name)
    return SerialPort(name, baud)


def keeps_time(name: str) -> bool:
    """Whether the device at port `name` counts real cycles; QEMU does not."""
    return not (name.startswith(SOCKET) and Path(name).name == TIMELESS)


def port_names() -> list[dict[str, str]]:
    """The serial ports of this machine: {"port", "about", "usb"}. usb: vendor:product and serial number."""
    require("pyserial")
    from serial.tools import list_ports

    rows = []
    for found in sorted(list_ports.comports()):
        usb = f"{found.vid:04x}:{found.pid:04x} {found.serial_number or ''}".strip() if found.vid else ""
        if usb or found.description not in ("n/a", None):
            about = found.description if found.description != "n/a" else ""
            rows.append({"port": found.device, "about": about, "usb": usb})
    return rows


class SerialPort:
    """A port of pyserial, 8N1, with exclusive access."""

    def __init__(self, name: str, baud: int) -> None:
        require("pyserial")
        import serial

        self.name = name
        try:
            self._serial: Any = serial.serial_for_url(
                name, baudrate=baud, timeout=0.1, write_timeout=WRITE_SECONDS, do_not_open=True
            )
            if os.name == "posix" and "://" not in name:
                self._serial.exclusive = True
            self._serial.open()
        except (OSError, ValueError, ImportError) as error:  # SerialException is an OSError
            raise _not_opened(name, baud, error) from error
        self._broken = (OSError, TypeError)  # TypeError: pyserial reads a closed port
        if os.name == "posix":
            import termios

            self._broken = (*self._broken, termios.error)  # type: ignore[assignment]

    def __enter__(self) -> SerialPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except self._broken as error:
            raise faults.gone(self.name, error) from error

    def read(self, timeout: float) -> bytes:
        try:
            self._serial.timeout = max(timeout, 0)
            first = self._serial.read(1)
            waiting = self._serial.in_waiting if first else 0
            return bytes(first + (self._serial.read(waiting) if waiting else b""))
        except self._broken as error:
            raise faults.gone(self.name, error) from error

    def close(self) -> None:
        try:
            self._serial.close()
        except self._broken:
            pass  # the device is gone, so there is nothing to close


def _connect(line: socket.socket, path: str) -> None:
    """Connects. If the server refuses, it tries again, since the path exists before the server listens."""
    end = time.monotonic() + LISTEN_SECONDS
    while True:
        try:
            return line.connect(path)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


class SocketPort:
    """A Unix socket, which emulators offer in place of a serial port."""

    def __init__(self, name: str) -> None:
        self.name = name
        path = name.removeprefix(SOCKET)
        if not hasattr(socket, "AF_UNIX"):
            raise faults.not_there(name, f"{sys.platform} has no Unix sockets")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(WRITE_SECONDS)
        try:
            _connect(self._socket, path)
        except OSError as error:
            self._socket.close()
            raise _not_opened(name, 0, error) from error

    def __enter__(self) -> SocketPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise faults.gone(self.name, error) from error

    def read(self, timeout: float) -> bytes:
        try:
            if not select.select([self._socket], [], [], max(timeout, 0))[0]:
                return b""
            data = self._socket.recv(65536)
        except (OSError, ValueError) as error:
            raise faults.gone(self.name, error) from error
        if not data:
            raise faults.gone(self.name, None)
        return data

    def close(self) -> None:
        self._socket.close()


def _not_opened(name: str, baud: int, error: Exception) -> EdgeTernaryError:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ECONNREFUSED):
        return faults.not_there(name, _listed())
    if number in (errno.EACCES, errno.EPERM):
        return faults.no_permission(name, _group(name))
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return faults.busy(name)
    return faults.not_opened(name, baud, str(error))


def _listed() -> str:
    ports = [row["port"] for row in port_names()]
    return f"this machine has {', '.join(ports)}" if ports else "this machine has no serial port"


def _group(name: str) -> str:
    """The group that may open the port."""
    try:
        import grp

        return grp.getgrgid(Path(name).stat().st_gid).gr_name
    except (ImportError, KeyError, OSError):
        return "dialout"
