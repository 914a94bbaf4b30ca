"""The table of `cargo xtask peers` as a chart: `chart.py peers.json` writes peers.svg and peers.png beside it."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {1: "#1f5fa8", 2: "#b5521b"}


def main(path):
    data = json.loads(path.read_text())
    names = list(dict.fromkeys(row["peer"] for row in data["rows"]))
    matplotlib.rcParams["svg.hashsalt"] = "peers"
    figure, axes = plt.subplots(figsize=(8, 0.9 * len(names) + 1.4), layout="constrained")
    for row in data["rows"]:
        place = names.index(row["peer"]) + (0.2 if row["threads"] == 2 else -0.2)
        bar = axes.barh(place, row["total_s"], 0.36, color=COLOURS[row["threads"]], label=f"{row['threads']} threads")
        ratio = "" if row["ratio"] is None else f" (× {row['ratio']:.1f})"
        fails = "" if row["meets_criterion"] else ", width off by more than 2 %"
        axes.bar_label(bar, [f"{row['total_s']:.2f} s{ratio}{fails}"], padding=4, fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.35)
    axes.set_xlabel(f"wall seconds, median, meshing included; case B in three dimensions\n{data['machine']}")
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles))
    axes.legend(once.values(), once.keys(), loc="lower right")
    for kind in ("svg", "png"):
        figure.savefig(path.with_suffix(f".{kind}"), dpi=150, metadata={"Date": None} if kind == "svg" else None)


main(Path(sys.argv[1]))
