"""The Open Inference Protocol: tensors in, tensors out, for clients that know Triton. Refuses to act for a model."""
