"""Interrupts of a real kernel at random moments of a fit: it answers, and `_stopped` goes on."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

from jupyter_client.manager import start_new_kernel

_PREPARE = (
    "%load_ext memagic\n%use bangladesh\n%quietly melogit c_use age || district:\n%estimates store small"
)
_FIT = "melogit c_use i.urban age || district: urban age, covariance(unstructured) intpoints(11)"


class _Kernel:
    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, source: str, interrupt_after: float | None = None) -> tuple[dict[str, Any], float]:
        """The reply to a cell, and how long it took."""
        start = time.perf_counter()
        sent = self.client.execute(source, store_history=False, stop_on_error=False)
        if interrupt_after is not None:
            time.sleep(interrupt_after)
            self.manager.interrupt_kernel()
        while True:
            reply = self.client.get_shell_msg(timeout=120)
            if reply["parent_header"].get("msg_id") == sent:
                return reply["content"], time.perf_counter() - start

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def survey(times: int, seed: int) -> str:
    """So many interrupts, in words."""
    rng, kernel, found, problems = random.Random(seed), _Kernel(), Counter[str](), list[str]()
    try:
        for line in _PREPARE.split("\n"):
            kernel.run(line)
        fit = "%" + _FIT
        whole = kernel.run(fit)[1]
        for _ in range(times):
            kernel.run("_stopped = None")
            delay = rng.uniform(0.0, 1.05 * whole)
            reply, took = kernel.run(fit, delay)
            found[str(reply.get("ename", "ran to its end"))] += 1
            if reply["status"] == "error" and reply["ename"] != "Break":
                problems.append(f"after {delay:.2f} s: {reply['ename']}: {str(reply['evalue'])[:200]}")
            if took - delay > 1.0 and reply["status"] == "error":
                problems.append(f"answered {took - delay:.1f} s after the interrupt")
            there, _ = kernel.run(
                "assert _stopped is not None and 'onvergence not achieved' in str(_stopped)"
            )
            if there["status"] == "ok":
                found["_stopped"] += 1
                on, _ = kernel.run(fit + " from(_stopped) iterate(1)")
                if on["status"] != "ok":
                    problems.append(f"from(_stopped): {on['evalue']}")
            for check in ("%quietly melogit c_use age || district:", "%estat icc", "%estimates stats small"):
                after, _ = kernel.run(check)
                if after["status"] != "ok":
                    problems.append(f"{check}: {after['ename']} {after['evalue']}")
    finally:
        kernel.close()
    return "\n".join([f"{times} interrupts of a fit of {whole:.2f} s: {dict(found)}", *problems])
