"""Speed and digits, by hand: ``make bench``.  Compiled kernels are kept as the program keeps them."""

from tomking.app.kernels import keep_compiled_kernels

keep_compiled_kernels()
