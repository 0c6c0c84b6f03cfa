"""What a run leaves behind: tables, files, pictures."""
