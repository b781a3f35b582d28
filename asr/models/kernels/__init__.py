"""Hand-written forward and backward passes: tensors in, tensors out. They know nothing of the models that use them."""
