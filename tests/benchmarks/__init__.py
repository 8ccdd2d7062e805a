"""What the benches count with, and that it counts right."""
