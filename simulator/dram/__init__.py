"""The off-chip DRAM: its models (`models`), and the parts, commands and transfers of the model `commands`."""
