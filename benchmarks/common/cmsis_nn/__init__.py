"""The competitor: a model's layers called one after another in Arm's CMSIS-NN, built as well as we can, as firmware would.

The wrappers choose the fastest kernel for a layer, scratch has the size that CMSIS-NN's own functions ask for, parameters are
constants, and working memory is planned as TensorFlow Lite Micro plans it: whole maps, the input, the output and each layer's
scratch in one arena, over their lifetimes. Our own memory planner places them, which finds a plan at least as small.
"""

from common.cmsis_nn.kernels import Kernels, checkout, fingerprint, of_wheel
from common.cmsis_nn.measurement import Competitor, measure

__all__ = ["Competitor", "Kernels", "checkout", "fingerprint", "measure", "of_wheel"]
