#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs frostline-replay on records that are made here: what it shows, and what it refuses in one line.
Usage: replay_test.py FROSTLINE_REPLAY"""

import json
import re
import sys
import tempfile
from pathlib import Path

from tool_under_test import ToolUnderTest

BLOCKS, EPOCHS, STEPS = 5, 20, 10

tool = ToolUnderTest(sys.argv[1])
run, check, refused = tool.run, tool.check, tool.refused


def lines(policy="never", scorer="weight_change", epochs=EPOCHS):
    """The record of a run whose scores halve at each decision, sooner for the blocks at the input."""
    yield {"event": "run", "policy": policy}
    yield {"event": "start", "epochs": EPOCHS, "steps_per_epoch": STEPS, "batch_size": 10,
           "training_samples": 10 * STEPS,
           "blocks": [{"forward_flops": 1e9, "backward_flops": 2e9, "backward_input_flops": 1e9,
                       "output_bytes": 1000}] * BLOCKS}
    for epoch in range(1, epochs + 1):
        yield {"event": "epoch", "epoch": epoch, "seconds": 1.5}
        yield {"event": "decision", "epoch": epoch, "step": STEPS * epoch,
               "scores": {scorer: [{"block": block, "score": 2.0 ** -(epoch / (1 + block))}
                                   for block in range(BLOCKS)]},
               "learning_rate_sum": 0.5, "learning_rate_left": 0.05 * STEPS * (EPOCHS - epoch), "steps": STEPS,
               "train_loss": 1.0 / epoch, "wanted": 0}


def write(path, events):
    path.write_text("".join(json.dumps({"schema": 1, **event}) + "\n" for event in events))
    return path


def main():
    with tempfile.TemporaryDirectory(prefix="frostline_replay_") as name:
        folder = Path(name)
        record = write(folder / "run.jsonl", lines())

        status, output, errors = run(record, "--policy", "never", "--policy", "linear:start=0.5",
                                     "--policy", "learn_and_drop", "--policy", "layer_out:warm_up=0")
        check(status == 0 and errors == "", "a good replay", status, errors)
        rows = [row.split() for row in output.splitlines()]
        head = next(row for row in rows if row and row[0] == "never")
        check(head == ["never", "linear:start=0.5", "learn_and_drop", "layer_out:warm_up=0"], "the columns", output)
        saved = next(row for row in output.splitlines() if row.startswith("forward + backward saved"))
        shares = [float(share) for share in saved.replace("%", "").split()[4:]]
        check(shares[0] == 0 and all(0 < share < 100 for share in shares[1:]), "what is saved", output)
        check("epoch 13, step 130" in output, "where the linear schedule begins", output)
        check(" +" in output, "blocks behind the leading ones", output)
        check("is meant for" not in output and "have no scores" not in output, "no note", output)
        check("assumed speeds" in output, "what the plan reckons with", output)

        # The first of five equal blocks freezes after 13 epochs of 20, two after 15, three after 18: an epoch runs
        # what froze last once more, and 11 of 100 are saved.
        figures = run(record, "--policy", "linear")[1].split()
        check(figures[figures.index("FLOPs") + 2:][:2] == ["11.00", "%"], "the FLOPs saved", figures)
        none = write(folder / "none_stored.jsonl", [{"event": "run", "policy": "never", "store": "none",
                                                     "scorer": "linear_cka"}, *list(lines())[1:]])
        _, output, _ = run(none, "--policy", "linear", "--policy", "sim_freeze")
        check(" 0.00 %" in output and "(1)" not in output, "nothing is dropped without a store", output)
        check("sim_freeze is meant for the scorer linear_cka:reference=initial, of which the record has no scores" in
              output and "sim_freeze by weight_change" in output, "other options", output)

        _, output, _ = run(record, "--policy", "egeria")
        check("egeria is meant for the scorer similarity_preserving_loss, of which the record has no scores" in output
              and "egeria by weight_change" in output, "a note on another scorer", output)
        several = list(lines())
        for line in several:
            if line["event"] == "decision":
                line["other_scores"] = {"svcca": [{"block": block, "score": 0.001 if block < 2 else 0.9}
                                                  for block in range(BLOCKS)]}
        several = write(folder / "several.jsonl", several)
        _, output, _ = run(several, "--policy", "svcca_freeze", "--policy", "learn_and_drop")
        alone = run(record, "--policy", "learn_and_drop")[1]
        check("meant for" not in output and " by " not in output.split("scored by")[1], "each has its own scores",
              output)
        check(re.search(r"epoch 2, step 20 +2 \(2\)$", output, re.MULTILINE), "svcca_freeze goes by svcca", output)
        check(output.split()[-2:] == alone.split()[-2:], "learn_and_drop by weight_change, as before", output, alone)
        broken = list(lines())
        broken[3]["other_scores"] = {"svcca": 3}
        broken = write(folder / "broken.jsonl", broken)
        refused("other scores that are none", "no list in the field svcca", broken, "--policy", "never")
        both = write(folder / "both.jsonl", [*lines("linear"), *lines("never")])
        check("Run with never," in run(both, "--policy", "linear")[1], "the run with never is taken")
        half = write(folder / "half.jsonl", lines(epochs=7))
        check("The run ended after 7 of its epochs." in run(half, "--policy", "linear")[1], "a stopped run")

        refused("no policy", "--policy is required", record, code=2)
        refused("no record", "RECORD is required", "--policy", "never", code=2)
        refused("unknown policy", 'there is no policy "melt"', record, "--policy", "melt")
        refused("unknown key", 'linear has no option "speed"', record, "--policy", "linear:speed=1")
        refused("a negative budget", "as 4GiB or 500MB", record, "--policy", "never", "--store-budget", "-1", code=2)
        budget = (record, "--policy", "linear", "--store-budget")
        check(run(*budget, "50kB")[1] == run(*budget, "50000")[1] != run(*budget, "4GiB")[1], "a budget with a unit")
        refused("missing file", "cannot read the record", folder / "none.jsonl", "--policy", "never")
        refused("a folder", "cannot read the record", folder, "--policy", "never")
        old = write(folder / "old.jsonl", [event for event in lines() if event["event"] != "start"])
        refused("a record of an earlier version", "before any line of event start", old, "--policy", "never")
        no_scores = write(folder / "empty.jsonl", [event for event in lines() if event["event"] != "decision"])
        refused("a run without decisions", "nothing to replay", no_scores, "--policy", "never")
        notes = folder / "notes"
        notes.write_text("not a\nrecord\n")
        refused("no record at all", "line 1 of the record", notes, "--policy", "never")

        for wish in ("--help", "--version"):
            check(run(wish)[0] == 0, wish)
    return tool.exit_code()


sys.exit(main())
