"""int8 .tflite to C99 that needs nothing: lowering, passes, schedule, memory plan, templates. Knows no runtime."""

from glyphlite.compiler.compile import Compilation, CompilationReport, compile_artifact, compile_graph, memory_maps
from glyphlite.compiler.emit import Sample

__all__ = ["Compilation", "CompilationReport", "Sample", "compile_artifact", "compile_graph", "memory_maps"]
