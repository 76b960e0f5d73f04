"""What a model keeps between two calls. Variables live beside the tensors and are known by name; recurrent ops keep tensors."""
