"""changes: what differs between two contents: as a unified diff, and in words by what they are (prose, code, keys, tables)."""
