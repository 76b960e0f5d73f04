"""Exports a .tflite file as a page to draw on, and serves it: generated C as WebAssembly, LiteRT.js beside it on request.
Writes static files that any host can serve and that work offline once loaded.
"""
