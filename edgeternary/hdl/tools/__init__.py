"""What runs yosys, nextpnr and the packers on a design, and reads what they leave."""
