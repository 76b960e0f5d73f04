"""Datasets and pictures: fetched, verified, read, split and prepared, as stored bytes."""
