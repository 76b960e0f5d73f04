"""What a model is worth: accuracy, agreement, size and speed, each measured on the file and the runtime it is said of."""
