"""Ready strategies, one per file, written as a user would write them: copy one and change it."""
