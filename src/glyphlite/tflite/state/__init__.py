"""State that a model keeps between two calls. Variables live beside the tensors and are known by name; other ops keep tensors."""
