"""Checks the image of a build and writes it to its board, with a program that the board's file names."""

from edgeternary.flash.check import checked_files
from edgeternary.flash.job import Job, Probe
from edgeternary.flash.programs import PROGRAMS, choose, flash, probes

__all__ = ["PROGRAMS", "Job", "Probe", "checked_files", "choose", "flash", "probes"]
