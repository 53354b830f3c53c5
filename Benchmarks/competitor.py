"""A competitor's process: it stays alive and takes steps when asked."""
import json
import os
import pathlib
import subprocess


class Competitor:
    def __init__(self, label, command):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
        self.label = label
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=environment)
        # Of each round, the median in milliseconds.
        self.rounds = []

    def read(self):
        """The next line of JSON; None when the process has ended."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def run(self, steps, what="run"):
        try:
            self.process.stdin.write(f"{what} {steps}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        return self.read()

    def peak_bytes(self):
        """The most memory that the process has ever held in RAM, libraries included."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(l for l in status.splitlines() if l.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()
