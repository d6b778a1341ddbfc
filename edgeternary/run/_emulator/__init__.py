"""Cortex-M images, and an emulated core that runs them and counts what they do."""
