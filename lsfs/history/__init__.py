"""history: what the folder holds and held, in one database that the daemon alone writes."""
