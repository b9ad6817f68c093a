"""index: what can be thrown away and rebuilt (words, Lance), and the durable vectors it is rebuilt from."""
