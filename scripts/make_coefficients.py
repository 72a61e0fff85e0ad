"""Make src/native/coefficients.h: polynomials for exp, log and erfcx. Needs mpmath.

``python scripts/make_coefficients.py > src/native/coefficients.h``
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp

Function = Callable[[mp.mpf], mp.mpf]

# Where (1 + 2x) erfcx(x) is expanded in (x - K)/(x + K): Shepherd and Laframboise (1981).
K = mp.mpf("3.75")


def chebyshev(f: Function, low: mp.mpf, high: mp.mpf, n: int) -> list[mp.mpf]:
    """Power series of the interpolant of f in n Chebyshev points, the constant first."""
    return [mp.mpf(c) for c in mp.chebyfit(f, [low, high], n)[::-1]]


def exp_rest(r: mp.mpf) -> mp.mpf:
    """(exp(r) - 1 - r) / r^2."""
    return (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else mp.mpf(1) / 2 + r / 6


def log_rest(z: mp.mpf) -> mp.mpf:
    """(2 atanh(s) - 2s) / s^3 with s^2 = z."""
    if z < mp.mpf(10) ** -20:
        return mp.mpf(2) / 3
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / s**3


def scaled_erfcx(t: mp.mpf) -> mp.mpf:
    """(1 + 2x) erfcx(x) at x = K (1 + t)/(1 - t)."""
    if t > 1 - mp.mpf(10) ** -20:
        return 2 / mp.sqrt(mp.pi)
    x = K * (1 + t) / (1 - t)
    if x > 100:
        term, total = mp.mpf(1), mp.mpf(0)
        for n in range(1, 25):
            total += term
            term *= -(2 * n - 1) / (2 * x * x)
        return (1 + 2 * x) * total / (x * mp.sqrt(mp.pi))
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def array(name: str, comment: str, values: list[mp.mpf]) -> str:
    """One constant array of C."""
    lines = ",\n".join(f"    {float(value)!r}" for value in values)
    return f"/* {comment} */\nstatic const double {name}[{len(values)}] = {{\n{lines}}};\n"


def main() -> None:
    """Print the header."""
    mp.mp.dps = 50
    half = mp.log(2) / 2 * mp.mpf("1.0001")
    print("/* Made by scripts/make_coefficients.py; the constant term comes first. */\n")
    print(array("EXP", "(exp(r) - 1 - r) / r^2 on |r| <= log(2)/2.", chebyshev(exp_rest, -half, half, 10)))
    print(
        array(
            "LOG", "(2 atanh(s) - 2s) / s^3 in s^2 <= 1/9.", chebyshev(log_rest, mp.mpf(0), mp.mpf(1) / 9, 11)
        )
    )
    print(
        array(
            "ERFCX",
            f"(1 + 2x) erfcx(x) in (x - {K})/(x + {K}), x >= 0.",
            chebyshev(scaled_erfcx, mp.mpf(-1), mp.mpf(1), 26),
        ),
        end="",
    )


if __name__ == "__main__":
    main()
