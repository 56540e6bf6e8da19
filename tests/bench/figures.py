#!/usr/bin/env python3
"""Draws what scripts/bench measured: time and memory against the number of groups, both axes logarithmic, as plain SVG.

  figures.py MEASUREMENTS FOLDER CAPTION

MEASUREMENTS has files WHAT.GROUPS.txt, a line a run: seconds, KiB, exit status. Of the good runs the shortest time and the largest peak
count. A series with fewer than two points is left out. Colours of text and lines follow the reader's light or dark scheme.
"""
import glob
import math
import os
import re
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 380, 70, 150, 50, 46

# What is measured, its name in the figure, its class.
DUMP = [("floor", "floor", "least"), ("dump", "cgraft", "ours"), ("criu-dump", "CRIU", "criu"), ("cgsnapshot", "cgsnapshot", "libcgroup")]
RESTORE = [("mkdir", "bare mkdir", "least"), ("restore", "cgraft", "ours"), ("restore-all", "cgraft --read-all", "ours2"), ("criu-restore", "CRIU", "criu")]
MEMORY = [("floor", "floor", "least"), ("dump", "cgraft dump", "ours"), ("restore", "cgraft restore", "ours2"), ("criu-dump", "CRIU dump", "criu"),
          ("criu-restore", "CRIU restore", "criu2"), ("cgsnapshot", "cgsnapshot", "libcgroup")]

STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #424a53 } .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
.grid { stroke: #d1d9e0; stroke-width: 1 } path, circle { fill: none; stroke-width: 2 } circle { stroke-width: 0 }
.least { stroke: #6e7781; fill: #6e7781 } .ours, .ours2 { stroke: #0969da; fill: #0969da } .criu, .criu2 { stroke: #bc4c00; fill: #bc4c00 }
.libcgroup { stroke: #1a7f37; fill: #1a7f37 } path.least, path.ours, path.ours2, path.criu, path.criu2, path.libcgroup { fill: none }
path.least { stroke-dasharray: 2 3 } path.ours2, path.criu2 { stroke-dasharray: 7 4 } text.name { stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .title { fill: #f0f6fc } .grid { stroke: #3d444d } .least { stroke: #9198a1; fill: #9198a1 }
.ours, .ours2 { stroke: #4493f8; fill: #4493f8 } .criu, .criu2 { stroke: #f0883e; fill: #f0883e } .libcgroup { stroke: #3fb950; fill: #3fb950 } }
</style>"""


def measured(folder):
    """{what: {groups: (shortest time in seconds, largest peak in KiB)}}"""
    found = {}
    for path in glob.glob(f"{folder}/*.txt"):
        name = re.fullmatch(r"([a-z-]+)\.(\d+)\.txt", os.path.basename(path))
        if not name:
            continue
        with open(path) as file:
            runs = [line.split() for line in file]
        good = [(float(run[0]), int(run[1])) for run in runs if run[2] == "0"]
        if good:
            found.setdefault(name[1], {})[int(name[2])] = (min(time for time, _ in good), max(peak for _, peak in good))
    return found


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def time_text(seconds):
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms" if seconds >= 0.001 else f"{seconds * 1e6:g} µs"


def memory_text(kib):
    return f"{kib:g} KiB" if kib < 1024 else f"{kib / 1024:g} MiB"


def spread(places, least):
    """Places of the names, from top to bottom, moved apart where they are too near."""
    order = sorted(range(len(places)), key=places.__getitem__)
    for _ in range(50):
        for above, below in zip(order, order[1:]):
            missing = least - (places[below] - places[above])
            if missing > 0:
                places[above] -= missing / 2
                places[below] += missing / 2
    return places


def ticks(low, high, base):
    """Powers of the base that enclose what is drawn."""
    first, last = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base) - 1e-9)
    return [float(base) ** power for power in range(first, max(last, first + 1) + 1)]


def figure(title, caption, series, show, base):
    """series: [(name, class, {groups: value})]"""
    groups = sorted({n for _, _, points in series for n in points})
    values = [value for _, _, points in series for value in points.values()]
    rows = ticks(min(values), max(values), base)
    x0, x1, y0, y1 = math.log(groups[0]), math.log(groups[-1]), math.log(rows[0]), math.log(rows[-1])
    across = lambda n: LEFT + (math.log(n) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
    up = lambda v: HEIGHT - BOTTOM - (math.log(v) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">', f"<title>{escaped(title)}</title>", STYLE,
           f'<text class="title" x="{LEFT}" y="20">{escaped(title)}</text>', f'<text x="{LEFT}" y="37">{escaped(caption)}</text>']
    for value in rows:
        out.append(f'<line class="grid" x1="{LEFT}" y1="{up(value):.1f}" x2="{WIDTH - RIGHT}" y2="{up(value):.1f}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{show(value)}</text>')
    for n in groups:
        out.append(f'<line class="grid" x1="{across(n):.1f}" y1="{TOP}" x2="{across(n):.1f}" y2="{HEIGHT - BOTTOM}"/>')
        out.append(f'<text x="{across(n):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{n}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">groups</text>')
    ends = {}  # names stand beside the last point of their line
    for at, (_, _, points) in enumerate(series):
        ends.setdefault(max(points), []).append(at)
    names = [0.0] * len(series)
    for last, those in ends.items():
        for at, y in zip(those, spread([up(series[at][2][last]) for at in those], 15)):
            names[at] = y
    for (name, kind, points), y in zip(series, names):
        line = " ".join(f"{'L' if at else 'M'}{across(n):.1f} {up(points[n]):.1f}" for at, n in enumerate(sorted(points)))
        out.append(f'<path class="{kind}" d="{line}"/>')
        out += [f'<circle class="{kind}" cx="{across(n):.1f}" cy="{up(points[n]):.1f}" r="3"/>' for n in sorted(points)]
        out.append(f'<text class="{kind} name" x="{across(max(points)) + 10:.1f}" y="{y + 4:.1f}">{escaped(name)}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    source, folder, caption = sys.argv[1:]
    found = measured(source)
    os.makedirs(folder, exist_ok=True)
    for file, title, wanted, which, show, base in [
        ("dump-time", "Time of a dump", DUMP, 0, time_text, 10),
        ("restore-time", "Time of a restore", RESTORE, 0, time_text, 10),
        ("memory", "Peak resident memory", MEMORY, 1, memory_text, 4),
    ]:
        series = [(name, kind, {n: both[which] for n, both in found[what].items()}) for what, name, kind in wanted if len(found.get(what, {})) > 1]
        if not series:
            print(f"figures: {file}: fewer than two sizes were measured", file=sys.stderr)
            continue
        with open(f"{folder}/{file}.svg", "w") as out:
            out.write(figure(title, caption, series, show, base))


main()
