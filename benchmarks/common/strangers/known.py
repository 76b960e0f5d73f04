"""Rows known to be wrong, each with the reason: they stay in the table, and in the test as strict expected failures."""

KNOWN: dict[str, str] = {
    "borders/own-input-size-convert": "`convert` reads picture folders at 28x28x1; `run` takes the size of the model",
}
