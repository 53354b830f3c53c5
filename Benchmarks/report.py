"""Results as a Markdown text."""
import statistics

from benchmarks import BENCHMARKS, PEERS


def ratio(row):
    """lgc's time over the competitor's: the median over the rounds that both took part in."""
    return statistics.median(ours / its for ours, its in zip(row["ours"], row["rounds"]))


def label(name):
    own = {"lgc": "lgc", "floor": "kernels alone", "plain": "lgc, without the penalty"}
    return own.get(name) or PEERS[name]


def targets(name, rows):
    """(competitors, limit, ratio) of every target of a benchmark."""
    found = []
    for competitors, limit in BENCHMARKS[name].targets.items():
        # The largest ratio is that to the fastest competitor.
        known = [ratio(rows[c]) for c in competitors if "ours" in rows.get(c, {})]
        left = [c for c in competitors if not rows.get(c)]
        against = " or ".join(map(label, [c for c in competitors if c not in left] or competitors))
        if left and known:
            against += f" (not measured: {', '.join(map(label, left))})"
        found.append((against, limit, max(known, default=None)))
    return found


def markdown(results):
    lines = [
        "# Step time, memory and scaling", "",
        f"{results['processor']}, {results['threads']} threads, {results['date']}. Medians over "
        f"interleaved rounds (least to most in brackets); lgc / it is the median over the rounds "
        f"of the ratio within a round. Memory is the most that the whole process held.", ""]
    for name in BENCHMARKS:
        if name in results["benchmarks"]:
            lines += section(name, results["benchmarks"][name])
    if "scaling" in results:
        lines += scaling(results["scaling"])
    lines += ["## Targets", "", "| benchmark | against | at most | is | |", "|---|---|---|---|---|"]
    for name, benchmark in BENCHMARKS.items():
        if name not in results["benchmarks"]:
            continue
        for against, limit, found in targets(name, results["benchmarks"][name]["rows"]):
            verdict = "not measured" if found is None else "met" if found <= limit else "**not met**"
            value = "" if found is None else f"{found:.2f}"
            lines.append(f"| {benchmark.title} | {against} | {limit:.2f} | {value} | {verdict} |")
    return "\n".join(lines) + "\n"


def section(name, result):
    rows = result["rows"]
    lines = [
        f"## {BENCHMARKS[name].title}", "",
        f"{result['batch']} samples a step, {result['rounds']} rounds of {result['steps']} steps.",
        "", "| | ms | lgc / it | peak memory | losses differ by |", "|---|---|---|---|---|"]
    for competitor, row in rows.items():
        if "unsupported" in row:
            lines.append(f"| {label(competitor)} | – | | | {row['unsupported'][:100]} |")
            continue
        times = "" if competitor == "lgc" else f"{ratio(row):.2f}"
        memory = f"{row['peak_bytes'] / 1e6:.0f} MB" if "peak_bytes" in row else ""
        if "planned_bytes" in row:
            memory += f" ({row['planned_bytes'] / 1e6:.1f} MB planned)"
        gap = f"{row['gap']:.0e}" if "gap" in row else ""
        lines.append(
            f"| {label(competitor)} | {row['milliseconds']:.2f} "
            f"({min(row['rounds']):.2f}–{max(row['rounds']):.2f}) | {times} | {memory} | {gap} |")
    return lines + [""]


def scaling(table):
    lines = ["## lgc by batch size", "", "| | " + " | ".join(table["batches"]) + " |",
             "|---" * (len(table["batches"]) + 1) + "|"]
    for name, row in table["milliseconds"].items():
        cells = [
            f"{row[b]:.2f} ms, {1000 * row[b] / int(b):.1f} µs a sample" if b in row else ""
            for b in table["batches"]]
        lines.append(f"| {BENCHMARKS[name].title} | " + " | ".join(cells) + " |")
    return lines + [""]
