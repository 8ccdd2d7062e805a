"""The desk through its front door."""
