"""Records of a bearing's life as WAV files: `python bearings.py Learning_set/Bearing1_1 OUT [SHARE]`.

Learning_set is that of the IEEE PHM 2012 challenge (PRONOSTIA, Nectoux et al., 2012): acc_N.csv with 2,560
samples at 25.6 kHz every 10 s, until the bearing fails. The horizontal acceleration becomes OUT/healthy (the
first quarter of the life) and OUT/worn (from SHARE of it on, 0.9); 32,767 is 50 g. A file's name begins with
the number of its block of 5 records, which is 50 s.
"""

import sys
import wave
from pathlib import Path

import numpy as np

RATE, FULL_SCALE, BLOCK = 25_600, 50.0, 5
HORIZONTAL = 4  # the column
HEALTHY = 0.25  # of the life


def samples(path: Path) -> bytes:
    text = path.read_text(encoding="ascii").replace(";", ",")
    acceleration = np.loadtxt(text.splitlines(), delimiter=",", usecols=HORIZONTAL)
    codes = np.rint(acceleration / FULL_SCALE * 32_767).clip(-32_768, 32_767)
    return codes.astype("<i2").tobytes()


def main(source: Path, out: Path, worn: float = 0.9) -> None:
    records = sorted(source.glob("acc_*.csv"))
    for number, path in enumerate(records):
        share = number / len(records)
        if HEALTHY <= share < worn:
            continue
        folder = out / ("healthy" if share < HEALTHY else "worn")
        folder.mkdir(parents=True, exist_ok=True)
        with wave.open(str(folder / f"{number // BLOCK:03}-{number:05}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples(path))
    print(f"{len(records):,} records of {source.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:]))
