"""Compiles an int8 .tflite file to C99 that has no dependencies: lowering, passes, schedule, memory plan, templates.

``ops`` holds one file per op, ``codegen`` the building blocks of C, ``kernels`` the C of each op. Knows no runtime.
"""

from glyphlite.compiler.compile import Compilation, compile_artifact, compile_graph
from glyphlite.compiler.interface import Sample
from glyphlite.compiler.report import CompilationReport, EdgePlan, memory_maps

__all__ = ["Compilation", "CompilationReport", "EdgePlan", "Sample", "compile_artifact", "compile_graph", "memory_maps"]
