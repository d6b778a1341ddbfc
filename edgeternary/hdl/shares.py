"""What synthesis leaves of the LUTs that hdl.estimate counts, by kind of part; see hdl.calibrate."""

SHARES = {"rom": 1.0, "ram": 1.0}
