"""Every fsync made longer by a fixed time, so that disks which differ by ten times give comparable ratios.

A few lines of C are compiled into a library that is preloaded; it sleeps before each fsync and fdatasync.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

MICROSECONDS = 2000
SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fsync(int file) {
    static int (*real)(int); if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    usleep(%(pause)d); return real(file);
}
int fdatasync(int file) {
    static int (*real)(int); if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    usleep(%(pause)d); return real(file);
}
"""


def slower_disk(folder: Path) -> Path:
    """Compile the library and return its path, for `LD_PRELOAD`."""
    source, library = folder / "slow_fsync.c", folder / "slow_fsync.so"
    source.write_text(SOURCE % {"pause": MICROSECONDS}, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return library
