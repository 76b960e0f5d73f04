"""Rows known to be wrong, each with the reason: they stay in the table, and in the test as strict expected failures."""

KNOWN: dict[str, str] = {
    "borders/own-input-size-convert": "not landed yet: where new users stumbled",
    "inputs/input-range-of-fractions": "not landed yet: the input convention",
    "inputs/input-range-wrong-word": "not landed yet: the input convention",
    "models/file-saved-model": "not landed yet: loading what users have",
    "models/file-weights-only": "not landed yet: loading what users have",
    "models/lambda-layer": "not landed yet: loading what users have",
    "models/logits": "not landed yet: loading what users have",
    "models/mixed-float16": "not landed yet: loading what users have",
    "models/one-sigmoid": "not landed yet: loading what users have",
    "models/one-sigmoid-tflite": "not landed yet: loading what users have",
    "models/own-layer": "not landed yet: loading what users have",
    "models/shape-28-28": "not landed yet: loading what users have",
    "models/shape-784": "not landed yet: loading what users have",
    "models/sigmoids-independent": "not landed yet: loading what users have",
    "words/no-image-classifier": "not landed yet: honest words",
    "words/uint8-called-uint8": "not landed yet: honest words",
}
