"""Models of the off-chip DRAM, one file each, behind one interface.

A model is a frozen configuration with ``transfer_cycles(transfer_bytes, frequency_hz)``: the cycles of the
accelerator's clock during which each of several transfers holds the channel.
"""
