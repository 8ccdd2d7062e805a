"""What the desk costs, beside what others cost, measured in one run."""
