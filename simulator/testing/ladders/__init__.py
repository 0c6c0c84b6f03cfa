"""The ladder of each kind of part, one file each."""
