"""Published option indexes rebuilt by their rules on the kernel, and compared with what was published."""
