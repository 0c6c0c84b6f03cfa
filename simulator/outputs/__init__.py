"""What a run leaves behind: tables, files, pictures. Nothing here imports the engine."""
