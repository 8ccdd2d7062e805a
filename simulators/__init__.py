"""Stand-ins for the services an app talks to, so that it can be tested whole and offline."""
