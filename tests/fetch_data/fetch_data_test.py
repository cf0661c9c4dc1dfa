#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs fetch_data.sh against a server of its own. Usage: fetch_data_test.py FETCH_DATA_SH"""

import functools
import gzip
import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FILES = [
    f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
]
script = Path(sys.argv[1]).resolve()
failures = []


class quiet_handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(quiet_handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def check(name, mirror, arguments, code, *sentences):
    environment = {**os.environ, "FROSTLINE_MIRROR": mirror}
    done = subprocess.run(
        ["sh", str(script), *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=600
    )
    said = done.stdout + done.stderr
    if done.returncode != code or any(sentence not in said for sentence in sentences):
        failures.append(f"{name}: ended with {done.returncode}, expected {code}, and said:\n{said}")


def check_stalled_server(root):
    """What was begun goes when the terminal does, and both programs that fetch are told when to give up."""
    destination, tools = root / "stalled", root / "tools"
    tools.mkdir()
    for name in ("curl", "wget"):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho "$*" >"{root}/{name}"\nexec sleep 300\n')
        tool.chmod(0o755)
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM):
        (root / "curl").unlink(missing_ok=True)
        process = subprocess.Popen(
            ["sh", str(script), str(destination), "mnist"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
            preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
        for _ in range(600):
            if (root / "curl").exists() and (root / "curl").read_text():
                break
            time.sleep(0.1)
        os.killpg(process.pid, number)
        process.wait(timeout=60)
        if any(destination.iterdir()):
            failures.append(f"{number.name} left {sorted(destination.iterdir())}")
    arguments = (root / "curl").read_text()
    if "--connect-timeout" not in arguments or "--speed-time" not in arguments:
        failures.append(f"curl would wait for ever: {arguments}")
    if "wget --quiet --tries=4 --timeout=60" not in script.read_text():
        failures.append("wget has no timeout of its own")


def main():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        served = root / "served"
        served.mkdir()
        mirror = serve(served)
        nothing, destination = root / "nothing", root / "destination"
        (served / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(b"another archive"))

        check("unknown set", mirror, [destination, "kmnist"], 1, 'no data set named "kmnist"', "fashion-mnist")
        check("no arguments", mirror, [], 2, "Usage: fetch_data.sh DEST")
        for wish in ("--help", "-h"):
            check("help", mirror, [wish], 0, "Usage: fetch_data.sh DEST")
        check("unknown option", mirror, ["--fetch", "mnist"], 2, "Usage: fetch_data.sh DEST")
        check("nothing to verify", mirror, ["--verify", nothing], 1, "holds none of mnist")
        check("not on the server", mirror, [destination, "mnist"], 1, "train-images-idx3-ubyte.gz: cannot be fetched")
        check("another archive", mirror, [destination, "cifar10"], 1,
              "cifar-10-binary.tar.gz: the checksum is", "expected c4a38c50a1bc5f3a")
        if any(destination.iterdir()):
            failures.append(f"what could not be fetched left {sorted(destination.iterdir())}")

        if not DEBIAN_FASHION_MNIST.exists():
            print("SKIPPED in part: Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)")
        else:
            for name in FILES:
                shutil.copy(DEBIAN_FASHION_MNIST / name, served / name)
            # Unpacked files are read in place of packed ones.
            plain = destination / "fashion-mnist" / "t10k-labels-idx1-ubyte"
            plain.parent.mkdir()
            plain.write_bytes(b"damaged")
            check("bad set", mirror, ["--verify", destination], 1, "t10k-labels-idx1-ubyte: holds 7 bytes")
            check("good set", mirror, [destination, "fashion-mnist"], 0, "fashion-mnist: is in")
            check("verified", mirror, ["--verify", destination], 0, "fashion-mnist, the official files")
            labels = destination / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
            content = bytearray(gzip.decompress(labels.read_bytes()))
            content[-1] ^= 1
            labels.write_bytes(gzip.compress(bytes(content)))
            check("one byte differs", mirror, ["--verify", destination], 1, "not the official files",
                  "t10k-labels-idx1-ubyte.gz: the SHA-256 is")
            labels.write_bytes(gzip.compress(bytes(content[:-1])))
            check("one byte is missing", mirror, ["--verify", destination], 1, "holds 10007 bytes", "10008")
            labels.unlink()
            check("a file is missing", mirror, ["--verify", destination], 1, "t10k-labels-idx1-ubyte: is missing")
            # Fashion-MNIST's files have the names of MNIST's.
            check("the wrong set", mirror, [destination, "mnist"], 1, "the SHA-256 is", "ba891046e6505d7a")
            if (destination / "mnist").exists():
                failures.append("files of another set were kept")

        check_stalled_server(root)
        for part, count in (("train", 3), ("val", 1)):
            for number in range(count):
                image = destination / "imagenette2" / part / "n01440764" / f"{number}.JPEG"
                image.parent.mkdir(parents=True, exist_ok=True)
                image.touch()
        check("few images", mirror, ["--verify", destination], 1,
              "not the official files: 3 images to train and 1 to validate")

    print("\n".join(failures) or "fetch_data.sh does what it should")
    sys.exit(1 if failures else 0)


main()
