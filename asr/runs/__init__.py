"""A run: the stages of a recipe, in order, each skipped while it is current."""
