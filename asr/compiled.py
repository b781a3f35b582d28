"""Compiles a function to machine code at its first call; later processes read it from numba's cache."""

from numba import njit

compiled = njit(cache=True, nogil=True, no_cfunc_wrapper=True)
"""For functions of arrays and numbers, which run without the interpreter's lock. No function is passed as a value, so
none needs a wrapper for that, which costs a tenth of the time of compiling. Slices are copied by loops: an assignment
to a slice takes the compiler several times as long, to word the error for shapes that differ."""
