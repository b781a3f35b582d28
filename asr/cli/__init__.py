"""The command line: commands parse options, call the package and print results."""
