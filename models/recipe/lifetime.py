"""Processes that do not outlive the one that started them."""
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# forked where that is safe, so that a child need not import again what its parent has
START_METHOD = 'fork' if sys.platform == 'linux' else 'spawn'


def die_with_parent(*_):
    """In a child process: asks the kernel to kill it when its parent ends, however that ends. Linux only; elsewhere a
    parent that is killed leaves its children to notice by themselves."""
    if sys.platform != 'linux':
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended just before
        os.kill(os.getpid(), signal.SIGKILL)
