#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes policies.json: what four freezing policies decide, computed from their published formulas with NumPy.

AutoFreeze (Liu et al. 2021), FreezeOut (Brock et al. 2017), the layer freezing of MosaicML's Composer, and Egeria
(Wang et al. 2023) in the reading that egeria.hpp documents. Nothing here is taken from the library.
"""
import json
import pathlib

import numpy as np


def auto_freeze(seed, layers, decisions, percentile):
    """Gradient sizes -> relative changes -> frozen prefix after each decision. The head is the last layer."""
    draws = np.random.RandomState(seed)
    sizes = np.round(np.exp(draws.normal(0, 0.3, (decisions, layers))) * np.linspace(1, 3, layers), 6)
    start, frozen, scores = 0, [], []
    for t in range(decisions):
        change = None if t == 0 else np.abs(sizes[t - 1] - sizes[t]) / sizes[t - 1]
        scores.append([None] * layers if t == 0 else [float(c) for c in change])
        if t > 0:
            threshold = np.percentile(change[start:layers - 1], percentile)
            while start < layers - 1 and change[start] < threshold:
                start += 1
        frozen.append(start)
    return {"percentile": percentile, "scores": scores, "frozen": frozen}


def freeze_out(first, cubed, scaled, layers, steps, rate):
    """Rates of every layer before every step, and the frozen prefix after every step. The last t_i is 1."""
    end = first + (1 - first) * np.arange(layers) / (layers - 1)
    if cubed:
        end = end ** 3
    base = rate / end if scaled else np.full(layers, rate)
    time = np.arange(steps)[:, None] / steps
    rates = np.where(time < end, base * 0.5 * (1 + np.cos(np.pi * time / end)), 0)
    finished = np.arange(1, steps + 1)[:, None] / steps
    frozen = [int(np.argmin(np.append(row, False))) for row in (end <= finished)[:, :layers - 1]]
    return {"first": first, "cubed": cubed, "scaled": scaled, "layers": layers, "steps": steps, "rate": rate,
            "rates": np.round(rates, 12).tolist(), "frozen": frozen}


def composer_linear(freeze_start, freeze_level, layers, epochs):
    """int(percentage * number of layers but the last), with percentage linear from freeze_start to the end."""
    frozen = []
    for epoch in range(1, epochs + 1):
        elapsed = epoch / epochs
        percentage = 0.0 if elapsed <= freeze_start else \
            freeze_level * (elapsed - freeze_start) / (1.0 - freeze_start)
        frozen.append(int(round(percentage * (layers - 1), 9)))
    return {"start": freeze_start, "share": freeze_level, "layers": layers, "epochs": epochs, "frozen": frozen}


def egeria(seed, layers, decisions, window, tolerance, patience, rates):
    """Plasticity -> moving average -> least-squares slope -> flat in a row -> one front layer; thaws at a tenfold
    drop of the rate."""
    draws = np.random.RandomState(seed)
    time = np.arange(decisions)[:, None]
    pace = np.linspace(0.5, 0.15, layers)
    scores = np.exp(-pace * time) + 0.004 * draws.uniform(size=(decisions, layers))
    drop = rates.index(min(rates))
    scores[drop:] += 0.5 * np.exp(-pace * (time[drop:] - drop))
    scores = np.round(scores, 6)

    frozen, start, reference, since = [], 0, rates[0], 0
    for t in range(decisions):
        if t > 0 and rates[t] * 10 <= reference * (1 + 1e-9):
            start, reference, since = 0, rates[t], t + 1
        elif start < layers - 1:
            # What froze before the drop has no scores: a layer's history since the thaw begins anew.
            history = scores[since:t + 1, start]
            averages = np.convolve(history, np.ones(window) / window, mode="valid")
            slopes = np.array([np.polyfit(np.arange(window), averages[i:i + window], 1)[0]
                               for i in range(len(averages) - window + 1)])
            steepest = np.max(np.abs(slopes)) if len(slopes) else 0
            flat = np.abs(slopes) < tolerance * steepest
            if len(flat) >= patience and flat[-patience:].all():
                start += 1
        frozen.append(start)
    return {"window": window, "tolerance": tolerance, "patience": patience, "rates": rates,
            "scores": scores.tolist(), "frozen": frozen}


cases = {
    "comment": "written by make_policy_golden.py; frozen counts leading layers after each decision",
    "auto_freeze": [auto_freeze(1, 9, 8, 50), auto_freeze(2, 6, 10, 30), auto_freeze(3, 12, 6, 75)],
    "freeze_out": [freeze_out(0.8, True, True, 5, 20, 0.1), freeze_out(0.5, False, True, 7, 16, 0.05),
                   freeze_out(0.25, True, False, 4, 10, 1.0)],
    "linear": [composer_linear(0.5, 1.0, 9, 10), composer_linear(0.0, 1.0, 12, 7),
               composer_linear(0.3, 0.6, 20, 13)],
    "egeria": [egeria(5, 5, 40, 3, 0.2, 3, [0.1] * 25 + [0.01] * 15),
               egeria(6, 4, 30, 2, 0.1, 2, [0.1] * 20 + [0.01] * 10)],
}
path = pathlib.Path(__file__).with_name("policies.json")
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n", encoding="utf-8")
for name in ("auto_freeze", "freeze_out", "linear", "egeria"):
    for case in cases[name]:
        print(name, case["frozen"])
print(path.stat().st_size, "bytes")
