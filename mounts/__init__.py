"""mounts: what lsfs looks like, one module for each row of the tree."""
