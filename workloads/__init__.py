"""What is run: layers, training passes, predictor products, schedules and traces.

Nothing in this package knows about hardware. PyTorch is imported only below
`workloads.pytorch` and by the network recipes when they are built.
"""
