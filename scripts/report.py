#!/usr/bin/env python3
"""report.py RESULTS.csv FOLDER: what brook_bench --csv wrote, to look at.

Writes FOLDER/report.html, which needs nothing beside itself, and FOLDER/*.svg, a plot for each series.
"""
import base64
import csv
import html
import math
import pathlib
import re
import sys

ABOUT = {
    "append": "Adding to a stream: what one add takes, with so many producers at once.",
    "list": "A list as a queue (producers P, consumers C), as a stack, and from both ends: what one element takes.",
    "queue": "A list as a queue, with so many producers (P) and consumers (C): what one element takes.",
    "publish": "Publishing to so many subscribers: what one publish, or one delivery, takes.",
    "group": "Delivering to consumers of a group, and acknowledging: what one entry takes.",
    "growth": "What an operation takes as the stream, their number, or the number of groups grows.",
    "memory": "Bytes over the value's own size.",
    "scan": "Reading everything there is: what one entry takes.",
    "seek": "Looking for an id among many.",
    "redis": "Beside a redis-server on a Unix socket.",
    "ping_pong": "Handing over to a thread that sleeps, and back.",
    "wake_cost": "What it costs who adds that somebody could be waiting.",
    "broker": "Names, and how soon a new broker has its first message.",
    "snapshot": "Saving and loading.",
    "select": "Waiting for several things.",
}
# (name of the plot, pattern of cases with the number that varies, what the number is)
SERIES = [
    ("publish", r"publish/u64/awake/(\d+)", "subscribers"),
    ("append", r"append/u64/(\d+)", "producers"),
    ("growth-entries", r"growth/entries/(\d+)", "entries in the stream"),
    ("growth-streams", r"growth/streams/(\d+)", "streams"),
    ("growth-groups", r"growth/groups/(\d+)", "groups"),
]
COLOURS = ["#0b6bcb", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be185d", "#57534e"]

STYLE = """
:root { --text: #1b1f24; --paper: #fff; --quiet: #5b6570; --line: #d9dee4; --bar: #c9d4df; --brook: #0b6bcb; }
@media (prefers-color-scheme: dark) {
  :root { --text: #dfe4ea; --paper: #14181d; --quiet: #98a2ad; --line: #313942; --bar: #46525f; --brook: #58a6ff; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper); max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem } h3 { margin: 1.4rem 0 .3rem; font-size: 1rem }
p, li { color: var(--quiet) } ul { padding-left: 1.2rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem } td { padding: .15rem .5rem; vertical-align: middle }
td.peer { width: 30% } td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
td.bar { width: 40%; position: relative }
.bar i { display: block; height: .8rem; border-radius: 2px; background: var(--bar) } .brook .bar i { background: var(--brook) } .brook { font-weight: 600 }
.bar b { position: absolute; top: 50%; height: 1px; background: var(--text); opacity: .6 }
.quiet { color: var(--quiet); font-weight: 400 } svg { width: 100%; height: auto; max-width: 46rem; display: block }
a { color: var(--brook) } nav a { margin-right: .8rem; white-space: nowrap }
@media (max-width: 40rem) { td.bar { display: none } td.peer { width: auto } }
"""
PLOT_STYLE = """text { font: 13px system-ui, sans-serif; fill: #5b6570 } .grid { stroke: #d9dee4 }
@media (prefers-color-scheme: dark) { text { fill: #98a2ad } .grid { stroke: #313942 } }"""


def read(path):
    """(facts, rows)"""
    lines = pathlib.Path(path).read_text().splitlines()
    facts = [line[2:] for line in lines if line.startswith("# ")]
    rows = []
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        for key in ("median", "min", "max", "ratio", "ratio_min", "ratio_max"):
            row[key] = float(row[key])
        rows.append(row)
    return facts, rows


def number(value):
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(rows):
    """One case and metric: a bar for each peer, up to its median, and a line from its least to its most."""
    top = max((row["max"] for row in rows if not math.isnan(row["max"])), default=0) or 1
    out = []
    for at, row in enumerate(rows):
        ratio = "" if at == 0 or math.isnan(row["ratio"]) else (
            f'{number(row["ratio"])} <span class="quiet">({number(row["ratio_min"])}–{number(row["ratio_max"])})</span>')
        if math.isnan(row["median"]):
            continue
        low, high = 100 * row["min"] / top, 100 * row["max"] / top
        out.append(f'<tr{" class=brook" if row["peer"].startswith("brook") else ""}><td class=peer>{html.escape(row["peer"])}</td>'
                   f'<td class=number>{number(row["median"])} <span class=quiet>({number(row["min"])}–{number(row["max"])})</span></td>'
                   f'<td class=bar><i style="width:{100 * row["median"] / top:.1f}%"></i>'
                   f'<b style="left:{low:.1f}%;width:{max(high - low, .3):.1f}%"></b></td><td class=number>{ratio}</td></tr>')
    return "<table>" + "".join(out) + "</table>"


def ticks(low, high):
    return [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def plot(rows, pattern, what):
    """A line for each peer over the number in the cases' names, both axes logarithmic, so without 0; None when there is no line to
    draw."""
    lines = {}
    metric = None
    for row in rows:
        match = re.fullmatch(pattern, row["case"])
        if match and int(match.group(1)) > 0 and not math.isnan(row["median"]) and row["median"] > 0:
            metric = metric or row["metric"]
            if row["metric"] == metric:
                lines.setdefault(row["peer"], []).append((int(match.group(1)), row))
    lines = {peer: sorted(points, key=lambda point: point[0]) for peer, points in lines.items() if len(points) > 1}
    if not lines:
        return None
    xs = [x for points in lines.values() for x, _ in points]
    ys = [row[key] for points in lines.values() for _, row in points for key in ("min", "max")]
    ticks_y = ticks(min(ys), max(ys))
    width, height, left, right, top, bottom = 720, 360, 72, 190, 24, 44
    span_x = math.log10(max(xs) / min(xs)) or 1

    def at_x(x):
        return left + (width - left - right) * math.log10(x / min(xs)) / span_x

    def at_y(y):
        return height - bottom - (height - top - bottom) * math.log10(y / ticks_y[0]) / (math.log10(ticks_y[-1] / ticks_y[0]) or 1)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"><style>{PLOT_STYLE}</style>']
    for y in ticks_y:
        out.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{at_y(y):.1f}" y2="{at_y(y):.1f}"/>'
                   f'<text x="{left - 8}" y="{at_y(y) + 4:.1f}" text-anchor="end">{number(y)}</text>')
    for x in sorted(set(xs)):
        out.append(f'<text x="{at_x(x):.1f}" y="{height - bottom + 20}" text-anchor="middle">{x:,}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 6}" text-anchor="middle">{html.escape(what)}</text>'
               f'<text x="{left}" y="{top - 4}" text-anchor="start">{html.escape(metric)}</text>')
    ends = []
    for at, (peer, points) in enumerate(lines.items()):
        colour = COLOURS[at % len(COLOURS)]
        path = " ".join(f'{at_x(x):.1f},{at_y(row["median"]):.1f}' for x, row in points)
        for x, row in points:
            out.append(f'<line stroke="{colour}" opacity=".5" x1="{at_x(x):.1f}" x2="{at_x(x):.1f}" '
                       f'y1="{at_y(row["min"]):.1f}" y2="{at_y(row["max"]):.1f}"/>'
                       f'<circle fill="{colour}" cx="{at_x(x):.1f}" cy="{at_y(row["median"]):.1f}" r="3"/>')
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{2.5 if at == 0 else 1.5}" points="{path}"/>')
        ends.append((at_y(points[-1][1]["median"]), peer, colour))
    last = -math.inf
    for y, peer, colour in sorted(ends):
        last = max(y, last + 15)
        out.append(f'<text x="{width - right + 10}" y="{last + 4:.1f}" style="fill:{colour}">{html.escape(peer[:26])}</text>')
    return "".join(out) + "</svg>"


def main(results, folder):
    facts, rows = read(results)
    folder.mkdir(parents=True, exist_ok=True)
    families, cases = {}, {}
    for row in rows:
        cases.setdefault((row["case"], row["metric"]), []).append(row)
    for case, metric in cases:
        families.setdefault(case.split("/")[0], []).append((case, metric))
    body = []
    for family, members in families.items():
        body.append(f'<h2 id="{family}">{html.escape(family)}</h2><p>{html.escape(ABOUT.get(family, ""))}</p>')
        for name, pattern, what in SERIES:
            drawn = plot(rows, pattern, what) if pattern.startswith(family + "/") else None
            if drawn:
                (folder / f"{name}.svg").write_text(drawn)
                body.append(drawn)
        for case, metric in members:
            body.append(f'<h3>{html.escape(case)} <span class=quiet>· {html.escape(metric)}</span></h3>' + table(cases[case, metric]))
    raw = base64.b64encode(pathlib.Path(results).read_bytes()).decode()
    page = (f'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width,initial-scale=1">'
            f'<title>brook: measured</title><style>{STYLE}</style><h1>brook, measured beside what one would use instead</h1>'
            f'<p>Less is better everywhere. Peers take turns within each round, so that what happens to the machine happens to all; each line is the '
            f'median of the rounds with least and most, and on the right brook\'s share of the peer, taken round by round. '
            f'Only numbers of one run compare.</p><ul>{"".join(f"<li>{html.escape(fact)}</li>" for fact in facts)}</ul>'
            f'<p><a download="brook-bench.csv" href="data:text/csv;base64,{raw}">all numbers as CSV</a></p>'
            f'<nav>{" ".join(f"<a href=#{family}>{family}</a>" for family in families)}</nav>{"".join(body)}</html>\n')
    (folder / "report.html").write_text(page)
    print(f"{folder}/report.html: {len(cases)} measurements of {len(families)} kinds")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
