"""Reads a run's event files as TensorBoard does and holds them against its metrics.jsonl.

    python3 Benchmarks/read_events.py RUN

Needs `pip install tensorboard`. Exit code 1 if a number differs.
"""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def scalars(line):
    """tag → number of one line of metrics, by the rule of MetricsLog."""
    def split(key):
        for word in ("train", "test", "validation"):
            if key.startswith(word + "_"):
                return word, key[len(word) + 1:]
        return None, key

    grouped = {split(key)[1] for key in line if split(key)[0]}
    found = {}
    for key, value in line.items():
        if key in ("step", "seconds") or value is None:
            continue
        if isinstance(value, dict):
            found.update({f"{key}/{name}": v for name, v in scalars(value).items()})
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            word, name = split(key)
            tag = f"{name}/{word}" if word else f"{key}/train" if key in grouped else key
            found[tag] = value
    return found


def main():
    run = pathlib.Path(sys.argv[1])
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    written = {tag: {e.step: e.value for e in events.Scalars(tag)}
               for tag in events.Tags()["scalars"]}
    wrong = checked = 0
    for text in (run / "metrics.jsonl").read_text().splitlines():
        line = json.loads(text)
        for tag, value in scalars(line).items():
            shown = written.get(tag, {}).get(line["step"])
            checked += 1
            if shown is None or abs(shown - value) > 1e-6 * max(1e-30, abs(value)):
                print(f"{tag} at step {line['step']}: {value} written, {shown} shown")
                wrong += 1
    print(f"{checked} numbers of {len(written)} curves, {wrong} differ; "
          f"{len(events.Tags()['images'])} pictures")
    sys.exit(1 if wrong or not checked else 0)


main()
