"""Tracking begins and ends in the middle of a program, which has threads that were there before."""

import sys
import threading
import time

import memray

go, end = threading.Event(), threading.Event()
kept = []


def early():
    go.wait()
    kept.append([bytearray(3000 + i) for i in range(20)])
    end.wait()


def inner():
    kept.append(bytearray(50_000))
    for i in range(15):
        kept.append(bytearray(10_000))
        time.sleep(0.004)
    del kept[2:9]


def outer(path, native):
    with memray.Tracker(
        destination=memray.FileDestination(path, overwrite=True),
        native_traces=native,
        memory_interval_ms=5,
    ):
        go.set()
        inner()
        kept.append(bytearray(60_000))
    end.set()


before = bytearray(1_000_000)
thread = threading.Thread(target=early, name="early")
thread.start()
outer(sys.argv[1], sys.argv[2:] == ["native"])
thread.join()
