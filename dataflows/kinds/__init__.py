"""The dataflows, one file each; every module here has an object `DATAFLOW`."""
