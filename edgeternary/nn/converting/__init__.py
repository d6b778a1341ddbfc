"""What `nn.convert` knows of foreign layers: how they are traced, heads, pools."""
