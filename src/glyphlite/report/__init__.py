"""What was measured, for people: tables on a terminal, pictures, and a page that opens from disk. Measures nothing itself."""
