"""What a person starts: reads the environment, picks the parts, serves."""
