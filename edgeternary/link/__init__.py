"""The host side of the serial link. docs/protocol.md defines the messages."""
