"""What tests share beside fixtures: models, pictures, mutants, browsers."""
