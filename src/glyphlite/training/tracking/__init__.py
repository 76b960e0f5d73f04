"""Trackers of experiments, told of every epoch: TensorBoard's event files, MLflow, Weights & Biases. None is imported unless it
is asked for, and none can stop a training that runs.
"""
