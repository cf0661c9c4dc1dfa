# SPDX-License-Identifier: MIT
"""Writes scorers.json: scores that NumPy computes from the published formulas, each in another way than the
library. Run with NumPy 1.24 (Debian 12: python3-numpy):

    /usr/bin/python3 tests/golden/make_scorer_golden.py

Inputs are recomputed, not stored; the generator is that of make_golden.py.
"""
import json
import pathlib

import numpy

GAMMA = 0x9E3779B97F4A7C15


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def generate(name, shape, bound=1.0, offset=0.0):
    index = numpy.arange(numpy.prod(shape), dtype=numpy.uint64)
    z = index * numpy.uint64(GAMMA) + numpy.uint64((fnv1a64(name) + GAMMA) % 2**64)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    u = (z >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53
    return (offset + (2 * u - 1) * bound).astype(numpy.float32).astype(numpy.float64).reshape(shape)


def gradient_change(intervals):
    """AutoFreeze: the gradients of an interval are summed, and eta = |n' - n| / n' of the sum's L1 norm."""
    norms = [numpy.abs(numpy.sum(gradients, axis=0)).sum() for gradients in intervals]
    return [None] + [abs(before - now) / before for before, now in zip(norms, norms[1:])]


def similarity_preserving_loss(x, y):
    """Tung and Mori, eq. 1 to 4."""
    def similarities(features):
        products = features @ features.T
        return products / numpy.sqrt((products**2).sum(axis=1, keepdims=True))
    return ((similarities(x) - similarities(y))**2).sum() / len(x)**2


def linear_cka(x, y):
    """Kornblith et al., by the covariances of the features."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return numpy.linalg.norm(y.T @ x)**2 / (numpy.linalg.norm(x.T @ x) * numpy.linalg.norm(y.T @ y))


def svcca(x, y, variance=0.99):
    """Raghu et al.: rows are observations."""
    def reduced(features):
        u, s, _ = numpy.linalg.svd(features - features.mean(axis=0), full_matrices=False)
        held = numpy.cumsum(s**2) / (s**2).sum()
        return u[:, :numpy.searchsorted(held, variance) + 1]
    return numpy.linalg.svd(reduced(x).T @ reduced(y), compute_uv=False).mean()


def main():
    size, steps = 40, [3, 3, 3, 3, 3]
    intervals = [[generate(f"gradient.{i}.{s}", (size,), 1 / (i + 1), 0.1) for s in range(count)]
                 for i, count in enumerate(steps)]

    samples, features, channels = 9, 60, 5  # 12 positions
    noise = [1.0, 0.3, 0.03]
    reference = generate("reference", (samples, features), 1.0, 0.3)
    states = [reference + generate(f"noise.{i}", (samples, features), bound) for i, bound in enumerate(noise)]
    positions = lambda outputs: outputs.reshape(-1, channels)
    result = {
        "comment": "NumPy " + numpy.__version__ + "; see make_scorer_golden.py",
        "gradient_change": {"size": size, "steps": steps, "expected": gradient_change(intervals)},
        "outputs": {
            "samples": samples, "features": features, "channels": channels, "noise": noise,
            "similarity_preserving_loss": [similarity_preserving_loss(x, reference) for x in states],
            "linear_cka": [linear_cka(x, reference) for x in states],
            "svcca": [svcca(positions(x), positions(reference)) for x in states],
        },
    }
    path = pathlib.Path(__file__).with_name("scorers.json")
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


main()
