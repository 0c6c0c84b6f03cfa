"""Recording a network as layers, whatever it comes in: a PyTorch module that runs, an ONNX graph that is read.

The tape keeps the layers, `values` what every tensor holds. The rules in `products` and `vectors` record one operator;
each way in has a table of its operators, which names a rule for each.
"""
