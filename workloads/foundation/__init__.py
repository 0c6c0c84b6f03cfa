"""What everything else stands on: errors, strict files, shipped files."""
