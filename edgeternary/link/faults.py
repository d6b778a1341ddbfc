"""The errors of the link between a host and a board."""

from edgeternary.errors import EdgeTernaryError


class Gone(EdgeTernaryError):
    """The line broke while it was in use."""


class Lost(EdgeTernaryError):
    """No reply came; the device may have carried out the request."""


def not_there(name: str, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"there is no port {name}",
        why,
        "plug the board in; edgeternary doctor lists the ports; --emulate needs no board",
    )


def no_permission(name: str, group: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"you have no permission to open {name}",
        f"it belongs to the group {group}",
        f"run sudo usermod -a -G {group} $USER, then log in again",
    )


def busy(name: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{name} is busy", "another program has it open", "close the other terminal or monitor"
    )


def not_opened(name: str, baud: int, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"cannot open {name}", why, f"is it a serial port, and does it know {baud:,} baud?"
    )


def gone(name: str, error: Exception | None) -> Gone:
    return Gone(
        f"{name} is gone",
        f"the connection broke while it was in use{f': {error}' if error else ''}",
        "was the board unplugged, reset or flashed? plug it in and start again",
    )


def silent(name: str, baud: int, attempts: int) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"nothing answers at {name}",
        f"{attempts} requests were sent at {baud:,} baud, and no byte came back",
        "is it the right port, and was the image flashed? edgeternary doctor lists ports; press the "
        "board's reset button",
    )


def nonsense(name: str, baud: int, heard: bytes) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"the device at {name} does not speak the protocol",
        f"{len(heard):,} bytes came that are not a frame; they begin with {heard[:24]!r}",
        f"does the board run an image of edgeternary, at {baud:,} baud? flash it again",
    )


def echoed(name: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{name} sends back the bytes that it receives",
        "a request came back as a request",
        "are rx and tx connected, or is it a terminal? use the port of the board",
    )


def stopped(name: str, what: str, attempts: int, noise: int) -> Lost:
    came = f", {noise} damaged frames came" if noise else ""
    return Lost(
        f"the board at {name} stopped answering",
        f"no reply to {what} came in {attempts} attempts{came}",
        "press its reset button; check the cable and the ground connection",
    )


def refused(name: str, what: str, status: str) -> EdgeTernaryError:
    why = {
        "LENGTH": "the request does not have the length that its image expects",
        "UNKNOWN": "its image does not know this message, or has another version of the protocol",
        "FAILED": "the device could not answer",
        "DAMAGED": "it received every attempt damaged",
    }
    return EdgeTernaryError(
        f"the board at {name} refused {what}",
        why.get(status, f"its status is {status}"),
        "flash the image that this edgeternary built",
    )


def other_model(name: str, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"the board at {name} runs another build", why, "write this build to it with edgeternary flash"
    )


def wrong_answer(name: str, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"an answer of the board at {name} is invalid", why, "flash the image that this edgeternary built"
    )
