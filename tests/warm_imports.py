"""What a fork server imports before it forks: all that a process would, and what is made at its first use."""

from tests.crash.warm import warm_up

warm_up()
