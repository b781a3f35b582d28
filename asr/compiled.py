"""Compiles a function to machine code at its first call; later processes read it from numba's cache."""

from numba import njit

compiled = njit(cache=True, nogil=True, no_cfunc_wrapper=True)
"""For functions of arrays and numbers, which run without the interpreter's lock. None is passed as a value, so none
gets the wrapper for that. In them, copy slices and find maxima by loops: numba's own take far longer to compile, as
they bring along the wording of their errors."""
