"""The compiled part of the package; everything else is in pyproject.toml."""

import sys

from setuptools import Extension, setup

FLAGS = [] if sys.platform == "win32" else ["-O3", "-std=c11", "-fno-math-errno", "-fno-trapping-math"]

setup(
    ext_modules=[
        Extension(
            "memagic.engine._kernel",
            sources=["src/native/module.c"],
            depends=[
                f"src/native/{name}.h"
                for name in (
                    "buffers",
                    "coefficients",
                    "crossed_methods",
                    "densities",
                    "elementary",
                    "elimination",
                    "loadings",
                    "look",
                    "rising",
                    "small",
                    "small_methods",
                )
            ],
            extra_compile_args=FLAGS,
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
