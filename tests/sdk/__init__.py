"""The Agents SDK's own session and runner tests, run with our session in place of the SDK's."""
