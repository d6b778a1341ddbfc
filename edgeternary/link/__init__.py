"""Host side of the serial link; docs/protocol.md says what travels."""
