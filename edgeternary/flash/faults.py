"""The errors of programming tools, and the cause of each."""

import re
from collections.abc import Callable, Sequence

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.flash.job import Probe

UDEV = (
    "give your user access to the USB device: write to /etc/udev/rules.d/70-edgeternary.rules the line\n"
    'SUBSYSTEM=="usb", ATTR{idVendor}=="VVVV", TAG+="uaccess" (lsusb shows VVVV), then run\n'
    "sudo udevadm control --reload && sudo udevadm trigger, and plug the board in again"
)


def no_probe(tool: str, title: str, why: str = "") -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{tool} finds no {title}",
        why or "no probe or board that it supports is plugged in",
        "plug it in with a cable that carries data; lsusb and edgeternary doctor list the devices",
    )


def several(tool: str, probes: Sequence[Probe], why: str = "") -> EdgeTernaryError:
    listed = "\n".join(f"--probe {probe.id}  ({probe.about})" for probe in probes)
    return EdgeTernaryError(f"{tool} finds several probes", listed or why, "choose one: --probe ID", USAGE)


def unknown_probe(tool: str, wanted: str, probes: Sequence[Probe]) -> EdgeTernaryError:
    there = ", ".join(f"{probe.id} ({probe.about})" for probe in probes) or "none"
    return EdgeTernaryError(
        f"{tool} finds no probe {wanted}", f"it finds: {there}", "edgeternary doctor lists probes", USAGE
    )


def no_permission(tool: str, title: str, why: str = "") -> EdgeTernaryError:
    return EdgeTernaryError(f"{tool} may not open the probe of {title}", why or "permission denied", UDEV)


def locked(tool: str, title: str, why: str = "") -> EdgeTernaryError:
    return EdgeTernaryError(
        f"the chip of {title} is locked",
        why or f"{tool} can neither read nor write its flash",
        "unlock it, which erases the whole flash: pyocd erase --mass, probe-rs erase, or openocd's "
        "command for the chip (stm32l4x unlock 0; nrf5 mass_erase)",
    )


def differs(tool: str, title: str, why: str = "") -> EdgeTernaryError:
    return EdgeTernaryError(
        f"the flash of {title} differs from the image",
        why or f"{tool} read back other bytes than it wrote",
        "flash it again; if the error remains, the flash is worn out or protected",
    )


PATTERNS: tuple[tuple[str, Callable[[str, str, str], EdgeTernaryError]], ...] = (
    (
        r"permission denied|LIBUSB_ERROR_ACCESS|insufficient permissions|access denied|EACCES|"
        r"unable to open ftdi device: -4\b|operation not permitted",
        no_permission,
    ),
    (
        r"multiple (debug )?probes|more than one|several|ambiguous|multiple .*devices",
        lambda tool, title, why: several(tool, (), why),
    ),
    (r"\blocked\b|read ?out protect|\bRDP\b|APPROTECT|protection is (on|active|enabled)|secured", locked),
    (r"verif\w+ failed|found difference|contents differ|verification error|verify error|mismatch", differs),
    (
        r"no (debug )?probes?\b|couldn't find any st-link|no st-link|no dfu capable|no device|not found|"
        r"can't find .* ftdi|unable to (open|find) .*(device|probe|adapter|interface)|open failed|"
        r"no accessible|cannot find|unable to open",
        no_probe,
    ),
)


def diagnosed(tool: str, title: str, said: str) -> EdgeTernaryError | None:
    """The error that a tool's output reports; None if the output is unknown."""
    for pattern, fault in PATTERNS:
        for line in said.splitlines():
            if re.search(pattern, line, re.I):
                return fault(tool, title, f"it says: {line.strip()[:200]}")
    return None
