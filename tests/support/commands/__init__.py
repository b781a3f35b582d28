"""Running commands and programs of the repository, killed or whole, and reading what they did."""
