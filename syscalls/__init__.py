"""What lsfs can do: one module per call, pure, over ports. Knows nothing of FUSE, trio, LanceDB or models."""
