"""Brings the figures of README and docs up to date with what was measured last, in benchmarks/results.

    python benchmarks/doc_figures.py

Names the pages that changed. Benchmarks that measure a figure do the same with ``--write``.
"""

from common.figures import ROOT, write_pages


def main() -> None:
    changed = write_pages()
    print("\n".join(str(page.relative_to(ROOT)) for page in changed) or "README and docs are up to date")


if __name__ == "__main__":
    main()
