# The types of what __init__.py offers lazily: tests/test_api.py holds the two to each other.
from glyphlite.api import Dataset as Dataset
from glyphlite.api import GlyphliteError as GlyphliteError
from glyphlite.api import Results as Results
from glyphlite.api import compile as compile  # noqa: A004 - the command's own name
from glyphlite.api import convert as convert
from glyphlite.api import draw_graph as draw_graph
from glyphlite.api import evaluate as evaluate
from glyphlite.api import export_tflm as export_tflm
from glyphlite.api import inspect as inspect
from glyphlite.api import load_dataset as load_dataset
from glyphlite.api import load_model as load_model
from glyphlite.api import read_graph as read_graph
from glyphlite.api import show as show
from glyphlite.api import simulate as simulate
from glyphlite.api import train as train
from glyphlite.api import verify as verify

__version__: str
