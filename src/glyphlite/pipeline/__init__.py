"""What the commands do: each file composes the packages below into one job; nothing measures, converts or draws by itself."""
