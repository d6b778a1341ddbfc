"""A design at a serial port: UART, frames, requests and replies."""
