"""Slack as a platform: Socket Mode or signed HTTP in, the Web API out."""
