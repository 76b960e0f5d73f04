"""The table of searches: the front of each way within each budget, and who dominates whom."""

from typing import Any

from common.tables import interval, markdown_table, percent

_BUDGETS = {"uno": "Arduino Uno", "m0": "Cortex-M0, 16 KB and 4 KB"}
_WAYS = {"search": "`glyphlite search`", "random": "random, same space", "by hand": "picked by hand"}


def search_table(document: dict[str, Any]) -> str:
    """Returns a row per point of each front: validation accuracy, flash, RAM, instructions, and the network."""
    rows = []
    for budget, ways in document["budgets"].items():
        for way, found in ways.items():
            rows += [
                (
                    *(_BUDGETS[budget], _WAYS[way], f"`{point['network']}`, {point['side']}x{point['side']}"),
                    *(percent(point["accuracy"]), f"{point['flash_bytes']:,}", f"{point['ram_bytes']:,}"),
                    f"{point['instructions']:,}",
                )
                for point in found["front"]
            ]
    columns = ("Budget", "Way", "Network and images", "Validation", "Flash, bytes", "RAM, bytes", "Instructions")
    return markdown_table(columns, rows, words=3)


def search_sentence(document: dict[str, Any]) -> str:
    """Returns for each budget the hypervolumes, and how many of the others' points the search's front dominates."""
    sentences = []
    for budget, ways in document["budgets"].items():
        volumes = ", ".join(f"{_volumes(ways[way])} {words}" for way, words in _WAYS.items())
        others = ((_WAYS[way], ways[way]) for way in _WAYS if way != "search")
        beaten = " and ".join(f"{each['dominated_by_search']} of {len(each['front'])} points ({words})" for words, each in others)
        back = sum(each["dominating_search"] for each in ways.values())
        sentences.append(
            f"{_BUDGETS[budget]}: hypervolume {volumes}; the search's front dominates {beaten}, and {back} of its own "
            f"{len(ways['search']['front'])} points {'is' if back == 1 else 'are'} dominated. Tried and trained to the end: "
            + ", ".join(f"{ways[way]['tried']} and {ways[way]['trained']} ({words})" for way, words in _WAYS.items())
            + "."
        )
    return f"{document['seconds']:.0f} s of processor time for each search. " + " ".join(sentences)


def _volumes(found: dict[str, Any]) -> str:
    """Returns the hypervolume of each seed; once, where all are the same."""
    volumes = [f"{each:.3f}" for each in found.get("hypervolumes", [found["hypervolume"]])]
    return " and ".join(volumes if len(set(volumes)) > 1 else volumes[:1])


def example_sentence(document: dict[str, Any]) -> str:
    """Returns what a search within an Arduino Uno found on MNIST: its trials, its winner, and the winner's run."""
    found = document["example"]
    winner, trial = found["winner"], found["trial"]
    seeds = ", ".join(percent(each["validation_accuracy"]) for each in winner["seeds"])
    test = winner["test_accuracy"]
    tried = found["trained"] + found["pruned"]
    return (
        f"{tried} trials took {found['seconds'] / 60:.0f} minutes ({found['cpu_seconds'] / 60:.0f} of processor time), beside "
        f"{found['over_budget']} networks "
        f"over the budget. The best, `{trial['network']}`, "
        f"reached {percent(trial['validation_accuracy'])} of validation images after {trial['epochs']} epochs; trained in full, "
        f"{seeds} (one figure a seed). The best of these recognizes {percent(test['value'])} of the test images as int8 "
        f"({interval(test)}) and takes {winner['flash_bytes']:,} bytes of flash, "
        f"{winner['ram_bytes']:,} of RAM and {winner['instructions']:,} instructions (measured at commit {found['commit']})."
    )


_MODELS = {"winner": "the winner", "micro-cnn": "`micro-cnn`", "edge-cnn": "`edge-cnn`"}


def datasets_table(document: dict[str, Any]) -> str:
    """Returns a row per dataset and model: test accuracy with its interval, McNemar's p against the winner, and what it takes."""
    rows = []
    for name, found in document.items():
        for model, words in _MODELS.items():
            judged = found["models"][model]
            accuracy = judged["accuracy"]
            rows.append(
                (
                    *(name, f"{words}, `{found['network']}`" if model == "winner" else words),
                    f"{percent(accuracy['value'])} ({interval(accuracy)})",
                    f"{judged['mcnemar_p']:.1g}" if model != "winner" else "",
                    *(f"{judged[key]:,}" for key in ("flash_bytes", "ram_bytes", "instructions", "cpu_seconds")),
                )
            )
    columns = ("Data", "Model", "Test, int8 (95 %)", "p", "Flash, bytes", "RAM, bytes", "Instructions", "CPU s of training")
    return markdown_table(columns, rows, words=2)
