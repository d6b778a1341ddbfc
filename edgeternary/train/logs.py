"""Logs of a run, with one row for each epoch: CSV, and event files for TensorBoard."""

import csv
import io
from pathlib import Path
from typing import Any

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.train.checkpoint import Row
from edgeternary.train.files import write_whole

COLUMNS = ("epoch", "stage", "loss", "train", "validation", "lr", "sparsity", "seconds")
COUNTS = ("epoch", "stage")


class CsvLog:
    """Writes the whole history to `path` after each epoch, so that a resumed run writes no row twice.

    train and validation are accuracies. sparsity is the share of zero weights. seconds count from the start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, history: list[Row]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in history:
            writer.writerow([int(row[key]) if key in COUNTS else f"{row[key]:.6g}" for key in COLUMNS])
        write_whole(self.path, text.getvalue())


class TensorBoardLog:
    """Writes one event file in `folder`. EdgeTernaryError if the package tensorboard is missing."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise EdgeTernaryError(
                "the package tensorboard is missing",
                f"it writes the event files: {error}",
                "pip install 'edgeternary[tensorboard]'; without it, the CSV log has the same figures",
                TOOL_MISSING,
            ) from error
        self.folder, self.make = folder, SummaryWriter
        self.writer: Any = None

    def __call__(self, history: list[Row]) -> None:
        row = history[-1]
        epoch = int(row["epoch"])
        if self.writer is None:  # a resumed run hides rows from after its checkpoint
            self.writer = self.make(str(self.folder), purge_step=epoch)
        for key in COLUMNS[2:]:
            self.writer.add_scalar(key, row[key], epoch)
        self.writer.flush()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
