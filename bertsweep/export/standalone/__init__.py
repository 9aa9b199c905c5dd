"""A program that reads exports with the packages that their users need, and not with bertsweep."""
