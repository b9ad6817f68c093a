"""editing: what calls change in the user's folder: the port `syscalls.ports.Folder`, carried out by the machinery of rollback."""
