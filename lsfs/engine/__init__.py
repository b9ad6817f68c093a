"""engine: the child process that extracts, indexes, embeds and searches."""
