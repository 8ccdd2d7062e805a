"""Every promise the desk makes, as a sentence that runs."""
