"""The accelerator designs of the paper (section 4.2), one file each; every one has an object `DESIGN`."""
