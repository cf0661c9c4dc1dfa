# SPDX-License-Identifier: MIT
"""Records of runs that never took place, with names that would break a careless page."""

import json

BLOCKS, EPOCHS, STEPS, SAMPLES = 5, 6, 10, 320
HOSTILE = """<script>alert("1")</script><img src=x onerror='alert(2)'> & \u00e9"""
SCORER = "<b>scorer</b>\"'&"
DROPPING = ("early", f"late {HOSTILE}")

MATRIX = {
    "name": f"Matrix {HOSTILE}",
    "options": {"epochs": EPOCHS, "train-limit": SAMPLES},
    "workloads": [
        {"name": f"Small {HOSTILE}", "options": {"model": "lenet5", "data": "mnist"}, "seeds": [1, 2, 3]},
        {"name": "Large", "options": {"model": "vgg11", "data": "cifar10"}, "seeds": [1]},
        {"name": "Not begun", "options": {"model": "vgg16", "data": "cifar10"}, "seeds": [1]},
    ],
    "methods": [
        {"name": "never", "options": {"policy": "never"}},
        {"name": DROPPING[0], "train_less": True, "options": {"policy": "linear:start=0.2"}},
        {"name": DROPPING[1], "options": {"policy": "linear:start=0.5"}},
        {"name": "only large", "data": ["cifar10"], "options": {"policy": "never", "augment": True}},
    ],
}


def events(epochs, seed, frozen_from):
    """From epoch `frozen_from` on two blocks are frozen, an epoch later the first one is dropped."""
    forward, backward = BLOCKS * SAMPLES * 1e7, 2 * BLOCKS * SAMPLES * 1e7
    yield {"event": "run", "threads": 2, "blas_core": f"core {HOSTILE}", "versions": {"compiler": "g++"}}
    yield {"event": "start", "epochs": epochs, "steps_per_epoch": STEPS, "training_samples": SAMPLES,
           "blocks": [{"forward_flops": 1e7}] * BLOCKS}
    spent = [0, 0]
    for epoch in range(1, epochs + 1):
        frozen, dropped = (2 if epoch >= frozen_from else 0), (1 if epoch > frozen_from else 0)
        flops = [forward * (1 - dropped / BLOCKS), backward * (1 - frozen / BLOCKS)]
        spent = [before + now for before, now in zip(spent, flops)]
        accuracy = 0.9 - 0.5 * 0.5 ** epoch + 0.001 * seed
        yield {"event": "epoch", "epoch": epoch, "seconds": 2.0 - 0.3 * frozen, "evaluation_seconds": 0.1,
               "train_accuracy": accuracy, "test_accuracy": accuracy, "frozen": frozen, "dropped": dropped,
               "forward_flops": flops[0], "backward_flops": flops[1]}
        scores = [{"block": block, "score": None if block < frozen else 0.5 ** (epoch - block / 2)}
                  for block in range(BLOCKS) if block != 1]
        yield {"event": "decision", "epoch": epoch, "step": STEPS * epoch, "scores": {SCORER: scores}}
    yield {"event": "summary", "stopped": False, "test_accuracy": accuracy, "seconds": 2.0 * sum(spent) / 1e11,
           "evaluation_seconds": 0.6, "forward_flops": spent[0], "forward_flops_full": forward * epochs,
           "backward_flops": spent[1], "backward_flops_full": backward * epochs, "scoring_flops": 0.01 * forward}


def file_name(name):
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else "-" for byte in name.encode())


def cells():
    """Name of the record, workload, method, options and events of every cell; the last workload has none."""
    for work in MATRIX["workloads"][:-1]:
        for seed in work["seeds"]:
            for index, how in enumerate(MATRIX["methods"]):
                if work["options"]["data"] not in how.get("data", [work["options"]["data"]]):
                    continue
                options = {**MATRIX["options"], **work["options"], **how["options"], "seed": seed}
                frozen_from = [EPOCHS + 1, 3, 4, EPOCHS + 1][index]
                name = f"{file_name(work['name'])}/{file_name(how['name'])}-seed-{seed}.jsonl"
                yield name, work["name"], how["name"], options, events(EPOCHS, seed, frozen_from)
            for epochs in (4, 5):
                options = {**MATRIX["options"], **work["options"], "policy": "never", "seed": seed, "epochs": epochs}
                name = f"{file_name(work['name'])}/never-{epochs}-epochs-seed-{seed}.jsonl"
                yield name, work["name"], f"never, {epochs} epochs", options, events(epochs, seed, EPOCHS + 1)


def command_of(options):
    words = [f"--{key}" if value is True else f"--{key} {value}" for key, value in sorted(options.items())]
    return " ".join(["frostline-train", *words])


def write_results(folder):
    """The matrix beside the folder of results, and all of its cells. @return the matrix's file"""
    commands = {}
    for name, _, _, options, lines in cells():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps({"schema": 1, **line}) + "\n" for line in lines))
        commands[name] = command_of(options)
    (folder / "commands.json").write_text(json.dumps(commands))
    matrix = folder.with_suffix(".json")
    matrix.write_text(json.dumps(MATRIX))
    return matrix
