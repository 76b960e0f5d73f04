"""int8 .tflite to C99 that needs nothing: lowering, passes, schedule, memory plan, templates. Knows no runtime."""

from glyphlite.compiler.artifact import Compilation, CompilationReport, compile_artifact, compile_graph, memory_maps
from glyphlite.compiler.emission import Sample

__all__ = ["Compilation", "CompilationReport", "Sample", "compile_artifact", "compile_graph", "memory_maps"]
