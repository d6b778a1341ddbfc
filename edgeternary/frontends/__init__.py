"""Front ends: a foreign model becomes an integer graph. `torch.lower` takes PyTorch modules."""
