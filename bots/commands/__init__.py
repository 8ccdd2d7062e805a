"""What `deskmate` can be told, a module for each group of commands; `bots.cli` puts them together."""
